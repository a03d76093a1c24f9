"""Where a run stands: what its checkpoint holds, also amid an epoch, and going on from there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mien.errors import DataError
from mien.files import filled
from mien.training import checkpoint, optimizers
from mien.training.checkpoint import Tensors
from mien.training.settings import OF_THE_MACHINE, Recipe
from mien.training.task import Task

LAST = "last.safetensors"
START, BESIDES, WITHIN, PROCESS = "start_sha256", "besides", "within", "process"
# Of matter only when a run is over.
OF_THE_FILE = ("mirror", "denoise", "quantize", "quantize_always", "start_share")
RANDOM, CARD, GRAIN = "random", "random-card", "random-grain"


@dataclass(frozen=True)
class Within:
    """How far an epoch has come: steps done, the sum and the number of their losses, seconds."""

    step: int = 0
    total: float = 0.0
    count: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Moving:
    """Everything that a training changes; the average is the network itself where there is none."""

    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler

    def save(
        self,
        path: Path,
        state: dict[str, Any],
        within: Within | None = None,
        own: Sequence[Tensors] = (),
    ) -> None:
        """Write a checkpoint; amid an epoch with how far it is, and what each process has."""
        groups = {
            "network": self.network.state_dict(),
            "optimizer": optimizers.state_of(self.optimizer),
            **({} if self.average is self.network else {"average": self.average.state_dict()}),
            **{f"{PROCESS}-{rank}": tensors for rank, tensors in enumerate(own)},
        }
        amid = {} if within is None else {WITHIN: asdict(within)}
        checkpoint.save(path, groups, {**state, **amid, "scaler": self.scaler.state_dict()})

    def own(self, grain: torch.Generator) -> Tensors:
        """Give what a process has for itself amid an epoch: random states, batch statistics."""
        found = {RANDOM: torch.get_rng_state(), GRAIN: grain.get_state()}
        if grain.device.type == "cuda":
            found[CARD] = torch.cuda.get_rng_state(grain.device)
        return found | {name: buffer.cpu() for name, buffer in self._statistics()}

    def take_up(self, own: Tensors, grain: torch.Generator) -> None:
        """Give a process back what was its own; on another kind of device grain is drawn anew."""
        torch.set_rng_state(own[RANDOM])
        if own[GRAIN].shape == grain.get_state().shape:
            grain.set_state(own[GRAIN])
            if CARD in own:
                torch.cuda.set_rng_state(own[CARD], grain.device)
        for name, buffer in self._statistics():
            buffer.copy_(own[name])

    def _statistics(self) -> Iterator[tuple[str, Tensor]]:
        for kind, module in (("network", self.network), ("average", self.average)):
            yield from ((f"{kind}/{name}", buffer) for name, buffer in module.named_buffers())


def resume(
    last: Path, recipe: Recipe, task: Task, moving: Moving, rank: int
) -> tuple[dict[str, Any], Within, Tensors]:
    """Give the state of a run, new or kept; amid an epoch how far it is, and what is the process's.

    The weights and what moves them take the values that were kept, or those of the start.
    """
    check_same(last, recipe, task)
    if not last.exists():
        return _fresh(recipe, task, moving), Within(), {}
    groups, state = checkpoint.load(last)
    checkpoint.copy_into(moving.network, groups["network"], str(last))
    if moving.average is not moving.network:
        checkpoint.copy_into(moving.average, groups["average"], str(last))
    optimizers.restore(moving.optimizer, groups.get("optimizer", {}))
    moving.scaler.load_state_dict(state.pop("scaler", {}))
    within = Within(**state.pop(WITHIN, {}))
    processes = sum(name.startswith(PROCESS) for name in groups)
    return state, within, groups[f"{PROCESS}-{rank % processes}"] if processes else {}


def _fresh(recipe: Recipe, task: Task, moving: Moving) -> dict[str, Any]:
    fresh: dict[str, Any] = {
        "epoch": 0,
        "best": -1e9,
        "best_epoch": 0,
        "stale": 0,
        "drops": 0,
        "dropped": 0,
    }
    if recipe.start:
        tensors, fresh[START] = start_of(recipe)
        for module in (moving.network, moving.average):
            checkpoint.copy_into(module, tensors, recipe.start)
    prints = {"fingerprint": task.fingerprint(), BESIDES: task.fingerprint_besides()}
    return {**fresh, "recipe": recipe.to_dict(), **prints}


def check_same(last: Path, recipe: Recipe, task: Task) -> None:
    """Refuse to go on from a checkpoint by another recipe, on other faces, from another start.

    Where there is none, the start has to be there.
    """
    begun = last.exists()
    start = start_of(recipe)[1] if recipe.start and (recipe.start_share or not begun) else None
    if not begun:
        return
    state, asked = checkpoint.load_state(last), recipe.to_dict()
    old, free = filled(state.get("recipe", {}), Recipe.usual()), OF_THE_FILE + OF_THE_MACHINE
    changed = [k for k in asked if k not in free and old[k] != asked[k]]
    if changed:
        raise DataError(
            f"{last} was made by another recipe (differs in {', '.join(changed)}); "
            "name another --out folder or use the old recipe"
        )
    what = ""
    if state.get("fingerprint") != task.fingerprint():
        what = "training data"
    elif BESIDES in state and state[BESIDES] != task.fingerprint_besides():
        what = "faces that choose the epoch and the teacher's answers"
    if what:
        raise DataError(
            f"the {what} must be those that {last} was made from, but they have changed; "
            "bring them back, or name another --out folder"
        )
    if start and state.get(START, start) != start:
        raise DataError(
            f"{recipe.start} must be the checkpoint that {last} started from, but it has changed; "
            "bring it back, or name another --out folder"
        )


def start_of(recipe: Recipe) -> tuple[checkpoint.Tensors, str]:
    """Give the weights that a recipe starts from, and the SHA-256 of their file."""
    path = Path(recipe.start)
    if not path.is_file():
        raise DataError(
            f"no checkpoint at {path}, which `start` names; train the recipe that makes it into"
            f" that folder first (mien train RECIPE --out {path.parent}), or name another: --start"
        )
    groups, _ = checkpoint.load(path)
    if "average" not in groups:
        raise DataError(f"{path} keeps no average of weights; take {checkpoint.BEST} beside it")
    return groups["average"], hashlib.sha256(path.read_bytes()).hexdigest()
