"""The training loop, read top to bottom: the same for one process and for those of torchrun."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mien.errors import MienError, UsageError
from mien.networks.residual import arranged
from mien.training import checkpoint, compiling, distributed, memory, optimizers
from mien.training.batches import grain_of, shuffled, views
from mien.training.building import fresh
from mien.training.distributed import World
from mien.training.lock import locked
from mien.training.logs import Logs
from mien.training.passes import Losses, Pass, layout
from mien.training.resuming import LAST, Moving, Within, resume
from mien.training.schedules import learning_rate
from mien.training.settings import LAST_EPOCH, Recipe
from mien.training.stopping import Watch
from mien.training.task import Task, shown
from mien.training.validation import answers_of


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
        minutes = recipe.checkpoint_minutes
        watch = stack.enter_context(Watch(minutes, quiet=quiet or not world.first))
        try:
            return _train(recipe, task, out, world, logs, watch)
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


def _train(recipe: Recipe, task: Task, out: Path, world: World, logs: Logs, watch: Watch) -> Path:
    settings = recipe.optimizer
    network = build_network(recipe, task).to(world.device)
    average = copy.deepcopy(network) if settings.ema else network
    optimizer = optimizers.make_optimizer(network, settings)
    scaler = torch.amp.GradScaler(enabled=recipe.precision == "float16")
    last, best = out / LAST, out / checkpoint.BEST
    moving = Moving(network, average, optimizer, scaler)
    state, within, own = resume(last, recipe, task, moving, world.rank)
    if recipe.compile:
        network.compile(dynamic=False)
    run = Pass(recipe, task, world, world.wrap(network), scaler)
    viewer = task.viewer(world.device)
    answer = answers_of(average, task.plain, world)
    while state["epoch"] < recipe.epochs and not _out_of_patience(recipe, state):
        epoch, started = state["epoch"], time.monotonic() - within.seconds
        # Dropout draws from here, so that a resumed run is the same.
        torch.manual_seed(recipe.seed * 100_003 + epoch + world.rank * 1_000_000_007)
        grain = grain_of(viewer, recipe, epoch, world)
        if own:
            moving.take_up(own, grain)
        batches = shuffled(task, recipe, epoch, world)
        losses = Losses(task, out, within.total, within.count)
        seen = sum(map(len, batches[: within.step]))
        coming = views(viewer, batches[within.step :], epoch, world, grain)
        network.train()
        for step, (faces, view) in enumerate(coming, within.step):
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
            at_the_end = step + 1 == len(batches)
            if read := losses.read(at_the_end):
                speed = seen / (time.monotonic() - started)
                logs.batch(epoch + 1, step + 1, len(batches), losses.mean, rate, speed)
            # To ask the other processes takes time, and they must ask at the same steps.
            if not at_the_end and (read or world.size == 1) and (wish := world.most(watch.wish())):
                losses.read(True)
                far = Within(step + 1, *losses.sums, time.monotonic() - started)
                every = world.gathered(moving.own(grain))
                if world.first:
                    moving.save(last, state, far, every)
                watch.saved(wish, world)
        within, own = Within(), {}
        entry: dict[str, Any] = {
            "epoch": epoch + 1,
            "loss": round(losses.mean, 5),
            "seconds": round(time.monotonic() - started, 1),
        }
        world.agree(network)
        world.agree(average)
        state["epoch"] = epoch + 1
        if (epoch + 1) % recipe.validate_every == 0 or epoch + 1 == recipe.epochs:
            figures = {**task.judge(answer), **task.look_back(answer)}
            entry.update({name: round(value, 5) for name, value in figures.items()})
            by_last = recipe.selection.metric == LAST_EPOCH
            figure = float(epoch + 1) if by_last else figures[task.selection]
            if _judged(state, figure, recipe) and world.first:
                kept = {"average": average.state_dict()}
                about = {"figures": figures, checkpoint.SHOWN: shown(task)}
                checkpoint.save(best, kept, {**state, **about})
        logs.epoch(entry)
        if world.first:
            moving.save(last, state)
        watch.saved(world.most(watch.wish()), world)
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
