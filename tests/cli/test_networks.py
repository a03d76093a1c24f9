"""The networks, from the command line."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mien.networks.registry import NETWORKS


def test_every_network_has_a_line(mien: Callable) -> None:
    done = mien("networks", "list", "--quiet")
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines()[1:]]
    assert [words[0] for words in lines] == [*NETWORKS]
    assert [words[1:3] for words in lines] == [
        [f"{entry.parameters:,}", str(entry.side)] for entry in NETWORKS.values()
    ]
    assert "timm:NAME" in mien("networks", "list").out


def test_the_list_as_json_has_what_building_needs_to_know(mien: Callable) -> None:
    found = {
        entry["name"]: entry
        for entry in json.loads(mien("networks", "list", "--format", "json").out)
    }
    assert [*found] == [*NETWORKS]
    assert found["vgg-like"]["channels"] == 3 and found["vgg-like"]["normalize"] == "symmetric"
    assert found["mini-xception"]["channels_last"] is False


def test_the_list_needs_no_torch(fresh_python: Callable[[str], str]) -> None:
    code = """
import sys
sys.modules["torch"] = None
from mien.cli import main
assert main(["networks", "list"]) == 0
assert main(["networks", "show", "multi8"]) == 7
"""
    assert "multi8" in fresh_python(code)


def test_a_network_is_shown_with_its_layers_and_drawn(mien: Callable, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    done = mien("networks", "show", "two-layer-48", "--svg", tmp_path / "a.svg")
    assert done.code == 0, done.err
    assert "114,631 parameters and 224 running statistics" in done.out
    assert re.search(r"^body\.0 +convolution 5x5 +48x44x44 +1,248 +2,323,200$", done.out, re.M)
    assert re.search(r"^total +114,631 ", done.out, re.M)
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<svg")


def test_a_network_is_shown_at_other_settings_as_json(mien: Callable) -> None:
    pytest.importorskip("torch")
    words = ["--side", "64", "--channels", "3", "--classes", "8", "--format", "json"]
    found = json.loads(mien("networks", "show", "tiny", *words).out)
    assert found["shape"] == [3, 64, 64]
    assert found["layers"][-1]["shape"] == [8]
    assert found["multiply_adds"] == sum(row["multiply_adds"] for row in found["layers"])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["multy8"], 2, "did you mean 'multi8'"),
        (["multi8", "--side", "9"], 2, "side must be larger"),
        (["multi8", "--channels", "2"], 2, "channels must be 1"),
        (["multi8", "--svg", "/nowhere/a.svg"], 6, "cannot write /nowhere/a.svg"),
    ],
)
def test_what_cannot_be_shown_is_an_error(
    mien: Callable, words: list[str], code: int, message: str
) -> None:
    pytest.importorskip("torch")
    done = mien("networks", "show", *words)
    assert done.code == code and message in done.err


@pytest.mark.parametrize("command", ["list", "show"])
def test_the_help_has_examples(mien: Callable, command: str) -> None:
    done = mien("networks", command, "--help")
    assert done.code == 0 and f"mien networks {command}" in done.out
