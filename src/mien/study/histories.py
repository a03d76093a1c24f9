"""The histories of trainings, as their run folders hold them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien.errors import DataError

LOG = "log.jsonl"
NO_MEASURE = ("epoch", "seconds")

History = dict[str, list[float | None]]  # a value an epoch, None where nothing was measured


def history(folder: str | Path) -> History:
    """Read a training's log; of an epoch that was run twice the later line counts."""
    path = Path(folder) / LOG
    lines: dict[int, Mapping[str, Any]] = {}
    try:
        for text in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(text)
            lines[int(entry["epoch"])] = entry
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}; expected the folder of a training"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is no log of a training: {error!r}") from error
    if not lines:
        raise DataError(f"{path} has no epoch yet; wait for the first to end")
    measures = dict.fromkeys(name for entry in lines.values() for name in entry)
    epochs = range(1, max(lines) + 1)
    return {
        name: [lines.get(epoch, {}).get(name) for epoch in epochs]
        for name in measures
        if name not in NO_MEASURE
    }
