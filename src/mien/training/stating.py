"""A recipe told by what differs from the defaults."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mien.training.settings import Recipe

LONE_FOLDS = ("official", "hold-out")  # of protocols that have no other


def differing(recipe: Any, before: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each setting that differs: its dotted name, its value, and the default.

    What has no default counts as differing from None.
    """
    for entry in dataclasses.fields(recipe):
        here, usual = getattr(recipe, entry.name), entry.default
        if dataclasses.is_dataclass(here):
            yield from differing(here, f"{before}{entry.name}.")
        elif usual is dataclasses.MISSING:
            yield before + entry.name, here, None
        elif here != usual:
            yield before + entry.name, here, usual


def toml(recipe: Recipe) -> str:
    """Write the recipe as the file that `read_recipe` reads it from, defaults left out."""
    lines: list[str] = []
    table = ""
    for name, here, _ in sorted(differing(recipe), key=lambda one: one[0].rpartition(".")[0]):
        own, _, key = name.rpartition(".")
        if own != table:
            lines += ["", f"[{own}]"]
            table = own
        lines.append(f"{key} = {json.dumps(here, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def naming(stated: Mapping[str, Any]) -> str:
    """Word the options by which `mien train` finds the faces again; files without their folders."""
    fold = stated.get("fold")
    options = [
        ("--table", stated.get("table")),
        *(("--option", setting) for setting in stated.get("options") or ()),
        ("--points", stated.get("points_file")),
        ("--splits", stated.get("splits_file")),
        ("--fold", None if fold in LONE_FOLDS else fold),
    ]
    told = ((name, f'"{of}"' if " " in of else of) for name, of in options if of)
    return "".join(f" {name} {of}" for name, of in told)


def words(value: Any) -> str:
    """Say a setting in a cell of a table."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {words(of)}" for name, of in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(words, value))
    return "" if value is None else str(value)
