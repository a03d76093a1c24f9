from typing import Any

import numpy as np
import pytest
import torch

import models
from mien import geometry
from mien.errors import UsageError
from mien.preparation import Preparation
from mien.training import augment
from mien.training.augment import Augmentation
from mien.training.randomness import face_keys, face_uniforms

SIDE = 48


def draw(count: int, settings: Augmentation) -> tuple[np.ndarray, np.ndarray]:
    uniforms = face_uniforms(face_keys(0, 0, np.arange(count)), augment.UNIFORMS)
    base = np.tile(np.eye(2, 3), (count, 1, 1))
    return augment.matrices(uniforms, settings, SIDE, base)


def test_points_land_where_the_pixels_land() -> None:
    settings = Augmentation(shift=0.1, scale=0.2, rotate_degrees=40)
    matrix, flipped = draw(24, settings)
    images = torch.zeros(24, 1, SIDE, SIDE)
    images[:, :, 20:23, 29:32] = 1.0  # a spot around (30, 21)
    warped = augment.warp(images, matrix, SIDE, "zeros")[:, 0].numpy()
    points = np.full((24, 68, 2), (30.0, 21.0), dtype=np.float32)
    moved = augment.transform_points(points, matrix, flipped)[:, 0]
    rows, columns = np.mgrid[:SIDE, :SIDE]
    weight = warped.sum((1, 2))
    centre = np.stack([(warped * columns).sum((1, 2)), (warped * rows).sum((1, 2))], 1)
    np.testing.assert_allclose(centre / weight[:, None], moved, atol=0.15)
    assert flipped.any() and not flipped.all()


def test_a_mirrored_face_is_the_mirror_image_with_its_points_renumbered() -> None:
    still = Augmentation(flip=1.0, rotate_degrees=0, scale=0, shift=0)
    matrix, flipped = draw(1, still)
    image = torch.arange(SIDE * SIDE, dtype=torch.float32).reshape(1, 1, SIDE, SIDE)
    np.testing.assert_allclose(
        augment.warp(image, matrix, SIDE, "border"), image.flip(3), atol=1e-2
    )
    points = models.face_points(SIDE)[None]
    moved = augment.transform_points(points, matrix, flipped)[0]
    np.testing.assert_allclose(moved, geometry.mirror_points(points[0], SIDE), atol=1e-4)


def test_light_changes_keep_the_range_and_repeat_with_the_seed() -> None:
    uniforms = face_uniforms(face_keys(0, 0, np.arange(8)), augment.UNIFORMS)
    images = torch.rand(8, 1, SIDE, SIDE) * 255
    settings = Augmentation(noise_share=1.0, blur_share=0.5)
    first, again = (
        augment.photometric(images, uniforms, settings, torch.Generator().manual_seed(1))
        for _ in range(2)
    )
    assert first.min() >= 0 and first.max() <= 255
    torch.testing.assert_close(first, again, atol=0, rtol=0)
    assert not torch.equal(first, images)


def test_normalisation_equals_that_of_prediction(rng: np.random.Generator) -> None:
    faces = rng.integers(0, 256, (4, SIDE, SIDE), dtype=np.uint8)
    faces[1] = 77  # nothing to see
    expected = Preparation(size_hw=(SIDE, SIDE), normalize="per-image").normalized(faces)
    found = augment.per_image(torch.from_numpy(faces).float()[:, None])
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"flip": 1.5}, r"augmentation\.flip must be a share from 0 to 1, got 1\.5"),
        ({"mixup": -0.2}, r"augmentation\.mixup must be at least 0"),
        ({"padding": "zero"}, "unknown padding 'zero'; did you mean 'zeros'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Augmentation(**settings)
