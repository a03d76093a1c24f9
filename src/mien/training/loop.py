"""The training loop, read top to bottom."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mien import progress
from mien.errors import DataError, MienError
from mien.networks.residual import ResidualNetwork, arranged
from mien.training import checkpoint
from mien.training.faces import Faces, View, Viewer
from mien.training.settings import Optimizer, Recipe
from mien.training.task import Task
from mien.training.validation import answers_of

OF_THE_FILE = ("mirror", "quantize")  # settings that matter only when a run is over
AHEAD = 6  # batches whose occluders are drawn before they are needed


def build_network(recipe: Recipe, task: Task) -> nn.Module:
    """Make the recipe's network with fresh weights drawn from its seed."""
    torch.manual_seed(recipe.seed)
    shape = recipe.network
    network = ResidualNetwork(
        task.heads,
        widths=shape.widths,
        blocks=shape.blocks,
        stem_stride=shape.stem_stride,
        excited_stages=shape.excited_stages,
        dropout=shape.dropout,
        pool=shape.pool,
    )
    return arranged(task.build(network), torch.channels_last)


def learning_rate(settings: Optimizer, epoch: float, epochs: int) -> float:
    """Rise in a line and fall in a cosine; from `restart_epoch` on fall once more, from less."""
    restart = settings.restart_epoch
    if restart and epoch >= restart:
        return settings.restart_rate * _fall((epoch - restart) / (epochs - restart))
    done = epoch / (restart or epochs)
    if done < settings.warmup_share:
        return settings.learning_rate * max(done / settings.warmup_share, 0.02)
    share = settings.warmup_share
    return settings.learning_rate * _fall((done - share) / (1 - share))


def _fall(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def train(recipe: Recipe, task: Task, out: Path, *, quiet: bool = False) -> Path:
    """Train until the recipe's epochs are done, resuming what is in `out`; give the best file."""
    out.mkdir(parents=True, exist_ok=True)
    network = build_network(recipe, task)
    average = build_network(recipe, task)
    optimizer = _optimizer(network, recipe.optimizer)
    viewer = Viewer(task.source, recipe)
    last, best = out / "last.safetensors", out / "best.safetensors"
    state = _resume(last, recipe, network, average, optimizer)
    steps = math.ceil(len(task.source) / recipe.batch_size)
    for epoch in range(state["epoch"], recipe.epochs):
        started, total = time.monotonic(), 0.0
        torch.manual_seed(
            recipe.seed * 100_003 + epoch
        )  # dropout, so that a resumed run is the same
        network.train()
        batches = progress.track(
            _batches(viewer, recipe, epoch),
            total=steps,
            description=f"epoch {epoch + 1} of {recipe.epochs}",
            quiet=quiet,
        )
        for step, (faces, view) in enumerate(batches):
            rate = learning_rate(recipe.optimizer, epoch + step / steps, recipe.epochs)
            for group in optimizer.param_groups:
                group["lr"] = rate
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bfloat16"):
                outputs = network(view.images.to(memory_format=torch.channels_last))
            loss = task.loss(outputs, faces, view)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), recipe.optimizer.clip)
            optimizer.step()
            _update_average(average, network, recipe.optimizer.ema, epoch * steps + step)
            total += _finite(loss.item(), faces, out)
        entry: dict[str, Any] = {
            "epoch": epoch + 1,
            "loss": round(total / steps, 5),
            "seconds": round(time.monotonic() - started, 1),
        }
        state["epoch"] = epoch + 1
        if (epoch + 1) % recipe.validate_every == 0 or epoch + 1 == recipe.epochs:
            figures = task.judge(answers_of(average, recipe.side))
            entry.update({name: round(value, 5) for name, value in figures.items()})
            if figures[task.selection] > state["best"]:
                state["best"] = figures[task.selection]
                state["best_epoch"] = epoch + 1
                checkpoint.save(
                    best, {"average": average.state_dict()}, {**state, "figures": figures}
                )
        _log(out / "log.jsonl", entry)
        progress.say(" ".join(f"{key}={value}" for key, value in entry.items()), quiet=quiet)
        groups = {
            "network": network.state_dict(),
            "average": average.state_dict(),
            "momentum": _momentum(optimizer),
        }
        checkpoint.save(last, groups, state)
    return best


