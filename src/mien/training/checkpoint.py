"""Checkpoints: tensors as safetensors, the rest as JSON, both renamed into place together."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mien.errors import DataError
from mien.files import replacing

Tensors = dict[str, Tensor]

REMEDY = "bring a whole copy back, or train anew into another folder (--out)"
BEST, MIXED = "best.safetensors", "mixed.safetensors"
SHOWN = "shown"  # under which the best says what its network is shown and what it answers


def of_the_file(folder: Path) -> Path:
    """Give the checkpoint that a run's model file is of: its mixture, else its best epoch."""
    mixed = folder / MIXED
    return mixed if mixed.is_file() else folder / BEST


def save(path: Path, groups: dict[str, Tensors], state: dict[str, Any]) -> None:
    """Write the groups of tensors and the state; the file at `path` is old or new, never half."""
    flat = {
        f"{group}/{name}": tensor.detach().cpu().contiguous().clone()
        for group, tensors in groups.items()
        for name, tensor in tensors.items()
    }
    with replacing(path, advice="; the old one is intact") as temporary:
        try:
            # The JSON travels in the header, so that one rename replaces both.
            save_file(flat, temporary, metadata={"state": json.dumps(state)})
        except SafetensorError as exc:  # so it calls a full disk too
            raise OSError(exc) from exc
        _sync(temporary)
    with suppress(OSError):  # not every system lets a folder be opened
        _sync(path.parent)


def _sync(path: Path) -> None:
    """Wait until the disk has what was written, so that no power cut can leave a part of it."""
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(path: Path) -> tuple[dict[str, Tensors], dict[str, Any]]:
    """Read what `save` wrote."""
    state = load_state(path)
    try:
        flat = load_file(path)
    except (OSError, SafetensorError) as exc:
        raise DataError(f"{path} is no complete safetensors file: {exc}; {REMEDY}") from exc
    groups: dict[str, Tensors] = {}
    for key, tensor in flat.items():
        group, name = key.split("/", 1)
        groups.setdefault(group, {})[name] = tensor
    return groups, state


def load_state(path: Path) -> dict[str, Any]:
    """Read the state alone, from the head of the file."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(size, path.stat().st_size)))
        state: dict[str, Any] = json.loads(header["__metadata__"]["state"])
    except (OSError, KeyError, TypeError, ValueError) as exc:
        raise DataError(f"{path} must be a checkpoint of this program: {exc}; {REMEDY}") from exc
    return state


def copy_into(module: torch.nn.Module, tensors: Tensors, where: str) -> None:
    """Load tensors into a module; name what does not fit."""
    try:
        module.load_state_dict(tensors)
    except RuntimeError as exc:
        raise DataError(f"{where} is of another network: {exc}") from exc
