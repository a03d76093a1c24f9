"""How large the wheel and the base install are."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class NotMeasured(Exception):
    """pip could not do what was asked."""


def measure() -> dict[str, Any]:
    """Build the wheel, install it into an empty environment, and weigh both in bytes."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_wheel(Path(scratch))
        empty, full = install(wheel, Path(scratch) / "venv")
        return {
            "wheel": wheel.stat().st_size,
            "empty_environment": empty,
            "site_packages": full - empty,
            "environment": full,
        }


def build_wheel(folder: Path) -> Path:
    """Build the wheel, with the build tools that are here or with an isolated copy of them."""
    options: list[str | Path] = ["wheel", "--no-deps", f"--wheel-dir={folder}", ROOT]
    try:
        _pip(sys.executable, *options, "--no-build-isolation")
    except NotMeasured:
        _pip(sys.executable, *options)
    return next(folder.glob("*.whl"))


def install(wheel: Path, folder: Path) -> tuple[int, int]:
    """Give the bytes of an environment before and after the wheel is in it."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    before = bytes_of(folder)
    _pip(folder / ("Scripts" if os.name == "nt" else "bin") / "python", "install", wheel)
    return before, bytes_of(folder)


def bytes_of(folder: Path) -> int:
    """Add up the sizes of all files; links count nothing."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)


def _pip(python: str | Path, *arguments: str | Path) -> None:
    command = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasured((done.stderr.strip().splitlines() or ["pip failed"])[-1])
