"""What can be wrong with a set of photographs, and how it is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tiny_sets as sets
from mien.data.listing import Listing
from mien.data.readers import checked, read
from mien.errors import DataError, UsageError

Harm = Callable[[Path], object]


def extra(*names: str) -> Harm:
    return lambda root: sets.photos(root, *names)


def text(name: str, *lines: str) -> Harm:
    return lambda root: sets.text(root / name, *lines)


def gone(name: str) -> Harm:
    return lambda root: (root / name).rename(root.parent / "elsewhere")


def harmed(root: Path, name: str, harm: Harm) -> str:
    """Build a set of `tiny_sets`, harm it and give the name of its reader."""
    getattr(sets, name)(root)
    harm(root)
    return READER.get(name, name)


READER = {
    "affectnet_sets": "affectnet",
    "split_folders": "folders",
    "fer2013_folders": "fer2013-folders",
}
FRAMES = "CK+/Cohn-Kanade-Images"
EMOTION = "Emotion_labels/Emotion/S005/001/S005_001_00000005_emotion.txt"
IEFDB, PICTURES = "ImageDescriptionWEmotions.csv", "PicNum,IntendedExpression"
RAF = "basic/EmoLabel/list_patition_label.txt"
EXPW = "label/label.lst"
AFFECT = (
    "training.csv",
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression",
)
ANNOTATION = "train_set/annotations/12_exp.npy"
MANIFEST = ("manifest.csv", "path,label")


@pytest.mark.parametrize(
    ("name", "harm", "said"),
    [
        ("jaffe", extra("KA.XX1.39.png"), r"KA\.XX1\.39\.png: expected one of AN, .*'XX'"),
        ("jaffe", extra("eyes.KA.AN1.39.png"), r"one id 'KA\.AN1\.39': .*39\.tiff and .*eyes\."),
        ("kdef", extra("AM31XXS.JPG"), "found 'XX'"),
        ("folders", extra("loose.png"), r"loose\.png is in no class folder"),
        ("folders", extra("bored/1.png"), "bored: expected one of neutral.*'bored'"),
        ("folders", extra("mine/train/happy/1.png"), "mine is no class folder, but holds some"),
        ("folders", extra("mine/happy/1.png"), "mine is no class folder, but holds some"),
        ("folders", lambda root: (root / "Sad").mkdir(), "class 'Sad' has no pictures: .*Sad"),
        ("split_folders", extra("happy/1.png"), "happy stands beside folders of splits"),
        ("fer2013_folders", extra("test/contempt/1.jpg"), r"1\.jpg: expected one of .*'contempt'"),
        ("ckplus", extra(f"{FRAMES}/S005/x.png"), r"x\.png: expected a name like S005_001"),
        (
            "ckplus",
            extra(f"{FRAMES}/S005_001_00000005.jpg"),
            "one id: .*png and .*jpg",
        ),
        ("ckplus", text(EMOTION, "8.0"), r"emotion\.txt: expected one of 0, .*found '8'"),
        ("ckplus", text(EMOTION, "happy"), r"emotion\.txt: expected 1 numbers a line"),
        ("ckplus", text(EMOTION, "3", "3"), r"emotion\.txt: .*found '2 numbers'"),
        ("ckplus", text(EMOTION.replace("0005", "0004"), "3"), "second file of its sequence"),
        ("ckplus", text(EMOTION.replace("_001_", "_007_"), "3"), "no frames of .* S005_007"),
        ("ckplus", text(EMOTION.replace("S005_", "S999_"), "3"), "more than 1 frames, found 1"),
        ("ckplus", gone("Emotion_labels"), "no folder Emotion .*on request"),
        ("ckplus", gone("CK+"), "no folder cohn-kanade-images .*on request"),
        ("ckplus48", extra("CK+48/happy/a.png"), r"a\.png: expected a name like S005"),
        ("ckplus48", extra("CK+48/neutral/S010_007_00000001.png"), "found 'neutral'"),
        ("iefdb", text(IEFDB, PICTURES, "1,bored"), r"Emotions\.csv, line 2: .*'bored'"),
        ("iefdb", text(IEFDB, PICTURES, "3,sad"), "line 2: expected one picture .*'3', found none"),
        ("iefdb", text(IEFDB, PICTURES, "1,sad", "1,sad"), "two files of one id '1'"),
        ("iefdb", text(IEFDB, "PicNum,Shown", "1,sad"), "no column IntendedExpression"),
        ("iefdb", text(IEFDB, PICTURES, "1,sad,x"), "line 2: expected 2 values, found 3"),
        ("iefdb", extra("copy/1.png"), r"named '1', found 2: .*1\.jpg and .*1\.png"),
        ("iefdb", gone("Original"), r"no pictures under .*osf\.io"),
        (
            "legend",
            text("data/legend.csv", "image,emotion", "b.jpg,joy", "b.jpg,sad"),
            "line 3: 'b",
        ),
        ("legend", text("data/legend.csv", "image,emotion", "c.jpg,joy"), "line 2: .*found none"),
        ("rafdb", text(RAF, "train_00001.jpg 0"), "line 1: expected one of 1, .*'0'"),
        ("rafdb", text(RAF, "face.jpg 1"), "line 1: expected a line like"),
        ("rafdb", text(RAF, "train_00001.jpg"), "line 1: expected a line like"),
        ("rafdb", text(RAF, "train_00007.jpg 1"), "'train_00007_aligned', found none"),
        ("rafdb", gone("basic/Image/aligned"), "no folder aligned"),
        ("affectnet", gone("Manually_Annotated_Images/1/b.png"), r"training\.csv, line 3: no pic"),
        ("affectnet", gone("Manually_Annotated_Images"), "no folder Manually_Annotated_Images"),
        ("affectnet", text(*AFFECT, "1/b.png,1,2,3,4,5,11"), "line 2: .*'11'"),
        ("affectnet", text(*AFFECT, "1/b.png,1,2,3,x,5,1"), "line 2: .*'x'"),
        ("affectnet_sets", text(ANNOTATION, "no array"), "cannot read .*12_exp"),
        ("affectnet_sets", gone("train_set/images/12.jpg"), r"12_exp\.npy: expected one picture"),
        ("expw", text(EXPW, "b.jpg 0 1 2 3 4 8"), "line 1: expected name, face"),
        ("expw", text(EXPW, "b.jpg 0 1 2 3 4 8 7"), "line 1: expected one of 0.*'7'"),
        ("expw", text(EXPW, "c.jpg 0 1 2 3 4 8 6"), "line 1: expected one picture"),
        ("expw", text(EXPW, *["b.jpg 0 1 2 3 4 8 6"] * 2), "two files of one id 'b.jpg#0'"),
        ("expw", gone("image"), "no pictures"),
        ("manifest", text(*MANIFEST, "x.png,sad"), "line 2: no picture"),
        ("manifest", text(*MANIFEST, "pictures/b.png,3"), "line 2: .*'3'.*option `labels`"),
        ("manifest", text("manifest.csv", "path", "x.png"), "no column label"),
        ("manifest", text(*MANIFEST), "found none"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, harm: Harm, said: str) -> None:
    root = tmp_path / "Gesichter äöü 顔"
    reader = harmed(root, name, harm)
    with pytest.raises(DataError, match=said):
        read(reader, root)


@pytest.mark.parametrize(
    ("name", "picture", "example"),
    [("jaffe", "KA/face.png", "KA.AN1.39.tiff"), ("kdef", "AM31H.JPG", "AF01ANS.JPG")],
)
def test_pictures_of_other_sets_are_passed_over_and_counted(
    tmp_path: Path, name: str, picture: str, example: str
) -> None:
    sets.photos(tmp_path, picture)
    with pytest.raises(DataError, match=f"{picture}: expected a name like {example}"):
        read(name, tmp_path)
    getattr(sets, name)(tmp_path)
    found = read(name, tmp_path)
    assert isinstance(found, Listing) and found.passed_over == 1
    assert not [path for path in found.paths.tolist() if path.endswith(picture)]


def test_a_flag_is_read_however_it_is_written() -> None:
    for text, value in (("True", True), (" NO", False)):
        assert checked("ckplus", {"neutral": text}) == {"neutral": value}


def test_an_option_is_named_only_where_there_is_one(tmp_path: Path) -> None:
    for name in ("folders", "fer2013_folders", "ckplus48", "iefdb", "legend", "manifest"):
        root = tmp_path / name
        getattr(sets, name)(root)
        for path in (root / "Angry", root / "train/angry", root / "CK+48/happy"):
            if path.is_dir():
                path.rename(path.with_name("bored"))
        for table in (*root.rglob("*.csv"),):
            text = table.read_text("utf-8-sig")
            for word in ("angry", "HAPPINESS", "sad"):
                text = text.replace(word, "bored")
            table.write_text(text)
        options = {"path": "file", "label": "shown"} if name == "manifest" else {}
        with pytest.raises(DataError, match="found 'bored'; correct it") as raised:
            read(READER.get(name, name), root, **options)
        assert ("`labels`" in str(raised.value)) == (name in ("folders", "manifest"))


@pytest.mark.parametrize(
    ("name", "harm", "options", "said"),
    [
        ("ckplus", extra(), {"landmarks": True}, r"no S005_002_00000003_landmarks\.txt"),
        ("affectnet", text(*AFFECT, "1/b.png,1,2,3,4,5;6,1"), {"landmarks": "yes"}, "found 2 num"),
        ("affectnet_sets", gone("train_set/annotations/12_lnd.npy"), {"landmarks": 1}, "12_lnd"),
        ("folders", extra("3/d.png"), {"labels": {"angry": "anger"}}, "one of angry, found '3'"),
    ],
)
def test_what_only_an_option_asks_for_is_named(
    tmp_path: Path, name: str, harm: Harm, options: dict[str, Any], said: str
) -> None:
    reader = harmed(tmp_path / "set", name, harm)
    with pytest.raises(DataError, match=said):
        read(reader, tmp_path / "set", **options)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("ckplus", {"peaks": 4}, "peaks must be 1, 2 or 3, got 4"),
        ("ckplus", {"peaks": "many"}, "cannot read the option peaks='many'"),
        ("ckplus", {"neutral": "perhaps"}, "option neutral='perhaps' .* expected yes or no, true"),
        ("ckplus48", {"peaks": 0}, "peaks must be"),
        ("affectnet", {"classes": 6}, "classes must be 7 or 8"),
        ("rafdb", {"images": "alined"}, "did you mean 'aligned'"),
        ("kdef", {"angles": "S,left"}, "unknown angle 'left'"),
        ("folders", {"labels": "0=boredom"}, "labels must map to expressions .*'boredom'"),
        ("folders", {"labels": "0"}, "cannot read the option labels"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    tmp_path: Path, name: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        read(name, tmp_path, **options)
