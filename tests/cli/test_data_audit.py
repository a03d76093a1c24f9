"""`mien data audit` and `mien data split`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mien import images
from mien.data.splits import Splits
from tiny_fer import tiny_fer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A FER-2013 in which a private and a public face equal one of train."""
    faces = tiny_fer(per_split=6)
    faces.images[[7, -1]] = faces.images[0]
    folder = tmp_path / "set"
    faces.write(folder / "fer2013.csv")
    faces.write_votes(folder / "fer2013new.csv")
    return folder


@pytest.fixture
def data(mien: Callable, root: Path) -> Callable:
    def run(command: str, *words: str | Path) -> object:
        return mien("data", command, "--dataset", "fer2013", "--root", root, *words)

    return run


def test_the_json_counts_copies(data: Callable) -> None:
    done = data("audit", "--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["data_set"] == "fer2013" and found["faces"] == 18
    assert found["exact"]["private in train"] == 1 and found["exact"]["groups"] == 1
    assert found["exact"]["groups with conflicting labels"] == 1


def test_the_summary_is_for_people(data: Callable) -> None:
    done = data("audit", "--quiet")
    assert done.code == 0, done.err
    assert "private in train" in done.out and "blank images" in done.out
    assert "private: the winning expression has 100.0% of the votes on average" in done.out


def test_a_page_and_cleaned_splits_are_written(data: Callable, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    page, splits = tmp_path / "audit.html", tmp_path / "splits.json"
    done = data("audit", "--page", page, "--write-splits", splits)
    assert done.code == 0, done.err
    assert "6 train, 5 validation, 5 test" in done.err
    assert page.read_text().startswith("<!doctype html>")
    assert [len(part) for part in (Splits.open(splits).folds[0].test,)] == [5]


def test_the_answer_is_printed_whatever_becomes_of_the_files(
    data: Callable, tmp_path: Path
) -> None:
    splits = tmp_path / "splits.json"
    splits.write_text("{}")
    done = data("audit", "--write-splits", splits, "--page", tmp_path / "new" / "audit.html")
    assert done.code == 6 and "says otherwise" in done.err
    assert "private in train" in done.out
    (tmp_path / "file").write_text("")
    done = data("audit", "--page", tmp_path / "file" / "audit.html")
    assert done.code == 6 and "cannot write" in done.err and not done.out
    done = data("audit", "--page", tmp_path / "new" / "audit.html")
    assert done.code == 0 and (tmp_path / "new" / "audit.html").is_file()


def test_a_page_without_matplotlib_has_the_numbers(
    data: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    done = data("audit", "--page", tmp_path / "audit.html")
    assert done.code == 0, done.err
    assert "audit.html: the faces in question" in done.err
    text = (tmp_path / "audit.html").read_text()
    assert "No chart here" in text and "mean share of the winner" in text


def test_a_set_without_splits_is_not_cleaned_and_not_read_through(
    mien: Callable, tmp_path: Path
) -> None:
    faces = tiny_fer(per_split=6)
    for number, image in enumerate(faces.images[:6]):
        path = tmp_path / "set" / ("anger", "fear")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write(path, image)
    out = tmp_path / "splits.json"
    words = ("--dataset", "folders", "--root", tmp_path / "set", "--write-splits", out)
    done = mien("data", "audit", *words)
    assert done.code == 4 and "no splits to clean" in done.err and not out.exists()
    assert not done.out


def test_splits_are_written_with_their_words(data: Callable, tmp_path: Path) -> None:
    done = data("split", "--protocol", "hold-out", "--seed", "3", "--out", tmp_path / "a.json")
    assert done.code == 0, done.err
    assert done.out.startswith("hold-out, 1 fold, seed 3")
    assert Splits.open(tmp_path / "a.json").seed == 3


def test_the_json_of_splits_says_what_was_written(data: Callable, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    done = data("split", "--protocol", "official", "--out", out, "--format", "json")
    assert json.loads(done.out) == {
        "out": str(out),
        "description": "official, 1 fold",
        "ids_sha256": Splits.open(out).ids_sha256,
        "folds": {"official": {"train": 6, "validation": 6, "test": 6}},
    }


def test_what_cannot_be_split_ends_with_a_code(data: Callable, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    assert data("split", "--protocol", "by-subject", "--out", out).code == 4
    assert data("split", "--protocol", "random", "--out", out).code == 2
    assert not out.exists()


def test_a_table_is_audited_and_split_too(mien: Callable, root: Path, tmp_path: Path) -> None:
    from mien.data import readers

    readers.read("fer2013", root).save(tmp_path / "table")
    done = mien("data", "audit", "--table", tmp_path / "table", "--format", "json")
    assert json.loads(done.out)["exact"]["public in train"] == 1
    both = mien("data", "audit", "--table", tmp_path / "table", "--dataset", "fer2013")
    assert both.code == 2
