"""The names of annotated copies."""

from pathlib import Path

import pytest

from mien.cli._copies import copies
from mien.errors import OutputError, UsageError


def drawn(folder: Path, *sources: str | Path) -> list[Path]:
    return [copy for _, _, copy in copies(folder, ((Path(one), str(one)) for one in sources))]


def names(folder: Path, *sources: str) -> list[str]:
    return [copy.name for copy in drawn(folder, *sources)]


def test_a_copy_has_its_photographs_name(tmp_path: Path) -> None:
    assert names(tmp_path / "out", "a/x.jpg", "b/y.PNG") == ["x.jpg", "y.PNG"]


def test_equal_names_of_two_folders_do_not_collide(tmp_path: Path) -> None:
    found = names(tmp_path, "a/x.jpg", "b/x.jpg", "c/X.jpg", "d/x-2.jpg", "e/x.jpg")
    assert found == ["x.jpg", "x-2.jpg", "X-3.jpg", "x-2-2.jpg", "x-4.jpg"]


def test_names_are_the_same_every_time(tmp_path: Path) -> None:
    sources = ("a/x.jpg", "b/x.jpg", "c/x.jpg")
    assert names(tmp_path, *sources) == names(tmp_path, *sources) == ["x.jpg", "x-2.jpg", "x-3.jpg"]


def test_what_cannot_be_written_again_becomes_png(tmp_path: Path) -> None:
    assert names(tmp_path, "a.gif", "a.ppm", "a") == ["a.gif.png", "a.ppm.png", "a.png"]


def test_a_photograph_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match="overwrite the photograph"):
        drawn(tmp_path, tmp_path / "x.jpg")
    with pytest.raises(UsageError, match="overwrite the photograph"):
        drawn(tmp_path, "elsewhere/x.jpg", tmp_path / "x.jpg")


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*out"):
        drawn(tmp_path / "out", "x.jpg")
