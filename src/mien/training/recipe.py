"""Recipes: training settings as TOML, read strictly onto frozen dataclasses."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from mien.errors import UsageError
from mien.training.augment import Augmentation
from mien.training.hiding import Hiding

TASKS = ("expression", "landmarks")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class NetworkSettings:
    """The shape of `networks.residual.ResidualNetwork`."""

    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: tuple[int, ...] = (1, 2, 2, 1)
    stem_stride: int = 2
    excited_stages: int = 2
    dropout: float = 0.3
    pool: int = 1


@dataclass(frozen=True)
class Optimizer:
    """SGD with Nesterov momentum on a one-cycle schedule; decay on weights alone.

    A `restart_epoch` ends the cycle there; the epochs that remain fall again, from `restart_rate`.
    """

    learning_rate: float = 0.12
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_share: float = 0.1
    ema: float = 0.998
    clip: float = 5.0
    restart_epoch: int = 0
    restart_rate: float = 0.04


@dataclass(frozen=True)
class Losses:
    """What each output adds to the loss."""

    ferplus: float = 1.0
    fer2013: float = 1.0
    hidden: float = 0.2
    points: float = 1.0
    face: float = 0.1
    smoothing: float = 0.05


@dataclass(frozen=True)
class Recipe:
    """Everything a training run depends on but the data and the machine."""

    name: str
    task: str
    side: int = 48
    seed: int = 1
    epochs: int = 60
    batch_size: int = 192
    precision: str = "bfloat16"
    validate_every: int = 2
    start: str = ""  # a checkpoint whose average the run starts from; random weights without
    mirror: bool = False  # the answers of the file are averaged over a face and its mirror image
    quantize: bool = False  # the file computes in 8-bit integers
    network: NetworkSettings = field(default_factory=NetworkSettings)
    optimizer: Optimizer = field(default_factory=Optimizer)
    losses: Losses = field(default_factory=Losses)
    augmentation: Augmentation = field(default_factory=Augmentation)
    hiding: Hiding = field(default_factory=Hiding)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def sha256(self) -> str:
        """Hash what differs from the defaults, so that a new setting leaves old hashes alone."""
        text = json.dumps(_stated(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _stated(settings: Any) -> dict[str, Any]:
    found = {}
    for field_ in dataclasses.fields(settings):
        value = getattr(settings, field_.name)
        if dataclasses.is_dataclass(value):
            value = _stated(value)
            if value:
                found[field_.name] = value
        elif value != field_.default:
            found[field_.name] = value
    return found


def read_recipe(path: Path, **overrides: Any) -> Recipe:
    """Read a TOML recipe; overrides are top-level settings that replace the file's."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise UsageError(f"no recipe at {path}; expected a TOML file") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"{path} must be a TOML recipe, but cannot be read as TOML: {exc}"
        ) from exc
    settings.update({key: value for key, value in overrides.items() if value is not None})
    recipe: Recipe = _build(Recipe, settings, str(path))
    _check(recipe)
    return recipe


def _check(recipe: Recipe) -> None:
    if recipe.task not in TASKS:
        raise UsageError(f"task must be one of {', '.join(TASKS)}, got {recipe.task!r}")
    if recipe.precision not in PRECISIONS:
        names = ", ".join(PRECISIONS)
        raise UsageError(f"precision must be one of {names}, got {recipe.precision!r}")
    for name in ("side", "epochs", "batch_size", "validate_every"):
        if getattr(recipe, name) < 1:
            raise UsageError(f"{name} must be at least 1, got {getattr(recipe, name)}")
    if not 0 <= recipe.optimizer.restart_epoch < recipe.epochs:
        found = recipe.optimizer.restart_epoch
        raise UsageError(f"optimizer.restart_epoch must be before the last epoch, got {found}")
    if len(recipe.network.widths) != len(recipe.network.blocks):
        raise UsageError("network.widths and network.blocks must have the same length")


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
        if not isinstance(value, list):
            raise UsageError(f"{where} must be a list, got {value!r}")
        return tuple(_value(item, entry, where) for entry in value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise UsageError(f"{where} must be {kind.__name__}, got {value!r}")
    return value
