"""What the project file promises."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from mien.cli import main

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line)[0] for line in requirements}


def test_newer_pythons_are_not_shut_out(project: dict[str, Any]) -> None:
    assert project["requires-python"] == ">=3.11"


def test_the_base_install_is_small_and_unbounded(project: dict[str, Any]) -> None:
    needed = project["dependencies"]
    assert names(needed) == {"numpy", "pillow", "onnxruntime", "typer", "rich"}
    assert not [line for line in needed if "<" in line or "==" in line]


def extras_named_in(path: Path) -> Iterator[str]:
    """Yield the extra of every missing-extra error that a file raises."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("MissingExtraError"):
            named = [keyword.value for keyword in node.keywords if keyword.arg == "extra"]
            yield ast.literal_eval([*node.args, *named][-1])


def test_every_extra_that_an_error_names_exists(project: dict[str, Any]) -> None:
    named = {name for path in (ROOT / "src").rglob("*.py") for name in extras_named_in(path)}
    assert named <= set(project["optional-dependencies"])


def test_every_extra_that_a_page_installs_exists(project: dict[str, Any]) -> None:
    pages = [ROOT / "Dockerfile", *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    found = (re.findall(r"(?:'mien|'\.)\[([\w,]+)\]'", page.read_text("utf-8")) for page in pages)
    named = {name for lists in found for names in lists for name in names.split(",")}
    assert {"serve", "video", "plots", "parquet", "train"} <= named
    assert named <= set(project["optional-dependencies"])


def test_the_container_starts_a_command_that_there_is(
    project: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    entry = next(line for line in lines if line.startswith("ENTRYPOINT"))
    program, command, *options = json.loads(entry.removeprefix("ENTRYPOINT"))
    assert program in project["scripts"]
    assert main([command, "--help"]) == 0
    told = capsys.readouterr().out
    assert all(option in told for option in options if option.startswith("-"))
    version = next(line for line in lines if line.startswith("FROM python:")).split(":")[1]
    assert SpecifierSet(project["requires-python"]).contains(version.partition("-")[0])


def test_tests_that_the_main_run_passes_over_are_run_elsewhere() -> None:
    script = ROOT / ".ci" / "extras"
    if not script.is_file():
        pytest.skip("a source distribution has none")
    passed_over = re.compile(r'importorskip\("(torchvision|timm|tensorboard|mlflow)"')
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if passed_over.search(path.read_text("utf-8"))
    }
    assert found and found == set(re.findall(r"tests/[\w/]+\.py", script.read_text("utf-8")))


def test_ignored_files_are_named_from_the_root() -> None:
    lines = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in patterns if not line.startswith("/")] == ["__pycache__/"]
