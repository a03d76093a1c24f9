"""`mien data`: the group as a whole, and what its commands print and write."""

import csv
import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.test_table import same
from mien import __version__, images
from mien.cli import data as group
from mien.data.readers import READERS
from mien.data.table import FaceTable
from mien.preparation import presets
from tiny_fer import tiny_fer

COMMANDS = sorted(command.__name__ for command in group.EXAMPLES)
SLOW = """
import time
from mien.data import crops
crops.BLOCK = 8
at_once = crops.Cutter.__call__
def slow(self, *given):
    time.sleep(0.02)
    return at_once(self, *given)
crops.Cutter.__call__ = slow
"""


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A class-folder tree in which one file is no image and one class has nothing else."""
    rng = np.random.default_rng(0)
    for name, count in (("happy", 5), ("sad", 3), ("fear", 1)):
        folder = tmp_path / "set" / name
        folder.mkdir(parents=True)
        for at in range(count):
            images.write(folder / f"{at}.png", rng.integers(0, 256, (40, 40), dtype=np.uint8))
    (tmp_path / "set" / "sad" / "1.png").write_text("no image")
    (tmp_path / "set" / "fear" / "0.png").write_text("no image")
    return tmp_path / "set"


@pytest.fixture
def prepare(mien: Callable, tiny_weights: None, tmp_path: Path) -> Callable:
    """Prepare a class-folder tree whose images are faces already."""

    def run(root: Path, *words: str | Path, out: Path = tmp_path / "table") -> object:
        given = ["--dataset", "folders", "--root", root, "--out", out, "--detector", "whole"]
        return mien("data", "prepare", *given, *words)

    return run


def test_the_group_has_its_commands() -> None:
    assert {"list", "info", "prepare", "export", "rights"} <= set(COMMANDS)
    files = {path.stem for path in Path(group.__file__).parent.glob("[a-z]*.py")}
    assert files == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_the_version(name: str, mien: Callable) -> None:
    done = mien("data", name, "--help")
    assert done.code == 0
    assert re.search(rf"^  Examples:\n    mien data {name}\b", done.out, re.M)
    assert "--quiet" in done.out and "--format" in done.out
    assert mien("data", name, "--version")[:2] == (0, f"mien {__version__}\n")


def test_the_group_tells_its_commands_and_a_typing_error(mien: Callable) -> None:
    shown = mien("data", "--help").out
    assert all(re.search(rf"^  {name} ", shown, re.M) for name in COMMANDS)
    wrong = mien("data", "prepar")
    assert wrong.code == 2 and "Did you mean 'prepare'?" in wrong.err


def test_list_names_every_set_with_layout_and_rights(mien: Callable) -> None:
    shown = mien("data", "list")
    assert shown.code == 0
    for reader in READERS.values():
        assert f"{reader.name}: {reader.title}; {reader.kind}" in shown.out
    assert "redistribution: forbidden" in shown.out
    listed = json.loads(mien("data", "list", "--format", "json").out)
    assert [one["name"] for one in listed] == [*READERS]
    assert all(one["layout"] and one["rights"]["source"] for one in listed)


def test_rights_tell_what_a_model_inherits(mien: Callable) -> None:
    words = ["data", "rights", "--dataset", "ferplus", "--dataset", "jaffe"]
    shown = mien(*words).out
    assert "a model trained on all of these" in shown and "zenodo.org" in shown
    told = json.loads(mien(*words, "--format", "json").out)
    assert [*told["sets"]] == ["ferplus", "jaffe"]
    assert told["inherited"]["commercial_training"] == "forbidden"
    assert json.loads(mien("data", "rights", "--format", "json").out)["inherited"] is None
    wrong = mien("data", "rights", "--dataset", "jafe")
    assert wrong.code == 2 and "did you mean 'jaffe'" in wrong.err


def test_info_counts_classes_by_split_and_draws_them(mien: Callable, tmp_path: Path) -> None:
    tiny_fer().write(tmp_path / "fer2013.csv")
    sheet = tmp_path / "sheet.png"
    words = ["data", "info", "--dataset", "fer2013", "--root", tmp_path]
    shown = mien(*words, "--sheet", sheet)
    assert shown.code == 0
    assert re.search(r"^ +train +public +private +all$", shown.out, re.M)
    told = json.loads(mien(*words, "--format", "json").out)
    assert (told["images"], told["unlabelled"], told["shape"]) == (12, 0, [48, 48])
    assert told["splits"] == {"train": 4, "public": 4, "private": 4}
    assert sum(sum(counts.values()) for counts in told["expressions"].values()) == 12
    assert images.read(sheet).ndim == 3


def test_info_reads_photographs_and_tables(
    mien: Callable, folders: Path, prepare: Callable, tmp_path: Path
) -> None:
    words = [
        "data",
        "info",
        "--dataset",
        "folders",
        "--root",
        folders,
        "--sheet",
        tmp_path / "s.png",
    ]
    told = json.loads(mien(*words, "--format", "json").out)
    assert told["kind"] == "photographs"
    assert told["expressions"]["sadness"] == {"": 3}
    assert (tmp_path / "s.png").is_file()
    prepare(folders)
    told = json.loads(mien("data", "info", "--table", tmp_path / "table", "--format", "json").out)
    assert (told["kind"], told["images"]) == ("faces", 7)


def test_pictures_passed_over_are_told(mien: Callable, tiny_weights: None, tmp_path: Path) -> None:
    for name in ("KA.AN1.39.png", "KA.HA1.40.png", "other.png"):
        pixels = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
        (tmp_path / "set").mkdir(exist_ok=True)
        images.write(tmp_path / "set" / name, pixels)
    words = ["--dataset", "jaffe", "--root", tmp_path / "set"]
    for command in ("info", "audit"):
        assert "1 pictures named unlike those of jaffe" in mien("data", command, *words).err
    words += ["--out", tmp_path / "table", "--preparation", "system0"]
    assert "; 1 pictures named unlike the set's" in mien("data", "prepare", *words).err
    summary = json.loads((tmp_path / "table" / "summary.json").read_text())
    assert (summary["images"], summary["rejected"], summary["passed_over"]) == (2, 0, 1)


def test_info_wants_one_set(mien: Callable, tmp_path: Path) -> None:
    assert mien("data", "info").code == 2
    assert mien("data", "info", "--dataset", "jaffe", "--table", tmp_path).code == 2
    assert "no" in mien("data", "info", "--dataset", "fer2013", "--root", tmp_path).err
    wrong = mien("data", "info", "--dataset", "jaffe", "--root", tmp_path, "--option", "x")
    assert wrong.code == 2 and "NAME=VALUE" in wrong.err


def test_a_table_takes_no_settings_of_a_reader(mien: Callable, tmp_path: Path) -> None:
    for command in ("info", "audit", "split"):
        words = ["data", command, "--table", tmp_path, "--option", "labels=0=anger"]
        words += ["--protocol", "hold-out", "--out", tmp_path / "a"] if command == "split" else []
        done = mien(*words)
        assert done.code == 2 and "takes no --option" in done.err


def test_prepare_counts_and_lists_what_it_leaves_out(
    prepare: Callable, folders: Path, tmp_path: Path
) -> None:
    done = prepare(folders)
    assert done.code == 0, done.err
    assert re.search(r"^sadness +3 +2 +1 +0 +33\.3%$", done.out, re.M)
    assert re.search(r"^all +9 +7 +2 +0 +22\.2%$", done.out, re.M)
    assert "no face of fear is left" in done.err and "rejected.csv" in done.err
    assert FaceTable.open(tmp_path / "table").images.shape == (7, 48, 48)
    with (tmp_path / "table" / "rejected.csv").open(newline="") as file:
        assert {row["expression"] for row in csv.DictReader(file)} == {"sadness", "fear"}
    summary = json.loads((tmp_path / "table" / "summary.json").read_text())
    assert summary["data_set"] == "folders" and summary["rights"]["licence"]
    again = prepare(folders)
    assert again.code == 6 and "exists; remove it" in again.err


def test_prepare_prints_json_and_takes_a_preparation_by_name(
    prepare: Callable, folders: Path, tmp_path: Path
) -> None:
    done = prepare(folders, "--preparation", "system0", "--format", "json", "--quiet")
    assert done.err == ""
    told = json.loads(done.out)
    assert told["preparation"]["size_hw"] == [128, 128]
    assert told["by_expression"]["fear"]["rejected"] == 1
    assert FaceTable.open(tmp_path / "table").images.shape == (7, 128, 128, 3)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--no-face", "error"], 4, "is not an image"),
        (["--no-face", "drop"], 2, "unknown no-face policy 'drop'"),
        (["--preparation", "system9"], 2, "unknown preparation 'system9'"),
        (["--detector", "hog"], 2, "unknown detector 'hog'"),
        (["--option", "colour=red"], 2, "unknown option of folders 'colour'"),
    ],
)
def test_prepare_names_what_is_wrong_and_leaves_nothing(
    words: list[str], code: int, said: str, prepare: Callable, folders: Path, tmp_path: Path
) -> None:
    done = prepare(folders, *words)
    assert done.code == code
    assert said in done.err and "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_export_writes_what_a_reader_reads_again(
    mien: Callable, prepare: Callable, folders: Path, tmp_path: Path
) -> None:
    prepare(folders)
    words = ["data", "export", "--table", tmp_path / "table", "--out", tmp_path / "faces"]
    done = mien(*words, "--layout", "class-folders")
    assert done.code == 0 and "7 faces written" in done.err
    table = FaceTable.open(tmp_path / "table")
    names = table.expression_names()
    assert len(list((tmp_path / "faces").glob("*/*.png"))) == 7
    prepare(tmp_path / "faces", out=tmp_path / "again")
    again = FaceTable.open(tmp_path / "again")
    order = np.argsort(names, kind="stable")
    assert sorted(again.expression_names()) == names[order].tolist()
    pixels = {image.tobytes() for image in table.images}
    assert {image.tobytes() for image in again.images} == pixels
    assert mien(*words).code == 6
    assert mien("data", "export", "--table", tmp_path, "--out", tmp_path / "x").code == 4


def test_join_makes_one_table_of_several(mien: Callable, prepare: Callable, folders: Path) -> None:
    one, other, out = (folders.parent / name for name in ("one", "other", "both"))
    prepare(folders, "--preparation", "system0", out=one)
    prepare(folders, "--preparation", "system0", out=other)
    done = mien("data", "join", one, other, "--out", out)
    assert done.code == 0 and "14 faces of 2 tables written" in done.err
    found = FaceTable.open(out)
    assert {name.split("/")[0] for name in found.source_id.tolist()} == {"one", "other"}
    first, both = (json.loads((path / "summary.json").read_text()) for path in (one, out))
    assert both["preparation"] == first["preparation"] and both["rights"] == first["rights"]
    assert both["joined"] == {"one": "folders", "other": "folders"}
    assert mien("data", "join", one, other, "--out", out).code == 6
    again = mien("data", "join", one, one, "--out", folders.parent / "x")
    assert again.code == 4 and "different names" in again.err
    told = mien("data", "join", one, "--out", folders.parent / "y", "--format", "json", "--quiet")
    assert json.loads(told.out)["faces"] == 7 and told.err == ""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_preparation_goes_on_where_it_was_stopped(
    how: signal.Signals, start: Callable, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for name in ("happy", "sad"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for at in range(60):
            image = rng.integers(0, 256, (30, 30), dtype=np.uint8)
            images.write(tmp_path / "set" / name / f"{at}.png", image)
    words = ["data", "prepare", "--dataset", "folders", "--root", tmp_path / "set"]
    words += ["--preparation", "system0", "--jobs", "2", "--out"]
    process = start(*words, tmp_path / "whole")
    assert process.wait(timeout=60) == 0, process.communicate()
    process.communicate()
    out, journal = tmp_path / "out", tmp_path / ".out.part" / "journal.jsonl"
    process = start(*words, out, first=SLOW)
    end = time.monotonic() + 60
    while not journal.is_file() or journal.read_text().count("\n") < 3:
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.01)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert not out.exists()
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "the same command goes on from here" in errors
    finished = journal.read_bytes()
    assert 3 <= finished.count(b"\n") < 15
    process = start(*words, out, "--format", "json")
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert json.loads(printed)["faces"] == 120
    assert same(FaceTable.open(out), FaceTable.open(tmp_path / "whole"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "set", "whole"]


def test_the_guide_knows_every_command_set_and_preparation(mien: Callable) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
    assert all(f"`mien data {name}`" in guide for name in COMMANDS)
    for reader in READERS.values():
        row = next(line for line in guide.splitlines() if line.startswith(f"| `{reader.name}` |"))
        assert all(f"`{option}`" in row for option in reader.options)
    for name, entry in presets().items():
        assert f"| `{name}` | `{entry.alias}` |" in guide
