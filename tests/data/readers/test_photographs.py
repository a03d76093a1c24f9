"""Every reader of photographs on a small true copy of its set."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_sets as sets
from mien.data.listing import Listing
from mien.data.readers import read

Build = Callable[[Path], None]
Rows = dict[str, tuple[str, str, str, str]]
NONE = ("", "", "")

CASES: list[tuple[str, Build, dict[str, Any], Rows]] = [
    (
        "jaffe",
        sets.jaffe,
        {},
        {
            "KA.AN1.39": ("anger", "KA", "", ""),
            "KA.HA2.30": ("happiness", "KA", "", ""),
            "YM.FE1.67": ("fear", "YM", "", ""),
            "TM.SU3.192": ("surprise", "TM", "", ""),
        },
    ),
    (
        "kdef",
        sets.kdef,
        {},
        {
            "AF01AFFL": ("fear", "F01", "AF01AF", ""),
            "AF01ANS": ("anger", "F01", "AF01AN", ""),
            "BM35SUHR": ("surprise", "M35", "BM35SU", ""),
        },
    ),
    ("kdef", sets.kdef, {"angles": "S,FR"}, {"AF01ANS": ("anger", "F01", "AF01AN", "")}),
    (
        "folders",
        sets.folders,
        {},
        {
            "Angry/1.png": ("anger", "", "", ""),
            "Angry/deep/er/2.PNG": ("anger", "", "", ""),
            "Fearful/ä 顔.jpg": ("fear", "", "", ""),
            "Suprise/1.png": ("surprise", "", "", ""),
        },
    ),
    (
        "folders",
        sets.split_folders,
        {},
        {
            "TEST/sad/1.png": ("sadness", "", "", "test"),
            "Train/happy/1.png": ("happiness", "", "", "train"),
            "Train/sad/2.png": ("sadness", "", "", "train"),
            "validation/sad/1.png": ("sadness", "", "", "validation"),
        },
    ),
    (
        "folders",
        sets.numbered_folders,
        {"labels": "2=sad, 0=fear, 1="},
        {
            "0/a.png": ("fear", "", "", ""),
            "1/b.png": ("", "", "", ""),
            "2/c.png": ("sadness", "", "", ""),
        },
    ),
    (
        "fer2013-folders",
        sets.fer2013_folders,
        {},
        {
            "test/happy/PrivateTest_1.jpg": ("happiness", "", "", "public+private"),
            "test/happy/PublicTest_1.jpg": ("happiness", "", "", "public+private"),
            "train/angry/Training_1.jpg": ("anger", "", "", "train"),
            "train/neutral/Training_2.jpg": ("neutral", "", "", "train"),
        },
    ),
    (
        "ckplus",
        sets.ckplus,
        {},
        {
            "S005_001_00000005": ("disgust", "S005", "S005_001", ""),
            "S005_002_00000003": ("", "S005", "S005_002", ""),
            "S999_001_00000001": ("", "S999", "S999_001", ""),
        },
    ),
    (
        "ckplus48",
        sets.ckplus48,
        {"peaks": "1"},
        {
            "S010_006_00000011": ("happiness", "S010", "S010_006", ""),
            "S138_008_00000009": ("contempt", "S138", "S138_008", ""),
        },
    ),
    (
        "iefdb",
        sets.iefdb,
        {},
        {
            "1": ("anger", "P 1", "", ""),
            "2": ("happiness", "P2", "", ""),
            "10": ("neutral", "P2", "", ""),
        },
    ),
    ("legend", sets.legend, {}, {"José_1.jpg": ("happiness", *NONE), "b.jpg": ("fear", *NONE)}),
    *(
        (
            "rafdb",
            sets.rafdb,
            {"images": images},
            {
                "train_00001": ("sadness", "", "", "train"),
                "test_0001": ("surprise", "", "", "test"),
            },
        )
        for images in ("aligned", "original")
    ),
    (
        "affectnet",
        sets.affectnet,
        {},
        {
            "689/a.jpg": ("contempt", "", "", "train"),
            "1/b.png": ("", "", "", "train"),
            "1/c.jpg": ("anger", "", "", "validation"),
            "2/d.jpg": ("neutral", "", "", "validation"),
        },
    ),
    (
        "affectnet",
        sets.affectnet_sets,
        {"classes": "7"},
        {
            "train_set/12": ("", "", "", "train"),
            "train_set/3": ("neutral", "", "", "train"),
            "val_set/3": ("happiness", "", "", "validation"),
        },
    ),
    (
        "expw",
        sets.expw,
        {},
        {
            "angry actor_1.jpg#0": ("anger", "", "", ""),
            "b.jpg#0": ("neutral", "", "", ""),
            "b.jpg#1": ("happiness", "", "", ""),
        },
    ),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "Gesichter äöü 顔 2"


def listed(name: str, root: Path, **options: Any) -> Listing:
    found = read(name, root, **options)
    assert isinstance(found, Listing)
    assert all(Path(path).is_file() for path in found.paths)
    return found


def rows_of(found: Listing) -> Rows:
    names = [*found.expressions, ""]
    columns = (found.subject, found.sequence, found.split)
    return {
        source_id: (names[label], *(str(column[row]) for column in columns))
        for row, (source_id, label) in enumerate(zip(found.source_id, found.labels, strict=True))
    }


@pytest.mark.parametrize(("name", "build", "options", "expected"), CASES)
def test_a_set_is_read_as_it_is_given_out(
    root: Path, name: str, build: Build, options: dict[str, Any], expected: Rows
) -> None:
    build(root)
    found = rows_of(listed(name, root, **options))
    assert list(found.items()) == list(expected.items())


@pytest.mark.parametrize(
    ("name", "build", "options", "expressions"),
    [
        ("folders", sets.folders, {}, ("anger", "fear", "surprise")),
        ("folders", sets.split_folders, {}, ("happiness", "sadness")),
        ("folders", sets.numbered_folders, {"labels": "2=sad,0=fear,1="}, ("sadness", "fear")),
        ("affectnet", sets.affectnet_sets, {}, ("neutral", "happiness", "sadness", "surprise")),
        ("rafdb", sets.rafdb, {}, ("surprise", "fear", "disgust")),
        ("ckplus", sets.ckplus, {}, ("neutral", "anger", "contempt", "disgust")),
        ("fer2013-folders", sets.fer2013_folders, {}, ("anger", "disgust", "fear", "happiness")),
    ],
)
def test_labels_keep_the_sets_own_order(
    root: Path, name: str, build: Build, options: dict[str, Any], expressions: tuple[str, ...]
) -> None:
    build(root)
    assert listed(name, root, **options).expressions[: len(expressions)] == expressions


def test_peaks_neutral_frames_landmarks_and_action_units_of_ckplus(root: Path) -> None:
    sets.ckplus(root)
    photos_one = listed("ckplus", root, neutral="yes", landmarks=False, facs="yes")
    assert rows_of(photos_one)["S005_001_00000001"] == ("neutral", "S005", "S005_001", "")
    assert photos_one.notes is not None
    assert photos_one.notes.tolist() == ["", "AU4=2 AU9=0", "", ""]
    three = root / "CK+" / "Cohn-Kanade-Images"
    for folder in ("S005/002", "S999/001"):
        for path in (three / folder).iterdir():
            path.unlink()
    found = listed("ckplus", root, peaks=2, neutral=True, landmarks=True)
    assert [name[-1] for name in found.source_id] == ["1", "4", "5"]
    assert [found.expressions[label] for label in found.labels] == ["neutral", "disgust", "disgust"]
    assert found.points_xy is not None
    assert found.points_xy[1, :2].tolist() == [[104.5, 0], [104.5, 1]]


def test_all_three_frames_of_ck48_are_peaks(root: Path) -> None:
    sets.ckplus48(root)
    whole, inner = listed("ckplus48", root), listed("ckplus48", root / "CK+48")
    assert len(whole) == 6
    assert whole.source_id.tolist() == inner.source_id.tolist()


def test_boxes_points_and_notes_come_along(root: Path) -> None:
    sets.affectnet(root / "a")
    sets.expw(root / "e")
    affectnet, expw = listed("affectnet", root / "a", landmarks="yes"), listed("expw", root / "e")
    assert affectnet.box_xyxy is not None and affectnet.points_xy is not None
    assert affectnet.box_xyxy[0].tolist() == [1, 2, 31, 42]
    assert np.isnan(affectnet.box_xyxy[2]).all() and np.isnan(affectnet.points_xy[2]).all()
    assert affectnet.points_xy[0, 1].tolist() == [2, 3]
    assert affectnet.notes is not None and affectnet.notes.tolist() == ["", "label=10", "", ""]
    assert expw.box_xyxy is not None and expw.notes is not None
    assert expw.box_xyxy[0].tolist() == [20, 10, 60, 50]
    assert expw.notes[2] == "confidence=8.5"
    sets.affectnet_sets(root / "s")
    points = listed("affectnet", root / "s", landmarks=True).points_xy
    assert points is not None and points[1, 67].tolist() == [134, 135]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_manifest_is_read_by_the_names_of_its_columns(root: Path, suffix: str) -> None:
    sets.manifest(root)
    if suffix == "parquet":
        as_parquet(root)
    found = listed(
        "manifest",
        root,
        file=f"manifest.{suffix}",
        path="file",
        label="shown",
        subject="who",
        sequence="take",
        split="part",
        source_id="key",
    )
    assert rows_of(found) == {
        "a": ("sadness", "KA", "1", "train"),
        "b": ("happiness", "KA", "2", "test"),
        "c": ("", "TM", "3", ""),
    }
    assert found.expressions == ("happiness", "sadness")


def test_a_row_without_an_id_has_its_path(root: Path) -> None:
    sets.photos(root, "a.png", "b.png")
    sets.text(root / "manifest.csv", "path,label,key", "a.png,sad,", "b.png,sad,b")
    found = listed("manifest", root, source_id="key")
    assert found.source_id.tolist() == ["a.png", "b"]


def as_parquet(root: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    names = ["file", "shown", "who", "take", "part", "key"]
    columns = [
        ["pictures/ä.png", "pictures/b.png", "pictures/c.png"],
        ["sad", "joy", None],
        ["KA", "KA", "TM"],
        [1, 2, 3],
        ["train", "test", None],
        ["a", "b", "c"],
    ]
    parquet.write_table(
        arrow.table(dict(zip(names, columns, strict=True))), root / "manifest.parquet"
    )


def test_a_manifest_itself_may_be_the_root_and_its_labels_be_given(root: Path) -> None:
    sets.manifest(root)
    options = {"path": "file", "label": "take", "labels": {"1": "fear", "3": "", "2": "angry"}}
    found = listed("manifest", root / "manifest.csv", **options)
    assert found.expressions == ("fear", "anger")
    assert found.labels.tolist() == [0, 1, -1]
    assert found.source_id[0] == "pictures/ä.png"
