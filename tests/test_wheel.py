"""The built wheel: what is in it, and what it predicts in an empty environment without network."""

import importlib.metadata
import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]

# Found and run by every interpreter of the environment before anything else.
NO_NETWORK = """
import socket

def refuse(*arguments, **named):
    raise SystemExit("a socket was opened")

socket.socket = socket.create_connection = socket.getaddrinfo = refuse
"""


@pytest.fixture(scope="module")
def wheel(shipped_models: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the tools that are installed, without an index."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", f"--wheel-dir={folder}"]
    done = subprocess.run([*pip, *options, ROOT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def members(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_every_module_is_in_the_wheel(members: set[str]) -> None:
    written = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.py")}
    assert written <= members
    assert "mien/data/__init__.py" in members
    assert "mien/py.typed" in members


def test_every_shipped_file_is_in_the_wheel(members: set[str]) -> None:
    folder = ROOT / "src" / "mien" / "weights"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    files = {fields["file"] for fields in manifest.values()} | {"manifest.json", "astronaut.png"}
    assert {f"mien/weights/{file}" for file in files} <= members


def test_every_recipe_is_in_the_wheel(members: set[str]) -> None:
    written = {f"mien/recipes/{path.name}" for path in (ROOT / "recipes").glob("*.toml")}
    assert {name for name in members if name.startswith("mien/recipes/")} == written


def test_the_page_is_in_the_wheel(members: set[str]) -> None:
    written = {f"mien/serve/page/{path.name}" for path in (ROOT / "src/mien/serve/page").iterdir()}
    assert "mien/serve/page/index.html" in written
    assert {name for name in members if name.startswith("mien/serve/page/")} == written


def test_the_source_archive_brings_what_the_container_is_built_from(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "sdist"]
    done = subprocess.run(
        [*build, "--directory", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Dockerfile", "pyproject.toml", "hatch_build.py", "LICENSE", "README.md"} <= names
    assert {"src/mien/serve/page/index.html", "recipes/expression.toml", "docs/serve.md"} <= names


def test_licences_are_in_the_wheel(members: set[str]) -> None:
    assert {
        "mien/weights/licences/centerface.txt",
        "mien/weights/licences/astronaut.txt",
    } <= members
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in members)


def test_nothing_else_is_in_the_wheel(members: set[str]) -> None:
    strange = [name for name in members if not name.startswith(("mien/", "mien-"))]
    assert not strange
    assert not [name for name in members if name.endswith((".pyc", ".csv", ".safetensors"))]


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, what it requires, and nothing else; no network."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", f"--python={python}"]
    install = [*pip, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    link_requirements(wheel, packages)
    (packages / "sitecustomize.py").write_text(NO_NETWORK)
    return python


def link_requirements(wheel: Path, packages: Path) -> None:
    """Lend the environment what the wheel requires; an index would take longer and is not there."""
    for name in sorted(requirements(wheel)):
        for top in {file.parts[0] for file in importlib.metadata.files(name) or ()} - {".."}:
            target, link = importlib.metadata.distribution(name).locate_file(top), packages / top
            if not link.exists():
                link.symlink_to(str(target))


def requirements(wheel: Path) -> set[str]:
    """Follow the wheel's requirements, and theirs, as an installer would."""
    found: set[str] = set()
    todo = list(required(wheel_requirements(wheel)))
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += required(importlib.metadata.requires(name) or [])
    return found


def wheel_requirements(wheel: Path) -> list[str]:
    archive = zipfile.ZipFile(wheel)
    name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = importlib.metadata.PathDistribution(zipfile.Path(wheel, f"{Path(name).parent}/"))
    return metadata.requires or []


def required(lines: list[str]) -> Iterator[str]:
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command of the environment; nothing of this interpreter's own settings reaches it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=own)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_environment_is_as_empty_as_a_base_install(python: Path, tmp_path: Path) -> None:
    heavy = ("torch", "onnx", "pytest", "sklearn")
    code = f"import importlib.util as i; print(*(n for n in {heavy} if i.find_spec(n)))"
    assert run(python, "-c", code, cwd=tmp_path).strip() == ""
    assert "site-packages" in run(python, "-c", "import mien; print(mien.__file__)", cwd=tmp_path)


def test_the_wheel_predicts_the_sample_portrait_from_its_own_files(
    python: Path, portrait_path: Path, tmp_path: Path
) -> None:
    mien = python.with_name("mien")
    lines = run(mien, "predict", portrait_path, "--format", "jsonl", cwd=tmp_path).splitlines()
    assert [json.loads(line)["expression"] for line in lines] == ["happiness"]
