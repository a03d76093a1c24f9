"""What docs/networks.md says of each network is what it has."""

import re
import shlex
from pathlib import Path

import pytest

from mien.cli import main
from mien.networks.registry import ALIASES, NETWORKS

TEXT = (Path(__file__).parents[2] / "docs" / "networks.md").read_text("utf-8")
ROWS = {
    cells[0].strip("`"): cells
    for line in TEXT.splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) > 4
}


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_has_a_row_with_its_input_and_size(name: str) -> None:
    entry, cells = NETWORKS[name], ROWS[name]
    assert cells[2] == f"{entry.side}x{entry.side}x{entry.channels}"
    assert cells[3] == f"{entry.parameters:,}"
    assert cells[-1] == f"`{entry.normalize}`"
    assert all(f"`{alias}`" in TEXT for alias in ALIASES)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_arithmetic_is_what_running_it_gives(name: str) -> None:
    pytest.importorskip("torch")
    if NETWORKS[name].hub:
        pytest.importorskip("torchvision", reason="torchvision is of the extra networks")
        at_48 = multiply_adds(name, side=48, channels=1)
        assert ROWS[name][5] == f"{at_48 / 1e6:,.1f} M"
    assert ROWS[name][4] == f"{multiply_adds(name) / 1e6:,.1f} M"


def multiply_adds(name: str, **settings: int) -> int:
    from mien.networks import layers

    return layers.run(name, **settings).multiply_adds


@pytest.mark.parametrize("command", re.findall(r"^mien (.*)$", TEXT, re.MULTILINE))
def test_every_option_of_a_command_exists(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    words = shlex.split(command)
    assert main([*words[:2], "--help"]) == 0
    known = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    assert {word for word in words if word.startswith("--")} <= known
