"""What a table's folder says of how it was made: its set, its rights, how its faces were cut."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import Any

from mien.data import rights
from mien.errors import DataError, UsageError
from mien.preparation import Preparation

SUMMARY = "summary.json"
WIDTH = 40  # of a step that a message tells


def summary(table: Path) -> dict[str, Any]:
    """Read what the folder says of its table; nothing where nobody wrote it."""
    try:
        found: dict[str, Any] = json.loads((table / SUMMARY).read_text(encoding="utf-8"))
        return found
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unreadable(table, error) from error


def recorded(table: Path) -> Preparation | None:
    """Read how a table was cut; None where nobody knows."""
    found = summary(table)
    if not found:
        return None
    try:
        steps = found["preparation"]
        return None if steps is None else Preparation.from_json(steps)
    except (KeyError, TypeError, UsageError) as error:
        raise _unreadable(table, error) from error


def recorded_rights(table: Path) -> dict[str, Any]:
    """Read the rights in a table; those in a set of one's own where it names none."""
    found: dict[str, Any] = summary(table).get("rights", {})
    return found or {**rights.record("manifest"), "data_set": table.resolve().name}


def write_summary(folder: Path, about: Mapping[str, Any]) -> None:
    """Write what the folder says of its table."""
    (folder / SUMMARY).write_text(json.dumps(about, indent=1), encoding="utf-8")


def combined(tables: Mapping[str, Path]) -> dict[str, Any]:
    """Say of tables that become one what is true of all; they must be cut alike.

    Mean and deviation are left out: each table has those of its own training faces.
    """
    sets = {name: summary(table).get("data_set") for name, table in tables.items()}
    try:
        terms = rights.together(map(recorded_rights, tables.values()))
    except (KeyError, TypeError) as error:
        raise DataError(
            f"the {SUMMARY} of one of {', '.join(tables)} does not state all rights: {error};"
            " prepare the table again"
        ) from error
    only = next(iter(sets.values())) if len(set(sets.values())) == 1 else None
    return {"data_set": only, "joined": sets, "rights": terms, "preparation": _common(tables)}


def _common(tables: Mapping[str, Path]) -> dict[str, Any] | None:
    """Give the one preparation of all tables; None where nobody knows any."""
    (first, known), *others = [(name, _steps(table)) for name, table in tables.items()]
    for name, steps in others:
        differing = [step for step in {**known, **steps} if known.get(step) != steps.get(step)]
        if differing:
            said = [
                f"{of} has {_words(found, differing)}"
                for of, found in ((first, known), (name, steps))
            ]
            raise DataError(f"expected tables cut alike, but {'; '.join(said)}; prepare both alike")
    return known or None


def _steps(table: Path) -> dict[str, Any]:
    steps = recorded(table)
    return {} if steps is None else replace(steps, mean=None, std=None).to_json()


def _words(steps: Mapping[str, Any], differing: list[str]) -> str:
    said = [f"{step} {shorten(str(steps[step]), WIDTH)}" for step in differing if step in steps]
    return ", ".join(said) or "no record of how it was cut"


def _unreadable(table: Path, error: Exception) -> DataError:
    return DataError(f"cannot read {table / SUMMARY}: {error}; prepare the table again")
