import os
import stat
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from mien.errors import DataError, OutputError
from mien.training import checkpoint


def test_groups_and_state_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    groups = {"network": {"w": torch.randn(2, 3), "steps": torch.tensor(4)}, "empty/not": {}}
    checkpoint.save(path, groups, {"epoch": 3, "best": 0.5})
    loaded, state = checkpoint.load(path)
    torch.testing.assert_close(loaded["network"], groups["network"], atol=0, rtol=0)
    assert state == {"epoch": 3, "best": 0.5}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), SafetensorError("No space left (os error 28)")],
)
def test_a_full_disk_leaves_the_old_checkpoint(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    checkpoint.save(path, {"network": {"w": torch.ones(1)}}, {"epoch": 1})

    def full(_: object, part: Path, **__: object) -> None:
        part.write_bytes(b"half")
        raise error

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OutputError, match=r"No space left.*the old one is intact"):
        checkpoint.save(path, {"network": {"w": torch.zeros(1)}}, {"epoch": 2})
    assert checkpoint.load(path)[1] == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_is_on_the_disk_before_it_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, rename = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def renamed(old: Path, new: Path) -> None:
        done.append("name")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    checkpoint.save(tmp_path / "a.safetensors", {"network": {"w": torch.ones(1)}}, {})
    assert done == ["file", "name", "folder"]


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint at all", b"\x08\0\0\0\0\0\0\0{}      "]
)
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.safetensors .*; bring a whole copy back"):
        checkpoint.load(path)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(DataError, match="another network"):
        checkpoint.copy_into(torch.nn.Linear(2, 2), {"weight": torch.zeros(3, 3)}, "best")
