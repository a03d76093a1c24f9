"""From a trained network to an ONNX file that describes itself, compared before it counts."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor, nn

from mien.errors import ModelError
from mien.files import replacing
from mien.networks.residual import arranged
from mien.session import KEY, Metadata, Model, open_model

OPSET = 20
TOLERANCE = 1e-4
Inputs = npt.NDArray[np.float32]


class _Ordered(nn.Module):
    """Give the outputs as a tuple in the order of the metadata."""

    def __init__(self, network: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self.names = names

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network(inputs)
        return tuple(outputs[name].float() for name in self.names)


def export(network: nn.Module, metadata: Metadata, path: Path, inputs: Inputs) -> Model:
    """Write the network in eval() behaviour; refuse a file that differs from torch on `inputs`.

    `inputs` are float32 (N, C, H, W) as the preparation gives them. The largest difference
    allowed is 1e-4 of the output's own range (or of 1, if that is larger).
    """
    names = tuple(output.name for output in metadata.outputs)
    module = _Ordered(arranged(network.eval(), torch.contiguous_format), names)
    with replacing(path, advice="; free space or choose another") as temporary:
        _write(module, names, metadata, temporary, torch.from_numpy(inputs[:2]))
        _compare(module, open_model(temporary, kind=metadata.kind), inputs)
    return open_model(path, kind=metadata.kind)


def rewrite_metadata(path: Path, metadata: Metadata) -> None:
    """Replace what a model file says of itself; the network stays as it is."""
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {KEY: metadata.to_json()})
    with replacing(path) as temporary:
        onnx.save(model, temporary)


def _write(
    module: nn.Module, names: tuple[str, ...], metadata: Metadata, path: Path, example: Tensor
) -> None:
    batch = torch.export.Dim("n", min=1)
    with _quiet_exporter():
        torch.onnx.export(
            module,
            (example,),
            path,
            dynamo=True,
            external_data=False,
            verbose=False,
            opset_version=OPSET,
            input_names=["input"],
            output_names=list(names),
            dynamic_shapes={"inputs": {0: batch}},
        )
    model = onnx.load(path)
    # Stack traces of the machine it was made on are of no use to a reader.
    for node in model.graph.node:
        del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    onnx.helper.set_model_props(model, {KEY: metadata.to_json()})
    onnx.save(model, path)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep the exporter's own deprecations and its remarks on torchvision from the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _compare(module: nn.Module, model: Model, inputs: Inputs) -> None:
    given = model.run(inputs)
    with torch.inference_mode():
        wanted = [part.numpy() for part in module(torch.from_numpy(inputs))]
    for name, truth in zip(given, wanted, strict=True):
        difference = relative_difference(given[name], truth)
        if not difference <= TOLERANCE:
            raise ModelError(
                f"the exported output {name!r} must equal torch's to {TOLERANCE:g}, "
                f"it differs by {difference:.2g}; report this with the versions of torch and onnx"
            )


def relative_difference(given: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    """Give the largest difference in parts of the truth's largest value, or of 1."""
    return float(np.abs(given - truth).max() / max(1.0, float(np.abs(truth).max())))
