"""Eight-bit integers for floats: a quarter of the size, about half the time."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

from mien.files import replacing
from mien.session import Model, open_model

OPERATORS = ("Conv", "Add", "Mul", "Relu")
BATCH = 64
Inputs = npt.NDArray[np.float32]


def quantize(model: Model, examples: Inputs) -> Model:
    """Replace the operators of a model's file by 8-bit ones.

    Ranges are those of `examples`, float32 (N, C, H, W) as the preparation gives them: faces as
    they will be met, hidden ones too. Weights are scaled a channel at a time and take seven bits:
    processors without VNNI add pairs of products in 16 bits, where eight would overflow. The
    first convolution and what is done to the image before it stay as they are: they cost little,
    and their input carries the most detail.
    """
    path = model.path
    graph = onnx.load(path)
    join_pools(graph.graph)
    with replacing(path) as temporary:
        with _quiet():
            quantize_static(
                graph,
                temporary,
                _Examples(model.input_name, examples),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(OPERATORS),
                nodes_to_exclude=_up_to_first_convolution(graph.graph),
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
    return open_model(path, kind=model.metadata.kind)


class _Examples:
    """What onnxruntime calls a CalibrationDataReader: anything that gives batches."""

    def __init__(self, name: str, examples: Inputs) -> None:
        starts = range(0, len(examples), BATCH)
        self._batches = iter([{name: examples[at : at + BATCH]} for at in starts])

    def get_next(self) -> dict[str, Inputs] | None:
        return next(self._batches, None)


def join_pools(graph: onnx.GraphProto) -> None:
    """Make one convolution of an average over squares and the 1x1 after it: pools are slow."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    readers = Counter(name for node in graph.node for name in node.input)
    pools = {node.output[0]: node for node in graph.node if node.op_type == "AveragePool"}
    for node in list(graph.node):
        pool = pools.get(node.input[0]) if node.op_type == "Conv" else None
        if pool is None or readers[node.input[0]] > 1 or node.input[1] not in stored:
            continue
        settings = {a.name: helper.get_attribute_value(a) for a in pool.attribute}
        kernel = settings["kernel_shape"]
        weights = numpy_helper.to_array(stored[node.input[1]])
        plain = settings["strides"] == kernel and not any(settings.get("pads", []))
        if not plain or settings.get("ceil_mode") or weights.shape[2:] != (1, 1):
            continue
        spread = np.tile(weights / np.float32(np.prod(kernel)), (1, 1, *kernel))
        stored[node.input[1]].CopyFrom(numpy_helper.from_array(spread, node.input[1]))
        del node.attribute[:]
        node.attribute.extend(helper.make_attribute(k, kernel) for k in ("kernel_shape", "strides"))
        node.input[0] = pool.input[0]
        graph.node.remove(pool)
    del graph.value_info[:]  # the shapes of what changed are found again


def _up_to_first_convolution(graph: onnx.GraphProto) -> list[str]:
    """Name the nodes up to the first that makes features; filters of images keep the channels.

    Each network of an ensemble has such a first one.
    """
    sizes = {tensor.name: tensor.dims[0] for tensor in graph.initializer if tensor.dims}
    names, features = [], set[str]()
    for node in graph.node:
        first = features.isdisjoint(node.input)
        if first:
            names.append(str(node.name))
        groups = next((a.i for a in node.attribute if a.name == "group"), 1)
        makes = node.op_type == "Conv" and sizes.get(node.input[1], groups + 1) > groups
        if makes or not first:
            features.update(node.output)
    return names


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the advice of onnxruntime's quantizer from the user."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
