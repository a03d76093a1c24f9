"""Pictures of 640x480 pixels with and without faces, drawn for tests."""

import numpy as np

from mien import geometry, images

SIZE_HW = (480, 640)


def noise(rng):
    return rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)


def gradient(rng):
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    return np.stack([x * 255 // 640, y * 255 // 480, (x + y) * 7 % 256], -1).astype(np.uint8)


def clouds(rng):
    scene = np.zeros((*SIZE_HW, 3))
    for size in (1, 2, 4, 8, 16, 32):
        coarse = rng.integers(0, 256, (3 * size, 4 * size, 3), dtype=np.uint8)
        scene += images.resize(coarse, SIZE_HW) / size
    return np.rint((scene - scene.min()) / np.ptp(scene) * 255).astype(np.uint8)


def boxes(rng):
    scene = np.full((*SIZE_HW, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(60):
        (y, x), (h, w) = rng.integers((0, 0), SIZE_HW), rng.integers(5, 150, 2)
        scene[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return scene


def discs(rng):
    scene = np.full((*SIZE_HW, 3), rng.integers(0, 256, 3), np.uint8)
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    for _ in range(60):
        (y, x), (h, w) = rng.integers((0, 0), SIZE_HW), rng.integers(4, 90, 2)
        scene[((rows - y) / h) ** 2 + ((columns - x) / w) ** 2 < 1] = rng.integers(0, 256, 3)
    return scene


WITHOUT_FACES = (noise, gradient, clouds, boxes, discs)


def face_patch(image, box_xyxy, side):
    """Cut a face with its surroundings, the longer side of its box `side` pixels long."""
    x0, y0, x1, y1 = box_xyxy
    scale = side / max(x1 - x0, y1 - y0)
    around = (x0 - (x1 - x0) / 2, y0 - (y1 - y0) / 2, x1 + (x1 - x0) / 2, y1 + (y1 - y0) / 2)
    size_hw = (round(2 * (y1 - y0) * scale), round(2 * (x1 - x0) * scale))
    return images.warp(images.to_rgb(image), geometry.box_to_image(around, size_hw), size_hw)


def with_faces(scene, patch, rng):
    """Put a patch at 20 places of a scene; give the picture and the centres."""
    height, width = patch.shape[:2]
    scene, centres = scene.copy(), []
    for row in range(4):
        for column in range(5):
            y = row * 120 + int(rng.integers(0, max(1, 120 - height)))
            x = column * 128 + int(rng.integers(0, 128 - width))
            part = scene[y : y + height, x : x + width]
            part[:] = patch[: len(part)]
            centres.append((x + width / 2 - 0.5, y + height / 2 - 0.5))
    return scene, centres
