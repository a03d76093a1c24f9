"""Hiding parts of faces from the command line."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.test_occluded import faces, without_points
from mien import images, occlusion

Occlude = Callable[..., dict[str, int]]


@pytest.fixture
def occlude(mien: Callable, tiny_weights: None, tmp_path: Path) -> Occlude:
    """Hide parts of images that each are one face; read the JSON."""

    def run(source: Path, *words: str | Path) -> dict[str, int]:
        given = ("--detector", "whole", "--format", "json", *words)
        done = mien("occlude", source, tmp_path / "out", *given)
        assert done.code == 0, done.err
        counts: dict[str, int] = json.loads(done.out)
        return counts

    return run


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_of_photographs_gets_a_folder_an_occluder(
    photographs: Path, occlude: Occlude, tmp_path: Path
) -> None:
    counts = occlude(photographs, "--with", "eyes,mouth, surgical,eyes+mouth")
    assert counts["sources"] == 3 and counts["pictures"] == 12
    for name in ("eyes", "mouth", "surgical", "eyes+mouth"):
        assert {path.name for path in (tmp_path / "out" / name).iterdir()} == {
            *("a.png", "b.png", "c.png")
        }
    assert len(manifest(tmp_path / "out")) == 12
    before, after = (images.read(f / "a.png") for f in (photographs, tmp_path / "out/eyes"))
    assert before.shape == after.shape and (before != after).any()


def test_one_photograph_is_enough_and_options_reach_the_pixels(
    photographs: Path, occlude: Occlude, tmp_path: Path
) -> None:
    words = ("--with", "nose", "--tone", "200", "--pad-px", "2", "--severity", "0.8", "--masks")
    assert occlude(photographs / "b.png", *words)["pictures"] == 1
    mask = images.read(tmp_path / "out/masks/nose/b.png") > 0
    assert set(images.read(tmp_path / "out/nose/b.png")[mask].tolist()) == {200}
    assert int(manifest(tmp_path / "out")[0]["hidden_pixels"]) == mask.sum()


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--tone", "10,20,30"], {"tone": (10, 20, 30)}),
        (["--tone", "mean"], {"tone": "mean"}),
        (["--fixed-size", "face"], {"fixed_size": True}),
        (["--fixed-size", "20x9"], {"fixed_size": (20, 9)}),
        (["--pad-share", "0.2"], {"pad_share": 0.2}),
    ],
)
def test_a_table_is_drawn_on_as_in_python(
    words: list[str], options: dict[str, object], mien: Callable, tmp_path: Path
) -> None:
    table = faces()
    table.save(tmp_path / "table")
    done = mien("occlude", tmp_path / "table", tmp_path / "out", "--with", "mouth", *words)
    assert done.code == 0 and done.err.startswith("5 pictures of 5 images written to")
    assert table.points_xy is not None
    expected, _ = occlusion.batch("mouth", table.images, table.points_xy, 0, **options)
    for row in range(5):
        found = images.read(tmp_path / "out" / "mouth" / f"face_{row}.png")
        np.testing.assert_array_equal(found, expected[row])


def test_faces_in_photographs_are_found(
    shipped_models: None, mien: Callable, portrait_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "portrait.png").write_bytes(portrait_path.read_bytes())
    images.write(tmp_path / "in" / "sky.png", np.full((120, 160, 3), 200, np.uint8))
    done = mien("occlude", tmp_path / "in", tmp_path / "out", "--with", "eyes,lower")
    assert done.code == 0
    assert "2 pictures of 2 images" in done.err and "1 left out" in done.err
    share = {
        row["occluder"]: int(row["hidden_pixels"]) / 512**2 for row in manifest(tmp_path / "out")
    }
    assert 0.004 < share["eyes"] < 0.02 and 0.02 < share["lower"] < 0.3
    again = mien("occlude", tmp_path / "in", tmp_path / "out", "--with", "eyes,lower")
    assert "0 pictures" in again.err and "2 were there already" in again.err


def test_a_photograph_that_cannot_be_read_makes_the_code_3(
    mien: Callable, tiny_weights: None, photographs: Path, tmp_path: Path
) -> None:
    (photographs / "b.png").write_text("no image")
    words = ("--with", "eyes", "--detector", "whole")
    done = mien("occlude", photographs, tmp_path / "out", *words)
    assert done.code == 3 and "rejected.csv, 1 could not be read" in done.err
    assert len(manifest(tmp_path / "out")) == 2
    assert mien("occlude", photographs, tmp_path / "out", *words, "--quiet").code == 3
    (photographs / "b.png").unlink()
    assert mien("occlude", photographs, tmp_path / "out", *words).code == 0


def test_a_work_without_any_picture_makes_the_code_3(mien: Callable, tmp_path: Path) -> None:
    without_points(list(range(5))).save(tmp_path / "blind")
    done = mien("occlude", tmp_path / "blind", tmp_path / "out", "--with", "eyes")
    assert done.code == 3 and done.err.startswith("0 pictures of 5 images")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--with", "moth"], 2, "did you mean 'mouth'?"),
        (["--with", ","], 2, "no occluder is named"),
        (["--with", "eyes", "--no-face", "skipp"], 2, "did you mean 'skip'?"),
        (["--with", "eyes", "--style", "flatt"], 2, "did you mean 'flat'?"),
        (["--with", "eyes", "--fixed-size", "big"], 2, "--fixed-size face or WxH"),
        (["--with", "eyes", "--fixed-size", "²x1"], 2, "--fixed-size face or WxH"),
        (["--with", "eyes", "--tone", "²"], 2, "a tone must be"),
        (["--with", "eyes", "--seed", "-1"], 2, "'--seed'"),
        (["--with", "eyes", "--tone", "300"], 2, "a tone must be"),
        (["--with", "surgical", "--pad-px", "2"], 2, "does not take pad_px"),
        (["--with", "eyes", "--detector", "centreface"], 2, "did you mean 'centerface'?"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    words: list[str], code: int, message: str, mien: Callable, photographs: Path, tmp_path: Path
) -> None:
    done = mien("occlude", photographs, tmp_path / "out", *words)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert not (tmp_path / "out").exists()


def test_without_points_a_table_is_refused(mien: Callable, tmp_path: Path) -> None:
    faces(points_xy=None).save(tmp_path / "bare")
    done = mien("occlude", tmp_path / "bare", tmp_path / "out", "--with", "eyes")
    assert done.code == 4 and "prepare it again with --points" in done.err
    without_points([2]).save(tmp_path / "some")
    words = ("--with", "eyes", "--no-face", "fail")
    done = mien("occlude", tmp_path / "some", tmp_path / "out", *words)
    assert done.code == 4 and "face 2: it has no points" in done.err


def test_folders_that_cannot_be_meant_are_refused(
    mien: Callable, photographs: Path, tmp_path: Path
) -> None:
    done = mien("occlude", photographs, photographs / "out", "--with", "eyes")
    assert done.code == 2 and "lies in" in done.err
    done = mien("occlude", tmp_path / "nowhere", tmp_path / "out", "--with", "eyes")
    assert done.code == 3 and "no file or folder" in done.err
    (tmp_path / "taken").write_text("")
    done = mien("occlude", photographs, tmp_path / "taken" / "out", "--with", "eyes")
    assert done.code == 6 and "Not a directory" in done.err
    (tmp_path / "empty").mkdir()
    done = mien("occlude", tmp_path / "empty", tmp_path / "out", "--with", "eyes")
    assert done.code == 3 and "no images in the folder" in done.err
