import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mien.errors import OutputError
from mien.training import loop
from mien.training.lock import locked
from tiny_runs import another_run
from tiny_training import TINY, BrightOrDark


@pytest.mark.parametrize("number", [None, "", "1", str(os.getpid())])
def test_a_second_run_in_a_folder_is_refused(tmp_path: Path, number: str | None) -> None:
    with another_run(tmp_path) as process:
        if number is not None:  # as it counts in another container, or half written
            (tmp_path / "lock").write_text(number)
        owner = process if number is None else number
        with pytest.raises(OutputError, match=f"another run, process {owner}, works in"):
            loop.train(TINY, BrightOrDark(), tmp_path, quiet=True)
        assert (tmp_path / "lock").exists()
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("owner", ["gone", "our own", "half written", "of another since"])
def test_a_lock_that_nobody_holds_is_taken_over(tmp_path: Path, owner: str) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    known = {"gone": str(ended.pid), "our own": str(os.getpid()), "half written": ""}
    (tmp_path / "lock").write_text(known.get(owner, str(os.getppid())))
    (tmp_path / ".last.safetensors.7.8.part").write_text("half")
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
        with locked(tmp_path / "." / ""):  # a part of the same run
            pass
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    assert not [*tmp_path.iterdir()]


def test_where_a_disk_has_no_locks_the_number_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(file: object, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", none)
    (tmp_path / "lock").write_text(str(os.getppid()))
    with pytest.raises(OutputError, match=r"works in .*if no such run is left, remove"):
        locked(tmp_path).__enter__()
    (tmp_path / "lock").write_text(str(os.getpid()))
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
    assert not [*tmp_path.iterdir()]


def test_where_a_disk_has_no_locks_a_run_that_began_just_now_is_not_disturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.files.lock", lambda file, path: False)
    monkeypatch.setattr(Path, "unlink", lambda path, **_: path.touch())  # by the other run
    with pytest.raises(OutputError, match=r"another run, process that began just now, works in"):
        locked(tmp_path).__enter__()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write into .*file"), locked(tmp_path / "file"):
        pass
