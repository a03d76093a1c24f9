"""Recipes: training settings as TOML, read strictly onto frozen dataclasses."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from mien.errors import UsageError
from mien.networks import registry
from mien.preparation.steps import NORMALIZATIONS
from mien.training import settings
from mien.training.settings import NetworkSettings, Recipe

# Settings that are one of a few, and those that must be at least so much, or from so much to that.
CHOICES: dict[str, tuple[str | int, ...]] = {
    "task": settings.TASKS,
    "precision": settings.PRECISIONS,
    "data.normalize": ("", *NORMALIZATIONS),
    "network.channels": (1, 3),
    "optimizer.kind": settings.OPTIMIZERS,
    "optimizer.schedule": settings.SCHEDULES,
    "losses.kind": settings.LOSSES,
    "losses.class_weights": settings.CLASS_WEIGHTS,
    "selection.metric": settings.METRICS,
}
LEAST: dict[str, float] = {
    "side": 1,
    "epochs": 1,
    "batch_size": 1,
    "validate_every": 1,
    "checkpoint_minutes": 0,
    "train_accuracy_faces": 0,
    "data.folds": 2,
    "network.stem_stride": 1,
    "network.excited_stages": 0,
    "network.pool": 1,
    "optimizer.step_epochs": 1,
    "optimizer.step_factor": 0,
    "optimizer.learning_rate": 0,
    "optimizer.restart_rate": 0,
    "optimizer.weight_decay": 0,
    "optimizer.sam_radius": 0,
    "optimizer.clip": 0,
    "losses.ferplus": 0,
    "losses.fer2013": 0,
    "losses.hidden": 0,
    "losses.points": 0,
    "losses.face": 0,
    "distillation.temperature": 0.01,
    "selection.patience": 0,
}
RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**32 - 1),
    "memory_share": (0, 1),
    "optimizer.warmup_share": (0, 1),
    "distillation.weight": (0, 1),
}
BELOW_ONE = ("start_share", "network.dropout", "optimizer.momentum", "optimizer.ema")
SHAPE = ("widths", "blocks", "stem_stride", "excited_stages", "pool")  # of `residual` alone


def read_recipe(path: Path | None, **overrides: Any) -> Recipe:
    """Read a TOML recipe, or none; overrides replace its settings.

    They are named as in the file, those of its tables with a dot (`optimizer.learning_rate`); None
    leaves what the file says. Where they ask for no more epochs than the file's restart comes
    after, there is no restart; `lost_restart` says so.
    """
    found = _parse(path) if path else {}
    asked = (overrides.get("epochs"), overrides.get("optimizer.restart_epoch"))
    if asked[1] is None and _late_restart(found, asked[0]):
        overrides["optimizer.restart_epoch"] = 0
    for name, value in overrides.items():
        table, _, key = name.rpartition(".")
        if value is None:
            continue
        into = found.setdefault(table, {}) if table else found
        if not isinstance(into, dict):
            raise UsageError(f"{path}: {table} must be a table, got {into!r}")
        into[key] = value
    recipe: Recipe = _build(Recipe, found, str(path or "the recipe"))
    _check(recipe)
    return recipe


def lost_restart(path: Path, recipe: Recipe) -> str | None:
    """Say that the restart of the file lies beyond the epochs of a recipe read from it, if so."""
    late = _late_restart(_parse(path), recipe.epochs)
    if not late or recipe.optimizer.restart_epoch:
        return None
    return (
        f"{recipe.name}: optimizer.restart_epoch {late} is left out, for there are"
        f" {recipe.epochs} epochs; the rate falls once"
    )


def setting(recipe: Recipe, name: str) -> Any:
    """Give a setting by its dotted name."""
    value: Any = recipe
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise UsageError(f"no recipe at {path}; expected a TOML file") from exc
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"{path} must be a TOML recipe, but cannot be read as TOML: {exc}"
        ) from exc


def _late_restart(found: Mapping[str, Any], epochs: Any) -> int:
    """Give the restart of a file that would come after the last of so many epochs, or 0."""
    optimizer = found.get("optimizer")
    stated = optimizer.get("restart_epoch") if isinstance(optimizer, dict) else None
    if isinstance(stated, int) and isinstance(epochs, int) and stated >= epochs:
        return stated
    return 0


def _check(recipe: Recipe) -> None:
    for name, known in CHOICES.items():
        value = setting(recipe, name)
        if value not in known:
            raise UsageError(
                f"{name} must be one of {', '.join(filter(None, map(str, known)))}, got {value!r}"
            )
    for name, least in LEAST.items():
        value = setting(recipe, name)
        if not value >= least:
            raise UsageError(f"{name} must be at least {least}, got {value}")
    for name, (least, most) in RANGES.items():
        value = setting(recipe, name)
        if not least <= value <= most:
            raise UsageError(f"{name} must be from {least} to {most}, got {value}")
    for name in BELOW_ONE:
        value = setting(recipe, name)
        if not 0 <= value < 1:
            raise UsageError(f"{name} must be from 0 to below 1, got {value}")
    if not 0 <= recipe.optimizer.restart_epoch < recipe.epochs:
        found = recipe.optimizer.restart_epoch
        raise UsageError(
            f"optimizer.restart_epoch must be before the last epoch, {recipe.epochs}, got {found};"
            " set an earlier one, or 0 for none"
        )
    if recipe.optimizer.restart_epoch and recipe.optimizer.schedule != "one-cycle":
        raise UsageError("optimizer.restart_epoch is for the schedule one-cycle; leave it out")
    if recipe.start_share and not recipe.start:
        raise UsageError(
            f"start_share {recipe.start_share} needs `start`, the checkpoint that it is a share of;"
            " name one, or set start_share to 0"
        )
    if recipe.optimizer.kind == "sam" and recipe.precision == "float16":
        raise UsageError("sam needs gradients as they are, float16 scales them: take bfloat16")
    if recipe.network.pretrained and recipe.data.normalize:
        raise UsageError(
            "pretrained networks normalise as their weights ask; leave out data.normalize"
        )
    _check_last(recipe)
    _check_network(recipe.network)


def _check_last(recipe: Recipe) -> None:
    """Refuse what needs faces held out where none are, or a best epoch where the last is kept."""
    last = recipe.selection.metric == settings.LAST_EPOCH
    if recipe.data.protocol == settings.ALL:
        if recipe.task != "labels":
            raise UsageError(
                f"the task {recipe.task!r} has parts of its own; leave data.protocol all out"
            )
        if not last:
            raise UsageError(
                "data.protocol all leaves no face to choose an epoch by"
                f" {recipe.selection.metric}: set selection.metric = last, or take another protocol"
            )
        if recipe.quantize and not recipe.train_accuracy_faces:
            raise UsageError(
                "with data.protocol all 8-bit integers are judged on training faces: set"
                " train_accuracy_faces, or leave quantize out"
            )
    if last and (recipe.selection.patience or recipe.optimizer.schedule == "plateau"):
        raise UsageError(
            "selection.patience and the schedule plateau follow a figure, and selection.metric last"
            " has none: leave them out, or name a metric"
        )


def _check_network(network: NetworkSettings) -> None:
    """Refuse a shape that cannot be, and what the network that is named does not heed."""
    if len(network.widths) != len(network.blocks):
        raise UsageError("network.widths and network.blocks must have the same length")
    if not network.widths or min(*network.widths, *network.blocks) < 1:
        raise UsageError("network.widths and network.blocks must hold numbers of at least 1")
    hub = ":" in network.name or registry.network(network.name).hub
    for name in ("pretrained", "frozen"):
        if getattr(network, name) and not hub:
            raise UsageError(
                f"network.{name} needs a network of torchvision or timm, got {network.name!r}; name"
                f" one in network.name, or leave {name} out"
            )
    for name in SHAPE if network.name != "residual" else ():
        if getattr(network, name) != getattr(NetworkSettings(), name):
            raise UsageError(
                f"network.{name} is of the network residual, {network.name!r} has its own; leave it"
                " out, or take network.name = residual"
            )


def _build(kind: Any, settings: dict[str, Any], where: str) -> Any:
    types = get_type_hints(kind)
    for key in settings:
        if key not in types:
            close = get_close_matches(key, types, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(types)}"
            raise UsageError(f"{where}: unknown setting {key!r}{hint}")
    for required in dataclasses.fields(kind):
        absent = required.default is dataclasses.MISSING
        if absent and required.default_factory is dataclasses.MISSING:
            if required.name not in settings:
                raise UsageError(f"{where}: the setting {required.name!r} is missing")
    return kind(**{k: _value(types[k], v, f"{where}: {k}") for k, v in settings.items()})


def _value(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise UsageError(f"{where} must be a table, got {value!r}")
        return _build(kind, value, where)
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        if not isinstance(value, list | tuple):
            raise UsageError(f"{where} must be a list, got {value!r}")
        return tuple(_value(item, entry, where) for entry in value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise UsageError(f"{where} must be {kind.__name__}, got {value!r}")
    return value
