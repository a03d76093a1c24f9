import csv
from pathlib import Path

import numpy as np
import pytest

from data.test_table import table
from mien import images
from mien.data.exporting import export
from mien.data.points import load_points
from mien.data.readers import read
from mien.data.writing import TableWriter
from mien.errors import DataError, OutputError, UsageError

FACES = table(6, subject=np.array(["KA", "é, x", "", "", "", ""]))


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_png_keep_every_pixel_and_the_manifest_all_that_is_known(tmp_path: Path) -> None:
    assert export(FACES, tmp_path / "out") == 6
    rows = manifest(tmp_path / "out")
    assert [row["source_id"] for row in rows] == FACES.source_id.tolist()
    assert [row["expression"] for row in rows] == FACES.expression_names().tolist()
    assert rows[1]["subject"] == "é, x" and rows[1]["split"] == "public"
    assert FACES.votes is not None
    assert float(rows[0]["NF"]) == pytest.approx(FACES.votes[0, 9], abs=1e-5)
    for at, row in enumerate(rows):
        np.testing.assert_array_equal(images.read(tmp_path / "out" / row["file"]), FACES.images[at])
    points, found = load_points(tmp_path / "out" / "points.npz", 6)
    np.testing.assert_array_equal(points, FACES.points_xy)
    assert found.all()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_class_folders_are_named_by_split_and_expression(tmp_path: Path) -> None:
    assert export(FACES, tmp_path / "out", "class-folders") == 4
    rows = manifest(tmp_path / "out")
    assert [row["file"] for row in rows] == [
        "public/fear/face_1.png",
        "train/neutral/face_2.png",
        "train/fear/face_4.png",
        "public/neutral/face_5.png",
    ]
    assert all((tmp_path / "out" / row["file"]).is_file() for row in rows)


def test_class_folders_of_a_set_without_splits_have_none(tmp_path: Path) -> None:
    faces = table(3, split=np.full(3, ""), votes=None, points_xy=None)
    export(faces, tmp_path / "out", "class-folders")
    assert [row["file"] for row in manifest(tmp_path / "out")] == [
        "fear/face_1.png",
        "neutral/face_2.png",
    ]
    assert not (tmp_path / "out" / "points.npz").exists()


def test_class_folders_are_read_again_with_their_splits(tmp_path: Path) -> None:
    names = np.array(["train", "public", "private", "", "public+private", "train"])
    export(table(6, labels=np.zeros(6, int), split=names), tmp_path / "out", "class-folders")
    again = read("folders", tmp_path / "out")
    assert sorted(again.split.tolist()) == sorted(names.tolist())
    assert {*again.expression_names().tolist()} == {"fear"}


def test_an_unfinished_table_of_the_same_name_stays(tmp_path: Path) -> None:
    with TableWriter(tmp_path / "out", FACES.expressions, {}) as writing:
        writing.append(FACES, done=6)
    export(FACES, tmp_path / "out")
    assert (tmp_path / ".out.part" / "images.npy").is_file()


def test_a_name_that_is_no_utf_8_is_escaped(tmp_path: Path) -> None:
    export(table(1, source_id=np.array(["caf\udce9.png"])), tmp_path / "out")
    (row,) = manifest(tmp_path / "out")
    assert (row["file"], row["source_id"]) == ("images/0000/caf.png", "caf\\udce9.png")


def test_ids_that_make_one_name_or_none_are_told_apart(tmp_path: Path) -> None:
    ids = np.array(["../../etc/passwd", "a.png", "A", "a", "..", "con/a b"])
    export(table(6, source_id=ids), tmp_path / "out")
    files = [row["file"] for row in manifest(tmp_path / "out")]
    assert files == [
        "images/0000/etc_passwd.png",
        "images/0000/a.png",
        "images/0000/A-2.png",
        "images/0000/a-3.png",
        "images/0000/4.png",
        "images/0000/con_a_b.png",
    ]


def test_what_cannot_be_exported_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="unknown layout 'pngs'"):
        export(FACES, tmp_path / "out", "pngs")
    with pytest.raises(DataError, match="no face has a label"):
        export(table(2, labels=np.full(2, -1)), tmp_path / "out", "class-folders")
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputError, match="exists; remove it"):
        export(FACES, tmp_path / "there")

    def full(path: Path, image: images.Image) -> None:
        raise OutputError("cannot write: no space")

    monkeypatch.setattr(images, "write", full)
    with pytest.raises(OutputError, match="no space"):
        export(FACES, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
