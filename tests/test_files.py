"""Files are written whole or not at all, and what cannot be written is known before."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from mien import files
from mien.errors import DataError, OutputError, UsageError


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    files.write(target, "ä")
    files.write(target, b"b")
    assert target.read_bytes() == b"b" and list(target.parent.iterdir()) == [target]


def test_names_that_are_taken_are_numbered() -> None:
    taken: set[str] = set()
    names = [files.numbered(name, taken) for name in ("a", "a-2", "A", "a", "b")]
    assert names == ["a", "a-2", "A-3", "a-4", "b"]


def test_what_is_stopped_leaves_the_old_file(tmp_path: Path) -> None:
    files.write(tmp_path / "a", "old")
    with pytest.raises(KeyboardInterrupt), files.replacing(tmp_path / "a") as temporary:
        temporary.write_text("ne")
        raise KeyboardInterrupt
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="told by /proc")
def test_what_killed_processes_left_of_a_file_is_removed(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    here = files.unfinished(tmp_path / "a").name.split(".")[2]
    left = [tmp_path / f".a.csv.{here}.{killed.pid}.{thread}.part" for thread in (7, 8)]
    kept = [
        tmp_path / f".a.csv.{here}.{os.getpid()}.7.part",
        tmp_path / f".a.csv.{here}.{os.getppid()}.7.part",
        tmp_path / f".a.csv.{here}.{10**30}.7.part",
        tmp_path / f".a.csv.0123abcd.{killed.pid}.7.part",  # of another machine
        tmp_path / f".b.csv.{here}.{killed.pid}.7.part",
        tmp_path / f".a.csv.{here}.{killed.pid}.7.mp4",
        tmp_path / ".a.csv.part",
    ]
    for path in (*left, *kept):
        path.write_text("half")
    left[0].unlink()
    (left[0] / "inside").mkdir(parents=True)
    files._unfinished_in.cache_clear()  # as in a new process
    files.write(tmp_path / "a.csv", "whole")
    assert {*tmp_path.iterdir()} == {*kept, tmp_path / "a.csv"}
    assert files.unfinished(tmp_path / "a.csv", ".mp4").suffix == ".mp4"
    assert not kept[5].exists()


def test_a_new_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    with files.new_folder(tmp_path / "new") as part:
        (part / "a").write_text("all of it")
        assert not (tmp_path / "new").exists()
    assert [*(tmp_path / "new").iterdir()] == [tmp_path / "new" / "a"]
    with pytest.raises(KeyboardInterrupt), files.new_folder(tmp_path / "other") as part:
        raise KeyboardInterrupt
    assert [*tmp_path.iterdir()] == [tmp_path / "new"]


def interrupted_at(step: int, work: Callable[[], object]) -> bool:
    """Let Ctrl-C come at a call or return of the work, counted from 0; tell whether it did."""
    left = step

    def profile(_frame: object, _event: str, what: object) -> None:
        nonlocal left
        left -= 1
        if left < 0 and what is not sys.setprofile:
            raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


def test_ctrl_c_leaves_no_file_open_wherever_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    path, log = tmp_path / "a", tmp_path / "log"

    def work() -> None:
        files.write(path, "new")
        with files.opened(log, "a", encoding="utf-8") as file:
            file.write("line\n")
        with files.opened(log, "r", encoding="utf-8") as file:
            file.read()

    for step in count():
        files.write(path, "old")
        came = interrupted_at(step, work)
        assert path.read_text() in ("old", "new")
        assert {one.name for one in tmp_path.iterdir()} <= {"a", "log"}
        if not came:
            break
    assert step > 50
    assert not complaints, complaints[0]
    assert set(log.read_text().splitlines()) == {"line"}


def test_what_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*/file/a: File exists"):
        files.write(tmp_path / "file" / "a", "")
    with pytest.raises(OutputError, match=r"cannot write .*: Not a directory"):
        files.check_file(tmp_path / "file" / "deep" / "a")
    with pytest.raises(OutputError, match=r"cannot write .*: Not a directory"):
        files.check_folder(tmp_path / "file")
    with pytest.raises(OutputError, match="it is there and no file"):
        files.check_file(tmp_path)
    files.check_file(tmp_path / "file")
    files.check_file(tmp_path / "new" / "a")
    files.check_folder(tmp_path / "new" / "er")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_of_other_work_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new" / "plan.json"
    plan = {"run": "a", "folds": (1, 2)}
    for _ in range(2):
        files.keep_plan(path, plan, "{run}")
    with pytest.raises(UsageError, match=r"new holds a with other settings \(more, run differ\)"):
        files.keep_plan(path, {**plan, "run": "b", "more": 1}, "{run}")
    for text, said in (("{", "cannot read"), ("[]", "must hold an object, found list")):
        path.write_text(text)
        with pytest.raises(DataError, match=f"{said}.*; name another --out folder"):
            files.keep_plan(path, plan, "{run}")


def test_a_file_is_written_by_one_process_at_a_time(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = tmp_path / "a"
    with path.open("ab") as one, path.open("ab") as other:
        files.lock(one, path)
        with pytest.raises(OutputError, match=r"another process is writing .*/a; wait for it"):
            files.lock(other, path)
    with path.open("ab") as other:
        files.lock(other, path)


def test_a_file_system_without_locks_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with (tmp_path / "a").open("ab") as file:
        assert not files.lock(file, "a")


def test_a_place_that_may_not_be_looked_at_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refused)
    with pytest.raises(OutputError, match=r"cannot write .*a: Permission denied"):
        files.check_file(tmp_path / "closed" / "a")
