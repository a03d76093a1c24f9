"""The page on training names every setting, and its commands exist."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "training.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"^(?:torchrun .* )?mien (.*?)(?:  #.*)?$", PAGE, re.M)))


def test_every_setting_of_a_recipe_is_on_the_page() -> None:
    pytest.importorskip("torch")
    from mien.cli._recipe import kinds

    assert not [name for name in kinds() if f"`{name}`" not in PAGE]


def test_the_page_names_no_other_setting() -> None:
    pytest.importorskip("torch")
    from mien.cli._recipe import kinds

    tables = {name.partition(".")[0] for name in kinds() if "." in name}
    named = re.findall(rf"`((?:{'|'.join(tables)})\.[a-z0-9_]+)`", PAGE)
    assert named and set(named) <= set(kinds())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_has_its_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from mien.cli import main

    words = shlex.split(command)
    group = words[:2] if words[0] in ("models", "data") else words[:1]
    assert main([*group, "--help"]) == 0
    known = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    assert {word for word in words if word.startswith("--")} <= known


def test_the_recipe_of_the_page_can_be_read(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from mien.training.recipe import read_recipe

    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    (tmp_path / "mine.toml").write_text(text)
    assert read_recipe(tmp_path / "mine.toml").losses.kind == "votes"
