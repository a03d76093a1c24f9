"""Grad-CAM of torch checkpoints: which places of a face speak for an expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.errors import DataError, MissingExtraError
from mien.networks.denoising import Denoise
from mien.preparation import Preparation
from mien.session import open_model
from mien.training import checkpoint
from mien.training.building import fresh, untaught
from mien.training.exporting import checkpoint_of, recipe_of
from mien.training.expression import ANSWERS, HEADS
from mien.training.labelled import HEAD
from mien.training.losses import OneForEach
from mien.training.settings import Recipe

LEAST = 6  # pixels a side: a smaller map shows no part of a face
AT_ONCE = 32

Answers = Mapping[str, tuple[str, ...]]  # the expressions of each output


@dataclass(frozen=True, eq=False)
class Opened:
    """The network of a checkpoint, the expressions of its outputs, and how faces are laid out.

    Its outputs are logits, also where a run asks of each expression by itself.
    """

    path: Path
    network: nn.Module
    answers: Answers
    preparation: Preparation

    def inputs(self, crops: NDArray[np.uint8], cut_by: Preparation) -> NDArray[np.float32]:
        """Lay out faces that another preparation cut; what that equalised stays so."""
        same = cut_by.equalize == self.preparation.equalize
        steps = replace(self.preparation, equalize="none") if same else self.preparation
        return self.preparation.normalized(np.stack([steps.whole(crop) for crop in crops]))


def open_network(path: Path) -> Opened:
    """Open what a run of `mien train` kept: its folder, or a checkpoint.

    Where its file takes the grain off a face first, the network given here does, too.
    """
    path = checkpoint_of(path)
    recipe, (groups, state) = recipe_of(path), checkpoint.load(path)
    if recipe.task == "landmarks":
        raise DataError(
            f"{path} is of a recipe with task 'landmarks', which answers with points; Grad-CAM"
            " explains expressions: name a run of task expression or labels"
        )
    answers, preparation = _shown(path, recipe, state)
    heads = HEADS if recipe.task == "expression" else {HEAD: len(answers.get(HEAD, ()))}
    network = fresh(untaught(recipe), heads)
    asked_each = recipe.task == "labels" and recipe.losses.kind == "binary"
    whole = OneForEach(network) if asked_each else network
    checkpoint.copy_into(whole, groups["average"], str(path))
    if recipe.denoise:
        calm = Denoise()
        network.register_forward_pre_hook(lambda _, given: (calm(given[0]),))
    return Opened(path, network.eval(), answers, preparation)


def columns(
    opened: Opened, labels: Sequence[str], targets: NDArray[np.int64]
) -> tuple[str, NDArray[np.int64]]:
    """Find the output that can say the targets, at best all labels, and their places there."""
    asked = {labels[at] for at in targets.tolist()}
    able = {name: own for name, own in opened.answers.items() if asked <= {*own}}
    if not able:
        known = "; ".join(", ".join(own) for own in opened.answers.values())
        raise DataError(
            f"{opened.path} must know {', '.join(sorted(asked))}, which is to be explained; it"
            f" answers {known}: explain those, or name another checkpoint"
        )
    head = min(able, key=lambda name: (not {*labels} <= {*able[name]}, len(able[name])))
    return head, np.array([able[head].index(labels[at]) for at in targets.tolist()], np.int64)


def grad_cam(
    opened: Opened,
    inputs: NDArray[np.float32],
    targets: NDArray[np.int64],
    *,
    layer: str,
    head: str,
    size_hw: tuple[int, int] | None = None,
) -> NDArray[np.float64]:
    """Give for inputs (N, C, H, W) what speaks for their targets (N,): (N, H, W), 0 to 1.

    `size_hw` asks for maps of another size.
    """
    check()
    from captum.attr import LayerAttribution, LayerGradCam

    def logits(given: Tensor) -> Tensor:
        found: Tensor = opened.network(given)[head]
        return found

    cam = LayerGradCam(logits, opened.network.get_submodule(layer))
    parts = []
    for first in range(0, len(inputs), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        images, wanted = torch.from_numpy(inputs[some]), torch.from_numpy(targets[some])
        found = cam.attribute(images, target=wanted, relu_attributions=True)
        large = LayerAttribution.interpolate(found, size_hw or inputs.shape[2:], "bilinear")
        parts.append(large.detach()[:, 0].double().numpy())
    maps = np.concatenate(parts)
    return np.asarray(maps / (float(maps.max()) or 1.0))


def check() -> None:
    """Tell whether Grad-CAM can be computed, before the work that it is added to."""
    try:
        import captum.attr  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("Grad-CAM", "captum", "study") from error


def layer_of(opened: Opened, face: NDArray[np.float32], head: str) -> str:
    """Name the deepest layer whose map still shows parts of a face (1, C, H, W).

    All that an output says must have passed through it, so a branch beside a shortcut is no answer,
    and before it through no smaller map, which pooling to a given size would only enlarge.
    """
    opened.network.requires_grad_(False)  # then an output hears of the image, or of nothing
    image = torch.from_numpy(face).requires_grad_()
    ran = [(name, _kind(shape)) for name, shape in _ran(opened.network, image)]

    def narrow(kinds: tuple[str, ...], upto: int) -> int | None:
        """Find the last of these kinds through which all passes."""
        places = (at for at in reversed(range(upto)) if ran[at][1] in kinds)
        network = opened.network
        return next((at for at in places if _passes(network, ran[at][0], image, head)), None)

    found = narrow(("map", "other"), len(ran))
    while found is not None and (smaller := narrow(("small",), found)) is not None:
        found = narrow(("map", "other"), smaller)
    if found is not None and ran[found][1] == "map":
        return ran[found][0]
    raise DataError(
        f"the network of {opened.path} has no map of {LEAST}x{LEAST} places or more that its answer"
        " rests on, as convolutions give them; Grad-CAM cannot explain it: leave --checkpoint out,"
        " or train on larger faces or a convolutional network"
    )


def _shown(path: Path, recipe: Recipe, state: Mapping[str, Any]) -> tuple[Answers, Preparation]:
    """Say what a network answers and is shown: of old checkpoints the model file beside them."""
    found = state.get(checkpoint.SHOWN)
    if found:
        answers = {name: tuple(labels) for name, labels in found["answers"].items()}
        return answers, Preparation.from_json(found["preparation"])
    file = path.with_name(f"{recipe.name}.onnx")
    if recipe.task == "expression":
        side = (recipe.side, recipe.side)
        return ANSWERS, Preparation(side, crop="whole", colour="grey", normalize="per-image")
    if not file.is_file():
        raise DataError(
            f"{path} does not say its expressions, as it is of an earlier version; put the model"
            f" file of its run, {file.name}, beside it"
        )
    said = open_model(file, kind="expression").metadata
    answers = {one.name: one.labels for one in said.outputs if one.kind == "expression"}
    return answers, Preparation.from_json(said.preparation)


def _ran(network: nn.Module, image: Tensor) -> Iterator[tuple[str, torch.Size]]:
    """List the layers that run once, in the order in which they end, and what they give."""
    ended: list[tuple[str, torch.Size]] = []

    def hook_of(name: str) -> Any:
        return lambda _, __, output: (
            ended.append((name, output.shape)) if isinstance(output, Tensor) else None
        )

    layers = {name: layer for name, layer in network.named_modules() if name}
    hooks = [layer.register_forward_hook(hook_of(name)) for name, layer in layers.items()]
    try:
        with torch.no_grad():
            network(image)
    finally:
        for hook in hooks:
            hook.remove()
    names = [name for name, _ in ended]
    return ((name, shape) for name, shape in ended if names.count(name) == 1)


def _kind(shape: torch.Size) -> str:
    """Tell a map (1, C, S, S), also a small one, from other orders of places.

    Those are a list (1, L, C) and channels last (1, S, S, C). Input is square, and so are maps.
    """
    if len(shape) == 4 and shape[2] == shape[3]:
        return "map" if shape[2] >= LEAST else "small"
    if len(shape) == 4 and shape[1] == shape[2] >= LEAST:
        return "other"
    return "other" if len(shape) == 3 and shape[1] >= LEAST**2 else ""


def _passes(network: nn.Module, name: str, image: Tensor, head: str) -> bool:
    """Tell whether an output hears of the image through this layer alone: cut there, it is deaf."""
    cut = network.get_submodule(name).register_forward_hook(
        lambda _, __, output: output.detach().clone()
    )
    try:
        return not network(image)[head].requires_grad
    finally:
        cut.remove()
