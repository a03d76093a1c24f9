"""Many photographs: work that was stopped goes on, parts for several machines, tables."""

import csv
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from mien import images
from mien.cli._journal import Journal
from mien.errors import OutputError, UsageError
from mien.recognizer import Recognizer

SLOWLY = """
import time
from mien.cli._journal import Journal
add = Journal.add
def slowly(*entry):
    add(*entry)
    print(".", flush=True)
    time.sleep(0.1)
Journal.add = slowly
"""


def grow(folder: Path, *names: str) -> None:
    for name in names:
        images.write(folder / name, np.full((48, 48), len(name) + ord(name[0]), np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve photographs."""
    made = tmp_path / "many"
    made.mkdir()
    grow(made, *(f"{letter}.png" for letter in "bdfhjlnprtvx"))
    return made


@contextmanager
def killed(behind: int) -> Iterator[None]:
    """Let a work die behind so many photographs."""
    left, add = iter(range(behind)), Journal.add

    def dying(journal: Journal, entry: dict) -> None:
        if next(left, None) is None:
            raise RuntimeError("killed")
        add(journal, entry)

    with pytest.MonkeyPatch.context() as patched, pytest.raises(RuntimeError, match="killed"):
        patched.setattr(Journal, "add", dying)
        yield


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the photographs that are read."""
    names: list[str] = []
    at_once = Recognizer.__call__

    def counted(self: Recognizer, source: Path) -> object:
        names.append(source.name)
        return at_once(self, source)

    monkeypatch.setattr(Recognizer, "__call__", counted)
    return names


def sources(path: Path) -> list[str]:
    return [Path(json.loads(line)["source"]).name for line in path.read_text().splitlines()]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_work_goes_on_and_reads_nothing_twice(
    stop: signal.Signals,
    start: Callable[..., subprocess.Popen[str]],
    predict: Callable,
    folder: Path,
    tmp_path: Path,
    expression_path: Path,
    reads: list[str],
) -> None:
    out = tmp_path / "faces.jsonl"
    words = (folder, "--out", out, "--draw", tmp_path / "drawn", "--jobs", "2")
    more = ("--model", expression_path, "--detector", "whole")
    process = start("predict", *words, *more, first=SLOWLY)
    for _ in range(3):
        assert process.stdout
        process.stdout.readline()
    process.send_signal(stop)
    process.communicate()
    entries = (tmp_path / ".faces.jsonl.part").read_text().splitlines()[1:]
    before = {Path(json.loads(line)["source"]).name for line in entries}
    assert 3 <= len(before) < 12 and not out.exists()
    grow(folder, "a.png", "m.png")
    (folder / "b.png").touch()  # was changed
    done = predict(*words)
    assert f"going on: {len(before)} of 14 photographs had been read" in done.err
    names = sorted(path.name for path in folder.iterdir())
    assert sorted(reads) == sorted({*names} - before | {"b.png"})
    assert sources(out) == names == sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert not list(tmp_path.glob(".*"))


def test_what_was_gone_on_with_is_what_is_read_at_once(
    predict: Callable, folder: Path, tmp_path: Path
) -> None:
    (folder / "c.png").write_text("no picture")
    words = (folder, "--jobs", "1", "--points")
    for name in ("whole.csv", "faces.csv"):
        if name == "faces.csv":
            with killed(behind=4):
                predict(*words, "--out", tmp_path / name)
        assert predict(*words, "--out", tmp_path / name).code == 3
    assert (tmp_path / "faces.csv").read_text() == (tmp_path / "whole.csv").read_text()


def test_a_stopped_work_whose_copies_lie_among_its_photographs_goes_on(
    predict: Callable, folder: Path, tmp_path: Path
) -> None:
    words = (folder, "--jobs", "1", "--draw", folder / "0", "--out", tmp_path / "faces.jsonl")
    before = sorted(path.name for path in folder.iterdir())
    with killed(behind=4):  # and a fifth copy
        predict(*words)
    done = predict(*words)
    assert done.code == 0 and "going on: 4 of 12 photographs" in done.err
    assert sources(tmp_path / "faces.jsonl") == before
    assert sorted(path.name for path in (folder / "0").iterdir()) == before


@pytest.mark.parametrize(
    ("option", "named"),
    [
        (("--labels", "fer2013"), "labels"),
        (("--draw", "drawn"), "draw"),
        (("--shard", "1/2"), "shard"),
    ],
)
def test_unfinished_work_of_another_kind_is_not_gone_on_with(
    predict: Callable,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with killed(behind=4):
        predict(folder, "--out", "faces.csv")
    done = predict(folder, "--out", "faces.csv", *option)
    assert done.code == OutputError.exit_code and f": {named} differ" in done.err


def test_a_full_disk_is_told_and_what_was_kept_before_is_whole(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    out = tmp_path / "faces.csv"
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        told = pytest.raises(OutputError, match=r"cannot write .*faces.csv.part: ")
        with told, Journal(out, {}) as journal:
            for number in range(100):
                journal.add({"number": number, "more": "." * 100})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with Journal(out, {}) as journal:
        found = [entry["number"] for _, entry in journal.entries()]
    assert found == list(range(len(found))) and 20 < len(found) < 40
    with (tmp_path / ".faces.csv.part").open("ab") as file:
        file.write(b"\0\0\0\0\n")  # as a machine that loses its power may leave it
    with pytest.raises(OutputError, match="is damaged; remove it"), Journal(out, {}):
        pass


def test_unfinished_work_on_other_photographs_is_not_lost(
    predict: Callable, folder: Path, photographs: Path, tmp_path: Path
) -> None:
    with killed(behind=4):
        predict(folder, "--out", tmp_path / "faces.csv")
    done = predict(photographs, "--out", tmp_path / "faces.csv")
    assert done.code == OutputError.exit_code and "on other photographs, as" in done.err
    assert predict(folder, photographs, "--out", tmp_path / "faces.csv").code == 0


def test_shards_together_are_the_whole(predict: Callable, folder: Path, tmp_path: Path) -> None:
    parts = [tmp_path / f"{number}.jsonl" for number in (1, 2, 3)]
    for number, part in enumerate(parts, start=1):
        assert predict(folder, "--shard", f"{number}/3", "--out", part).code == 0
    found = [source for part in parts for source in sources(part)]
    assert sorted(found) == sorted(path.name for path in folder.iterdir())
    assert predict(folder / "b.png", "--shard", "1/1").out
    empty = [predict(folder / "b.png", "--shard", f"{n}/2", "--format", "csv") for n in (1, 2)]
    assert sorted(done.out.count("\n") for done in empty) == [1, 2]
    for wrong in ("0/2", "3/2", "2", "a/b"):
        assert predict(folder, "--shard", wrong).code == UsageError.exit_code


def test_copies_of_all_shards_fit_one_folder(
    predict: Callable, folder: Path, tmp_path: Path
) -> None:
    for number in range(6):
        (folder / str(number)).mkdir()
        grow(folder / str(number), "same.png")
    for shard in ("1/2", "2/2"):
        assert predict(folder, "--shard", shard, "--draw", tmp_path / "drawn").code == 0
    assert len(list((tmp_path / "drawn").iterdir())) == 12 + 6


def test_parquet_holds_what_csv_holds(predict: Callable, folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (folder / "c.png").write_text("no picture")
    for name in ("faces.csv", "faces.parquet"):
        predict(folder, "--out", tmp_path / name, "--points", "--draw", tmp_path / "drawn")
    table = parquet.read_table(tmp_path / "faces.parquet")
    with (tmp_path / "faces.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table.column_names == list(rows[0])
    assert [str(value).lower() for value in table["certain"].to_pylist()] == [
        row["certain"] or "none" for row in rows
    ]
    assert table["error"].null_count == 12 and table["point67_y"].null_count == 1


def test_a_table_names_photographs_and_the_boxes_of_their_faces(
    tiny_weights: None, mien: Callable, portrait_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.png").symlink_to(portrait_path)
    (tmp_path / "b.png").symlink_to(portrait_path)
    rows = ["b.png,180,60,270,180", "a.png,,,,", "b.png,100,300,200,420", "gone.png,0,0,9,9"]
    table = tmp_path / "boxes.csv"
    table.write_text("\n".join(["path,box_x0,box_y0,box_x1,box_y1", *rows]) + "\n")
    done = mien("predict", table, "--format", "jsonl")
    assert done.code == 3
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [Path(one["source"]).name for one in found] == ["b.png", "b.png", "a.png", "gone.png"]
    assert [one.get("box_xyxy") for one in found[:2]] == [[180, 60, 270, 180], [100, 300, 200, 420]]
    assert found[2]["faces"] == 0 and "error" in found[3]
    expected = Recognizer(landmarks=None).at(portrait_path, [(180, 60, 270, 180)])[0]
    assert found[0]["probabilities"] == expected.to_dict()["probabilities"]
    for row, said in (("a.png,9,9,5,20", "line 2: expected box_x0"), ("a.png,1", "5 values")):
        table.write_text(f"path,box_x0,box_y0,box_x1,box_y1\n{row}\n")
        done = mien("predict", table)
        assert done.code == 4 and said in done.err
    done = mien("predict", table, tmp_path)
    assert done.code == UsageError.exit_code and f"got {table} among 2 paths" in done.err
    table.write_text("path,box_x0,box_y0,box_x1,box_y1\n")
    assert f"{table} has no rows" in mien("predict", table).err


def test_a_table_of_boxes_is_never_written_over_and_a_box_outside_is_told_with_its_photograph(
    tiny_weights: None, mien: Callable, portrait_path: Path, tmp_path: Path
) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text(f"path,box_x0,box_y0,box_x1,box_y1\n{portrait_path},9000,60,9100,180\n")
    done = mien("predict", table, "--out", table)
    assert done.code == UsageError.exit_code and "would overwrite what is read" in done.err
    assert (
        f"{portrait_path}: the box 9000, 60, 9100, 180 lies outside" in mien("predict", table).err
    )


def test_copies_of_photographs_whose_names_are_no_text_can_be_drawn(
    predict: Callable, folder: Path, tmp_path: Path
) -> None:
    name = os.fsdecode(b"n\xff.png")
    try:
        grow(folder, name)
    except OSError:
        pytest.skip("this file system takes only names that are text")
    assert predict(folder / name, "--draw", tmp_path / "drawn").code == 0
    assert (tmp_path / "drawn" / name).is_file()


def test_other_boxes_are_read_anew(
    tiny_weights: None, mien: Callable, portrait_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.png").symlink_to(portrait_path)
    table, out = tmp_path / "boxes.csv", tmp_path / "faces.jsonl"
    for box in ("180,60,270,180", "100,300,200,420"):
        table.write_text(f"path,box_x0,box_y0,box_x1,box_y1\na.png,{box}\n")
        with pytest.MonkeyPatch.context() as patched:
            if box.startswith("180"):  # stopped behind the last
                patched.setattr(Journal, "discard", lambda journal: None)
            assert mien("predict", table, "--out", out).code == 0
    assert json.loads(out.read_text())["box_xyxy"] == [100, 300, 200, 420]
