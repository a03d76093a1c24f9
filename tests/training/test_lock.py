import os
import subprocess
import sys
from pathlib import Path

import pytest

from mien.errors import OutputError
from mien.training import loop
from mien.training.lock import locked
from tiny_training import TINY, BrightOrDark


def test_a_second_run_in_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(str(os.getppid()))
    with pytest.raises(OutputError, match=f"another run, process {os.getppid()}, works in"):
        loop.train(TINY, BrightOrDark(), tmp_path, quiet=True)
    assert (tmp_path / "lock").exists()


@pytest.mark.parametrize("owner", ["gone", "our own", "half written"])
def test_a_lock_that_nobody_holds_is_taken_over(tmp_path: Path, owner: str) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    known = {"gone": str(ended.pid), "our own": str(os.getpid()), "half written": ""}
    (tmp_path / "lock").write_text(known[owner])
    (tmp_path / ".last.safetensors.7.8.part").write_text("half")
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
        with locked(tmp_path / "." / ""):  # a part of the same run
            pass
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write into .*file"), locked(tmp_path / "file"):
        pass
