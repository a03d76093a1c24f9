"""One process or several that torchrun starts: shares of a batch, one loss, one judgement."""

from __future__ import annotations

import atexit
import gc
import inspect
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mien.errors import MienError, UsageError
from mien.training.faces import Faces, View

# How DDP is told to leave running statistics alone: torch 2.13 has given it another name.
_BUFFERS = next(
    name
    for name in ("forward_sync_buffers", "broadcast_buffers")
    if name in inspect.signature(DistributedDataParallel).parameters
)
Thing = TypeVar("Thing")
DEVICES = "expected cpu, cuda, cuda:N or auto"


@dataclass(frozen=True)
class World:
    """The processes of a run and this one's place among them; every method is easy for one."""

    device: str = "cpu"
    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, rows: Faces) -> Faces:
        """Give this process's part of rows."""
        return rows[self.rank :: self.size]

    def wrap(self, network: nn.Module) -> nn.Module:
        """Let gradients be the mean over the processes."""
        if self.size == 1:
            return network
        # Of weights of one channel both layouts are one; the remark on it would come each time.
        warnings.filterwarnings("ignore", "Grad strides do not match", UserWarning)
        cards = [self.device] if self.device.startswith("cuda") else None
        wrapped: Callable[..., nn.Module] = DistributedDataParallel
        return wrapped(network, device_ids=cards, **{_BUFFERS: False})

    def whole(
        self, outputs: dict[str, Tensor], view: View, count: int
    ) -> tuple[dict[str, Tensor], View]:
        """Lay the outputs and truths of all processes out in the order of the batch of `count`.

        Only this process's rows carry gradients. Each process so computes the loss of the whole
        batch, whatever its weights are, and the sum of their gradients is that of one process.
        Images stay those of this process.
        """
        if self.size == 1:
            return outputs, view
        order = np.argsort(self._order(count))
        joined = {name: self._joined(rows, order, count) for name, rows in outputs.items()}
        names = [entry.name for entry in fields(view) if entry.name != "images"]
        mine = {name: getattr(view, name) for name in names if getattr(view, name) is not None}
        return joined, replace(view, **self.rows(mine, count))

    def _joined(self, rows: Tensor, order: npt.NDArray[np.int64], count: int) -> Tensor:
        longest = -(-count // self.size)
        padded = rows.new_zeros((longest, *rows.shape[1:]))
        padded[: len(rows)] = rows.detach()
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(parts, padded)
        lengths = [len(range(rank, count, self.size)) for rank in range(self.size)]
        kept = [part[:length] for part, length in zip(parts, lengths, strict=True)]
        kept[self.rank] = rows
        return torch.cat(kept)[torch.from_numpy(order).to(rows.device)]

    def rows(self, mine: Mapping[str, npt.NDArray[Any]], count: int) -> dict[str, Any]:
        """Join arrays whose rows are shared out; no row twice."""
        if self.size == 1:
            return dict(mine)
        parts = self.gathered(dict(mine))
        order = np.argsort(self._order(count))
        return {name: np.concatenate([part[name] for part in parts])[order] for name in mine}

    def gathered(self, mine: Thing) -> list[Thing]:
        """Give what each process has."""
        parts = [mine] * self.size
        if self.size > 1:
            dist.all_gather_object(parts, mine)
        return parts

    def most(self, mine: int) -> int:
        """Give the largest number that a process has."""
        return max(self.gathered(mine))

    def _order(self, count: int) -> npt.NDArray[np.int64]:
        rows = np.arange(count)
        return np.concatenate([rows[rank :: self.size] for rank in range(self.size)])

    def agree(self, network: nn.Module) -> None:
        """Average what each process's batches left in the network: running statistics."""
        for buffer in network.buffers() if self.size > 1 else ():
            if buffer.dtype.is_floating_point:
                dist.all_reduce(buffer)
                buffer /= self.size

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier()


def join(device: str = "cpu") -> World:
    """Take this process's place among those of torchrun; alone where there are no others."""
    size = _number("WORLD_SIZE", 1)
    if size == 1:
        return World(device_named(device))
    found = device_named(device, _number("LOCAL_RANK", 0))
    if not dist.is_initialized():
        _connect("nccl" if found.startswith("cuda") else "gloo")
    return World(found, dist.get_rank(), dist.get_world_size())


def is_first() -> bool:
    """Tell whether this is the only process or the one that writes."""
    return _number("RANK", 0) == 0


def device_named(name: str, local_rank: int | None = None) -> str:
    """Check a device's name; give each process of a machine a card of its own."""
    kind, _, card = name.partition(":")
    if kind not in ("cpu", "cuda", "auto") or not (card or "0").isdecimal():
        raise UsageError(f"unknown device {name!r}; {DEVICES}")
    if kind == "cpu" or (kind == "auto" and not torch.cuda.is_available()):
        return "cpu"
    if not torch.cuda.is_available():
        raise UsageError(
            f"the device must be there, but torch {torch.__version__} finds no CUDA for {name!r}; "
            "take --device cpu or auto, or install torch with CUDA"
        )
    chosen = f"cuda:{local_rank}" if local_rank is not None else name.replace("auto", "cuda")
    number = int(chosen.partition(":")[2] or 0)
    if number >= torch.cuda.device_count():
        raise UsageError(
            f"the device {chosen} must be there, found {torch.cuda.device_count()} cards; "
            "take another number, or fewer processes"
        )
    if local_rank is not None:
        torch.cuda.set_device(number)
    return chosen


def _connect(backend: str) -> None:
    # DDP would import it later, and functions of it then take the group for a default: the group
    # and its threads would stay until the interpreter is gone, and a thread that gives a tensor
    # back only then aborts the process.
    import torch.distributed.nn.functional  # noqa: F401

    try:
        dist.init_process_group(backend)
    except (RuntimeError, ValueError) as exc:
        where = f"{os.environ.get('MASTER_ADDR', '?')}:{os.environ.get('MASTER_PORT', '?')}"
        raise MienError(
            f"the processes of this run must meet at {where}, but cannot: {_first_line(exc)}; "
            "if another run uses the port, set MASTER_PORT (torchrun --master-port) to a free one"
        ) from exc
    atexit.register(_leave)


def _leave() -> None:
    # Destroying joins the threads only where nothing holds on to the group: not the wrapped
    # network of a training that was stopped, which the error's cycles keep.
    gc.collect()
    dist.destroy_process_group()


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [repr(exc)])[0]


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)