def _batches(viewer: Viewer, recipe: Recipe, epoch: int) -> Iterator[tuple[Faces, View]]:
    """Yield the epoch's faces in a shuffled order; occluders are drawn in a thread, ahead."""
    order = np.random.default_rng([recipe.seed, epoch]).permutation(len(viewer.source))
    parts = np.array_split(order, math.ceil(len(order) / recipe.batch_size))
    generator = torch.Generator().manual_seed(recipe.seed * 7_919 + epoch)
    with ThreadPoolExecutor(1) as pool:
        waiting: list[Future[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]]] = []
        for number, faces in enumerate(parts):
            for ahead in parts[number + len(waiting) : number + AHEAD]:
                waiting.append(pool.submit(viewer.hide, ahead, epoch))
            images, states = waiting.pop(0).result()
            yield faces, viewer.view(faces, epoch, images, states, generator)


def _optimizer(network: nn.Module, settings: Optimizer) -> torch.optim.SGD:
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        groups, lr=settings.learning_rate, momentum=settings.momentum, nesterov=True
    )


@torch.no_grad()
def _update_average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    # Early on a long memory would hold the random start.
    weight = 1 - min(decay, (1 + step) / (10 + step))
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, weight)
        else:
            kept.copy_(new)


def _finite(loss: float, faces: Faces, out: Path) -> float:
    if math.isfinite(loss):
        return loss
    (out / "bad-batch.json").write_text(json.dumps(faces.tolist()), encoding="utf-8")
    raise MienError(
        f"the loss must be finite, got {loss}; the rows of the batch are in {out}/bad-batch.json; "
        "lower the learning rate"
    )


def _momentum(optimizer: torch.optim.SGD) -> dict[str, Tensor]:
    flat = [p for group in optimizer.param_groups for p in group["params"]]
    buffers = {str(i): optimizer.state[p].get("momentum_buffer") for i, p in enumerate(flat)}
    return {name: buffer for name, buffer in buffers.items() if buffer is not None}


def _resume(
    last: Path, recipe: Recipe, network: nn.Module, average: nn.Module, optimizer: torch.optim.SGD
) -> dict[str, Any]:
    if not last.exists():
        _start(recipe, network, average)
        return {"epoch": 0, "best": -1e9, "best_epoch": 0, "recipe": recipe.to_dict()}
    groups, state = checkpoint.load(last)
    stored = recipe.to_dict()
    old = state.get("recipe", {})
    changed = [k for k in stored if k not in OF_THE_FILE and old.get(k) != stored[k]]
    if changed:
        raise DataError(
            f"{last} was made by another recipe (differs in {', '.join(changed)}); "
            "name another --out folder or use the old recipe"
        )
    checkpoint.copy_into(network, groups["network"], str(last))
    checkpoint.copy_into(average, groups["average"], str(last))
    flat = [p for group in optimizer.param_groups for p in group["params"]]
    for name, buffer in groups.get("momentum", {}).items():
        optimizer.state[flat[int(name)]]["momentum_buffer"] = buffer
    return state


def _start(recipe: Recipe, network: nn.Module, average: nn.Module) -> None:
    if not recipe.start:
        return
    path = Path(recipe.start)
    if not path.is_file():
        raise DataError(f"no checkpoint at {path}; run the recipe that makes it first, or --start")
    groups, _ = checkpoint.load(path)
    for module in (network, average):
        checkpoint.copy_into(module, groups["average"], str(path))


def _log(path: Path, entry: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
