"""The training loop, read top to bottom: the same for one process and for those of torchrun."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mien.errors import DataError, MienError, UsageError
from mien.files import filled
from mien.networks.residual import arranged
from mien.training import checkpoint, compiling, distributed, memory, optimizers
from mien.training.batches import shuffled, views
from mien.training.building import fresh
from mien.training.distributed import World
from mien.training.lock import locked
from mien.training.logs import Logs
from mien.training.passes import Losses, Pass, layout
from mien.training.schedules import learning_rate
from mien.training.settings import Recipe
from mien.training.task import Task, shown
from mien.training.validation import answers_of

LAST = "last.safetensors"
START, BESIDES = "start_sha256", "besides"
# Of matter only when a run is over.
OF_THE_FILE = ("mirror", "denoise", "quantize", "quantize_always", "start_share")
OF_THE_MACHINE = ("compile",)  # of matter only for speed


def build_network(recipe: Recipe, task: Task) -> nn.Module:
    """Make the recipe's network with fresh weights drawn from its seed."""
    torch.manual_seed(recipe.seed)
    return arranged(task.build(fresh(recipe, task.heads)), layout(recipe.network.name))


def train(
    recipe: Recipe,
    task: Task,
    out: Path,
    *,
    device: str = "cpu",
    quiet: bool = False,
    logs: Logs | None = None,
) -> Path:
    """Train until the recipe is done, resuming what is in `out`; give the best checkpoint.

    Under torchrun each process takes its share of every batch, and the first one writes.
    """
    world = distributed.join(device)
    check(recipe, world.device)
    with ExitStack() as stack:
        if world.first:
            stack.enter_context(locked(out))
        logs = logs or Logs(out if world.first else None, epochs=recipe.epochs, quiet=quiet)
        stack.enter_context(logs)
        try:
            return _train(recipe, task, out, world, logs)
        except (RuntimeError, MemoryError) as error:
            if recipe.compile:
                compiling.explain(error)
            if not memory.is_exhausted(error):
                raise
        # Only here, where nothing holds on to its tensors, is the failed batch's memory free.
        fits = memory.fitting(_attempt(recipe, task, world.device), recipe.batch_size // world.size)
        raise MienError(
            f"a batch of {recipe.batch_size} does not fit into the memory of {world.device}; "
            + memory.advice(fits, world.size)
        )


def check(recipe: Recipe, device: str) -> None:
    """Refuse what a device cannot do."""
    if recipe.precision == "float16" and device == "cpu":
        raise UsageError("a processor trains in float32 or bfloat16, not in float16: take bfloat16")
    if recipe.compile:
        compiling.check(device)


def _attempt(recipe: Recipe, task: Task, device: str) -> Callable[[int], None]:
    def attempt(size: int) -> None:
        network = build_network(recipe, task).to(device)
        viewer, faces = task.viewer(device), np.arange(size) % len(task.source)
        view = viewer.view(faces, 0, *viewer.hide(faces, 0), torch.Generator(device))
        scaler = torch.amp.GradScaler(enabled=False)
        Pass(recipe, task, World(device), network, scaler)(faces, view)
        optimizers.make_optimizer(network, recipe.optimizer).step()

    return attempt


def _train(recipe: Recipe, task: Task, out: Path, world: World, logs: Logs) -> Path:
    settings = recipe.optimizer
    network = build_network(recipe, task).to(world.device)
    average = copy.deepcopy(network) if settings.ema else network
    optimizer = optimizers.make_optimizer(network, settings)
    scaler = torch.amp.GradScaler(enabled=recipe.precision == "float16")
    last, best = out / LAST, out / checkpoint.BEST
    state = _resume(last, recipe, task, network, average, optimizer, scaler)
    if recipe.compile:
        network.compile(dynamic=False)
    run = Pass(recipe, task, world, world.wrap(network), scaler)
    viewer = task.viewer(world.device)
    answer = answers_of(average, task.plain, world)
    while state["epoch"] < recipe.epochs and not _out_of_patience(recipe, state):
        epoch, started, seen = state["epoch"], time.monotonic(), 0
        # Dropout draws from here, so that a resumed run is the same.
        torch.manual_seed(recipe.seed * 100_003 + epoch + world.rank * 1_000_000_007)
        batches = shuffled(task, recipe, epoch, world)
        losses = Losses(task, out)
        network.train()
        for step, (faces, view) in enumerate(views(viewer, batches, recipe, epoch, world)):
            done = epoch + step / len(batches)
            rate = learning_rate(settings, done, recipe.epochs, state["drops"])
            optimizers.set_rate(optimizer, rate)
            optimizer.zero_grad()
            losses.add(faces, run(faces, view))
            if settings.kind == "sam":
                with optimizers.climbed(network, settings.sam_radius):
                    optimizer.zero_grad()
                    run(faces, view)
            scaler.unscale_(optimizer)
            if settings.clip:
                nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
            scaler.step(optimizer)
            scaler.update()
            if settings.ema:
                taken = epoch * len(batches) + step
                optimizers.update_average(average, network, settings.ema, taken)
            seen += len(faces)
            if losses.read(step + 1 == len(batches)):
                speed = seen / (time.monotonic() - started)
                logs.batch(epoch + 1, step + 1, len(batches), losses.mean, rate, speed)
        entry: dict[str, Any] = {
            "epoch": epoch + 1,
            "loss": round(losses.mean, 5),
            "seconds": round(time.monotonic() - started, 1),
        }
        world.agree(network)
        world.agree(average)
        state["epoch"] = epoch + 1
        if (epoch + 1) % recipe.validate_every == 0 or epoch + 1 == recipe.epochs:
            figures = task.judge(answer)
            entry.update({name: round(value, 5) for name, value in figures.items()})
            if _judged(state, figures[task.selection], recipe) and world.first:
                kept = {"average": average.state_dict()}
                about = {"figures": figures, checkpoint.SHOWN: shown(task)}
                checkpoint.save(best, kept, {**state, **about})
        logs.epoch(entry)
        groups = {
            "network": network.state_dict(),
            "optimizer": optimizers.state_of(optimizer),
            **({"average": average.state_dict()} if settings.ema else {}),
        }
        if world.first:
            checkpoint.save(last, groups, {**state, "scaler": scaler.state_dict()})
    world.wait()
    return best


def _judged(state: dict[str, Any], figure: float, recipe: Recipe) -> bool:
    """Take a judgement into the state; tell whether it is the best so far."""
    epoch, settings = state["epoch"], recipe.optimizer
    better = bool(figure > state["best"])
    state["stale"] = 0 if better else state["stale"] + 1
    if better:
        state["best"], state["best_epoch"] = figure, epoch
    elif epoch - max(state["best_epoch"], state["dropped"]) >= settings.step_epochs:
        state["drops"], state["dropped"] = state["drops"] + 1, epoch
    return better


def _out_of_patience(recipe: Recipe, state: dict[str, Any]) -> bool:
    patience = recipe.selection.patience
    return bool(patience and state["stale"] >= patience)


def _resume(
    last: Path,
    recipe: Recipe,
    task: Task,
    network: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
) -> dict[str, Any]:
    check_same(last, recipe, task)
    if not last.exists():
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
            for module in (network, average):
                checkpoint.copy_into(module, tensors, recipe.start)
        prints = {"fingerprint": task.fingerprint(), BESIDES: task.fingerprint_besides()}
        return {**fresh, "recipe": recipe.to_dict(), **prints}
    groups, state = checkpoint.load(last)
    checkpoint.copy_into(network, groups["network"], str(last))
    if average is not network:
        checkpoint.copy_into(average, groups["average"], str(last))
    optimizers.restore(optimizer, groups.get("optimizer", {}))
    scaler.load_state_dict(state.pop("scaler", {}))
    return state


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
