import numpy as np
import pytest

import models
from mien import geometry, images
from mien.errors import DataError
from mien.images.grid import grid
from mien.occlusion import sheet

PHOTOGRAPH = np.full((200, 260, 3), 120, np.uint8)
POINTS = models.face_points(90) + 60


def test_a_grid_has_a_square_for_each_picture() -> None:
    pictures = [np.full((20, 20), level, np.uint8) for level in (10, 200)]
    drawn = grid([("one", pictures), ("another", pictures)], ["a", "b"], side=20)
    assert drawn.dtype == np.uint8 and drawn.ndim == 3
    assert (drawn == 10).all(-1).sum() >= 800 and (drawn == 200).all(-1).sum() >= 800


def test_a_face_is_cut_out_with_its_points() -> None:
    image = PHOTOGRAPH.copy()
    x, y = POINTS[30].astype(int)
    image[y - 1 : y + 2, x - 1 : x + 2] = 255
    part, points = sheet.framed(image, POINTS, 100)
    assert part.shape == (100, 100, 3)
    left, top, right, bottom = geometry.bounding_box(points)
    assert 0 < left < right < 100 and 0 < top < bottom < 100
    x, y = np.rint(points[30]).astype(int)
    assert part[y, x].min() > 200


def test_one_face_is_shown_with_each_make_and_severity() -> None:
    both = sheet.of_one((PHOTOGRAPH, POINTS), ["eyes", "glasses", "sunglasses"], side=48)
    realistic = sheet.of_one((PHOTOGRAPH, POINTS), ["sunglasses"], side=48)
    flat = sheet.of_one((PHOTOGRAPH, POINTS), ["eyes"], side=48)
    assert both.shape[0] > realistic.shape[0] >= flat.shape[0] > 48
    assert both.shape[1] > 7 * 48


def test_small_faces_are_shown_pixel_for_pixel() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    drawn = sheet.of_many([(crop, models.face_points())] * 2, ["mouth"], side=96)
    large = images.to_rgb(crop.repeat(2, 0).repeat(2, 1))
    shown = [drawn[y : y + 40, x : x + 96] for y in range(12) for x in range(160)]
    assert any(part.shape == (40, 96, 3) and (part == large[:40]).all() for part in shown)


def test_faces_are_chosen_from_one_side_to_the_other() -> None:
    points = np.repeat(models.face_points()[None], 30, 0)
    points[:, geometry.NOSE, 0] += np.random.default_rng(0).permutation(np.arange(30.0) - 15)[
        :, None
    ]
    points[7] = np.nan
    rows = sheet.from_side_to_side(points, 5)
    noses = points[rows, 30, 0]
    assert len(rows) == 5 and 7 not in rows
    assert (np.diff(noses) > 0).all() and np.ptp(noses) > 20
    assert len(sheet.from_side_to_side(points[:3], 5)) == 3
    with pytest.raises(DataError, match="a face with points to draw on, found none of 2"):
        sheet.from_side_to_side(np.full((2, 68, 2), np.nan), 5)
