"""Results appear whole or not at all."""

import errno
from pathlib import Path

import pytest

from mien.cli._streams import result_stream, writing
from mien.errors import OutputError


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "faces.csv"
    with result_stream(target) as stream:
        stream.write("a\n")
        assert not target.exists()
    assert target.read_text() == "a\n"
    assert list(tmp_path.iterdir()) == [target]


def test_a_name_that_is_no_utf_8_is_escaped(tmp_path: Path) -> None:
    with result_stream(tmp_path / "faces.csv") as stream:
        stream.write("caf\udce9.png")
    assert (tmp_path / "faces.csv").read_text() == r"caf\udce9.png"


def test_an_old_file_stays_when_writing_stops(tmp_path: Path) -> None:
    target = tmp_path / "faces.csv"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), result_stream(target) as stream:
        stream.write("new")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    with result_stream(tmp_path / "link.csv") as stream:
        stream.write("new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    with result_stream(Path("/dev/null")) as stream:
        stream.write("a")
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_named() -> None:
    with pytest.raises(OutputError, match="cannot write /dev/full: No space left on device"):
        with result_stream(Path("/dev/full")) as stream:
            stream.write("a")


@pytest.mark.parametrize("place", ["", "missing/faces.csv", "file/faces.csv"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"), result_stream(tmp_path / place):
        pytest.fail("nothing should be written")


def test_a_broken_pipe_is_no_error_of_ours() -> None:
    with pytest.raises(BrokenPipeError), writing("standard output"):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_without_a_file_results_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with result_stream(None) as stream:
        stream.write("a\n")
    assert capsys.readouterr().out == "a\n"
