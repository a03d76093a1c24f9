"""The list and the sheet of the occluders, from the command line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import models
from data.test_occluded import faces
from mien import images, occlusion

pytestmark = pytest.mark.usefixtures("few")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave three occluders, so that a sheet is drawn at once."""
    kinds = {name: occlusion.OCCLUDERS[name] for name in ("eyes", "mouth", "sunglasses")}
    monkeypatch.setattr(occlusion, "OCCLUDERS", kinds)


def test_each_occluder_has_a_line(mien: Callable) -> None:
    done = mien("occluders")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == ["eyes", "mouth", "sunglasses"]
    assert mien("occluders", "--style", "realistic").out.split()[:2] == ["sunglasses", "realistic"]


def test_a_sheet_shows_them_on_the_portrait(
    tiny_weights: None, mien: Callable, tmp_path: Path
) -> None:
    done = mien("occluders", "--sheet", tmp_path / "sheet.png")
    assert done.code == 0 and str(tmp_path / "sheet.png") in done.out
    assert images.read(tmp_path / "sheet.png").shape[1] > 600
    assert mien("occluders", "--sheet", tmp_path / "b.png", "--quiet").out == ""


def test_a_sheet_shows_them_on_faces_of_a_table(mien: Callable, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 48, 48), dtype=np.uint8)
    points = np.repeat(models.face_points()[None], 12, 0)
    points[:, 27:36, 0] += np.arange(12)[:, None]
    faces(12, images=pixels, points_xy=points).save(tmp_path / "table")
    done = mien("occluders", "--sheet", tmp_path / "sheet.png", "--table", tmp_path / "table")
    assert done.code == 0, done.err
    assert images.read(tmp_path / "sheet.png").shape[1] > 10 * 96


def test_what_cannot_be_drawn_is_an_error(
    tiny_weights: None, mien: Callable, tmp_path: Path
) -> None:
    assert mien("occluders", "--style", "realistc").code == 2
    assert mien("occluders", "--table", tmp_path).code == 2
    images.write(tmp_path / "grey.png", np.full((64, 64), 128, np.uint8))
    done = mien("occluders", "--sheet", tmp_path / "s.png", "--on", tmp_path / "grey.png")
    assert done.code == 3 and "no face" not in done.out
