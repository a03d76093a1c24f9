"""The program as a whole: help, version, what is mistyped, how it ends."""

import importlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mien import __version__
from mien.cli import _ending
from mien.errors import InputError

FOLDER = Path(__file__).parents[2] / "src" / "mien" / "cli"
COMMANDS = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def test_the_commands_are_those_expected() -> None:
    assert {"predict", "demo", "evaluate", "train", "models"} <= set(COMMANDS)


def test_the_help_lists_every_command(mien: Callable) -> None:
    done = mien("--help")
    assert done.code == 0
    assert all(re.search(rf"^  {name} ", done.out, re.M) for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, mien: Callable) -> None:
    done = mien(name, "--help")
    assert done.code == 0
    assert re.search(rf"^  Examples:\n    mien {name}\b", done.out, re.M)
    assert "--quiet" in done.out and "--version" in done.out


@pytest.mark.parametrize("words", [["--version"], *([name, "--version"] for name in COMMANDS)])
def test_the_version_is_printed(words: list[str], mien: Callable) -> None:
    assert mien(*words)[:2] == (0, f"mien {__version__}\n")


def test_the_package_runs_as_the_program_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mien", "predict", ""], capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.startswith("error: expected a path")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predct"], "No such command 'predct'. Did you mean 'predict'?"),
        (["predict", "a.jpg", "--modle", "x"], "--model"),
        (["predict"], "Missing argument"),
        (["predict", "a.jpg", "--format", "xml"], "'xml' is not one of"),
        (["predict", "a.jpg", "--jobs", "0"], "'--jobs'"),
    ],
)
def test_what_is_mistyped_is_named(words: list[str], message: str, mien: Callable) -> None:
    done = mien(*words)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_help_loads_nothing_that_only_the_work_needs(fresh_python: Callable[[str], str]) -> None:
    code = """
import sys
import mien
before = set(sys.modules)
from mien.cli import main
assert main(["predict", "--help"]) == 0
print("LOADED", *(set(sys.modules) - before))
"""
    # The help tells smoothing's half-life and how faces are shown, from modules that need no more
    # than what is there.
    told = {"mien.media", "mien.media.smoothing", "mien.images.obscuring"}
    loaded = sorted(set(fresh_python(code).rpartition("LOADED")[2].split()) - told)
    units = {name.split(".")[1] for name in loaded if name.startswith("mien.")}
    assert units <= {"cli", "progress"}
    assert not {"torch", "rich.table", "rich.console"} & set(loaded)


def ended(command: Callable[[], None]) -> int:
    import typer

    with pytest.raises(typer.Exit) as stopped:
        _ending.ends_well(command)()
    return stopped.value.exit_code


def test_an_error_is_one_line_and_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise InputError("no photograph\nat x.jpg")

    assert ended(command) == 3
    assert capsys.readouterr().err == "error: no photograph at x.jpg\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no signals of this kind there")
def test_a_second_sigterm_soon_after_says_nothing_new_and_later_it_ends_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    killed: list[int] = []
    monkeypatch.setattr(_ending.os, "kill", lambda process, number: killed.append(number))

    def command() -> None:
        mind = signal.getsignal(signal.SIGTERM)
        assert callable(mind)
        with pytest.raises(KeyboardInterrupt):
            mind(signal.SIGTERM, None)
        mind(signal.SIGTERM, None)
        assert not killed
        monkeypatch.setattr(_ending, "_TWICE_S", -1.0)
        mind(signal.SIGTERM, None)
        assert killed == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        raise KeyboardInterrupt("2 of 9 photographs")

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        assert ended(command) == 143
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err == "interrupted: 2 of 9 photographs\n"


def test_ctrl_c_says_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise KeyboardInterrupt("3 of 9 photographs")

    assert ended(command) == 130
    assert capsys.readouterr().err == "interrupted: 3 of 9 photographs\n"


def test_a_reader_that_goes_away_ends_it_quietly(start: Callable) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start("models", "--format", "json", stdout=writing)
    os.close(writing)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_behind_standard_output_is_named(start: Callable) -> None:
    with open("/dev/full", "w") as full:
        process = start("models", stdout=full)
        errors = process.communicate(timeout=60)[1]
    assert errors == "error: cannot write standard output: No space left on device\n"
    assert process.returncode == 6


def test_each_command_is_its_own_file() -> None:
    for name in COMMANDS:
        assert callable(getattr(importlib.import_module(f"mien.cli.{name}"), name))


def test_the_program_is_installed_as_a_command() -> None:
    import sys

    code = "from importlib.metadata import entry_points as e; print(e(group='console_scripts'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if "mien" not in done.stdout:
        pytest.skip("this mien is not installed")
    assert "mien.cli:run" in done.stdout
