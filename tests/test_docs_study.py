"""What docs/study.md tells to type can be typed."""

import re
import shlex
from pathlib import Path

import pytest

from mien.cli import main
from mien.study.settings import PRESETS, RECIPES, USUAL

TEXT = (Path(__file__).parents[1] / "docs" / "study.md").read_text("utf-8")
COMMANDS = re.findall(r"^(mien .*)$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_exists(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    words = shlex.split(command)[1:]
    named = [word for word in words if not word.startswith("-")]
    group = named[:2] if named[0] in ("study", "data") else named[:1]
    assert main([*group, "--help"]) == 0
    known = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    assert {word for word in words if word.startswith("--")} <= known


def test_every_preset_and_network_is_described() -> None:
    assert COMMANDS
    for name, preset in PRESETS.items():
        assert f"`{name}` | `{preset.alias}`" in TEXT
    assert all(f"`{name}`" in TEXT for name in (USUAL["network.name"], *RECIPES))
