"""Faces that nobody recognises."""

import numpy as np
import pytest

from mien import images
from mien.images.drawing import annotate
from mien.images.obscuring import Faces, obscured
from mien.records import Face, Prediction

BOX = (40.0, 30.0, 99.0, 89.0)


@pytest.fixture
def noise(rng):
    return rng.integers(0, 256, (160, 160, 3), dtype=np.uint8)


def test_blocks_are_a_sixth_of_the_face_and_reach_around_it(noise):
    out = obscured(noise, [BOX], Faces.pixelated)
    left, top, right, bottom = 31, 21, 108, 98
    part = out[top : bottom + 1, left : right + 1]
    rows = np.flatnonzero((np.diff(part.astype(int), axis=0) != 0).any((1, 2)))
    columns = np.flatnonzero((np.diff(part.astype(int), axis=1) != 0).any((0, 2)))
    assert min(np.diff(rows).min(), np.diff(columns).min()) >= 59 // 6
    assert len(rows) == len(columns) == 6  # edges between seven blocks, some of the surroundings
    assert np.abs(part.mean((0, 1)) - noise[21:99, 31:109].mean((0, 1))).max() < 3
    around = np.ones(noise.shape, bool)
    around[top : bottom + 1, left : right + 1] = False
    assert (out == noise)[around].all()


def test_a_covered_face_is_one_tone_and_grey_pictures_stay_grey(noise):
    out = obscured(noise[..., 0], [BOX, (150.0, -20.0, 180.0, 12.0)], Faces.covered)
    assert out.shape == (160, 160)
    assert (out[21:99, 31:109] == 128).all() and (out[:12, 150:] == 128).all()


@pytest.mark.parametrize("box", [(300.0, 5.0, 320.0, 25.0), (-40.0, -40.0, -20.0, -20.0)])
def test_a_box_outside_changes_nothing(noise, box):
    assert np.array_equal(obscured(noise, [box], Faces.pixelated), noise)


def test_what_is_drawn_on_obscured_faces_tells_nothing_of_them(noise):
    points = np.random.default_rng(1).uniform(45, 85, (68, 2)).astype(np.float32)
    shares = {"neutral": 1.0}
    with_points, without = (
        Prediction(Face(BOX, 0.9, of), "neutral", 1.0, shares, ()) for of in (points, None)
    )
    drawn = annotate(noise, [with_points], points=True, faces=Faces.pixelated)
    assert np.array_equal(drawn, annotate(noise, [without], faces=Faces.pixelated))
    assert not np.array_equal(drawn, annotate(images.to_rgb(noise), [without]))
