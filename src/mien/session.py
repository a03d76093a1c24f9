"""Open a model file: check its hash, its metadata and the provider it runs on.

The one place that knows onnxruntime. Whatever can be wrong with a file is a ModelError.
"""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mien import weights
from mien.errors import ModelError, unknown_name
from mien.progress import cores

FORMAT = 1
KEY = "mien"
KINDS = ("expression", "landmarks", "detector")
QUIET = 4  # onnxruntime writes to stderr what it raises as well
# Up to this size a network's operators are too small to share between threads: rows are shared.
SMALL_BYTES = 10_000_000


@dataclass(frozen=True)
class Output:
    """One answer of a model: what its columns are, and how its logits become decisions.

    prior: the share of each label among the faces it was trained on, where that is known.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    temperature: float = 1.0
    thresholds: dict[str, float] = field(default_factory=dict)
    prior: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "prior", tuple(self.prior))
        if self.prior and not (len(self.prior) == len(self.labels) and min(self.prior) > 0):
            raise ValueError(
                f"output {self.name!r}: prior must be a share > 0 for each label, got {self.prior}"
            )
        if not self.temperature > 0:
            raise ValueError(
                f"output {self.name!r}: temperature must be > 0, got {self.temperature}"
            )


@dataclass(frozen=True)
class Metadata:
    """What a model file says of itself, as JSON under the key `mien`."""

    kind: str
    name: str
    size_hw: tuple[int, int]
    preparation: dict[str, Any]
    outputs: tuple[Output, ...]
    trained_on: tuple[dict[str, Any], ...]
    recipe_sha256: str
    results: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def __post_init__(self) -> None:
        height, width = self.size_hw
        object.__setattr__(self, "size_hw", (int(height), int(width)))
        object.__setattr__(self, "trained_on", tuple(self.trained_on))
        if self.kind not in KINDS:
            raise ValueError(unknown_name("kind", str(self.kind), KINDS))

    @property
    def mirror(self) -> bool:
        """Whether its answers are meant to be averaged over a face and its mirror image."""
        return bool(self.extra.get("mirror", False))

    def output(self, name: str) -> Output:
        """Find an output by name."""
        for found in self.outputs:
            if found.name == name:
                return found
        names = [found.name for found in self.outputs]
        raise ModelError(unknown_name(f"output of {self.name}", name, names))

    def of_kind(self, kind: str) -> dict[str, Output]:
        """Give the outputs of a kind, by name."""
        return {output.name: output for output in self.outputs if output.kind == kind}

    def to_json(self) -> str:
        """Write what `from_json` reads."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Metadata":
        """Read the JSON; raise ValueError or TypeError naming what is missing or wrong."""
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError(f"expected an object, found {type(found).__name__}")
        if found.get("format") != FORMAT:
            raise ValueError(f"expected format {FORMAT}, found {found.get('format')!r}")
        outputs = tuple(Output(**fields) for fields in found.pop("outputs", ()))
        return cls(outputs=outputs, **found)


class Model:
    """An open model file. Safe to share between threads."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        metadata: Metadata,
        path: Path,
        sha256: str,
        workers: int = 1,
    ) -> None:
        self.metadata = metadata
        self.path = path
        self.sha256 = sha256
        self._session = session
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers)  # starts its threads when they are needed
        self._input = session.get_inputs()[0]
        self.input_name: str = self._input.name
        self._outputs = [output.name for output in metadata.outputs]

    def run(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run float32 inputs (N, C, H, W); give each output by its name, N rows each."""
        self._check(inputs)
        parts = np.array_split(inputs, max(1, min(self._workers, len(inputs))))
        try:
            if len(parts) == 1:
                found = [self._part(inputs)]
            else:
                found = list(self._pool.map(self._part, parts))
        except Exception as error:  # onnxruntime's errors have no common base of their own
            raise ModelError(f"{self.path} cannot be run: {_first_line(error)}") from error
        columns = zip(*found, strict=True)
        return {
            name: rows[0] if len(rows) == 1 else np.concatenate(rows)
            for name, rows in zip(self._outputs, columns, strict=True)
        }

    def _part(self, inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = self._session.run(
            self._outputs, {self.input_name: inputs}
        )
        return found

    def _check(self, inputs: NDArray[np.float32]) -> None:
        expected = self._input.shape
        fits = inputs.ndim == len(expected) and all(
            not isinstance(axis, int) or axis == size
            for axis, size in zip(expected, inputs.shape, strict=True)
        )
        if inputs.dtype != np.float32 or not fits:
            shape = ", ".join(map(str, expected))
            raise ModelError(
                f"{self.path.name} takes float32 ({shape}), got {inputs.dtype} {inputs.shape}"
            )


def open_model(
    path: str | Path,
    *,
    kind: str,
    provider: str = "cpu",
    threads: int | None = None,
    sha256: str | None = None,
) -> Model:
    """Open a model by path or by its shipped name.

    The hash is checked against `sha256`, or against the manifest where the file is a shipped one.
    """
    path = weights.path_of(path)
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    _check_hash(path, found, sha256 or weights.expected_sha256(path))
    shared = provider.lower() == "cpu" and kind != "detector" and len(content) <= SMALL_BYTES
    session = _start(path, content, provider, 1 if shared else threads)
    metadata = _metadata(path, session, kind)
    workers = (threads or cores()) if shared else 1
    return Model(session, metadata, path, found, workers)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror}") from error


def _check_hash(path: Path, found: str, expected: str | None) -> None:
    if expected and found != expected:
        raise ModelError(
            f"{path} must have SHA-256 {expected}, found {found};"
            " the file was changed or cut short: put the original back or reinstall mien"
        )


def _start(
    path: Path, content: bytes, provider: str, threads: int | None
) -> onnxruntime.InferenceSession:
    asked = _provider(provider)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = QUIET
    options.intra_op_num_threads = threads or 0
    # Threads that wait in a loop take the time of the other models' threads: two photographs in
    # the time of one without.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=[asked])
    except Exception as error:  # as in Model.run
        raise ModelError(
            f"expected an ONNX file at {path}, found one that onnxruntime"
            f" {onnxruntime.__version__} cannot open: {_first_line(error)}"
        ) from error
    if session.get_providers()[0] != asked[0]:
        raise ModelError(
            f"asked onnxruntime for provider {provider!r}, got {session.get_providers()[0]};"
            " check its driver and libraries, or use --provider cpu"
        )
    return session


def _provider(name: str) -> tuple[str, dict[str, str]]:
    """Translate `cuda` to onnxruntime's own name, with its options."""
    available = {
        full.removesuffix("ExecutionProvider").lower(): full
        for full in onnxruntime.get_available_providers()
    }
    if name.lower() not in available:
        raise ModelError(
            f"{unknown_name('provider', name, available)}: those are what this onnxruntime has;"
            " install the onnxruntime package of that provider (onnxruntime-gpu for cuda)"
        )
    # TF32 would round away more than the batch size may change.
    options = {"use_tf32": "0"} if name.lower() == "cuda" else {}
    return available[name.lower()], options


def _metadata(path: Path, session: onnxruntime.InferenceSession, kind: str) -> Metadata:
    """Read and check what the file says of itself."""
    text = session.get_modelmeta().custom_metadata_map.get(KEY)
    if text is None:
        raise ModelError(
            f"{path} must carry metadata under the key {KEY!r}, found none;"
            " export it with mien train"
        )
    try:
        metadata = Metadata.from_json(text)
    except (ValueError, TypeError) as error:
        raise ModelError(f"the metadata of {path} cannot be used: {_missing(error)}") from error
    if metadata.kind != kind:
        raise ModelError(f"expected a model of kind {kind!r}, found {metadata.kind!r} in {path}")
    _check_outputs(path, session, metadata)
    return metadata


def _check_outputs(path: Path, session: onnxruntime.InferenceSession, metadata: Metadata) -> None:
    shapes: Mapping[str, list[Any]] = {out.name: out.shape for out in session.get_outputs()}
    for output in metadata.outputs:
        if output.name not in shapes:
            raise ModelError(
                f"{path} must have an output {output.name!r}, found {', '.join(shapes)}"
            )
        columns = shapes[output.name][-1]
        if output.kind in ("expression", "regions") and columns != len(output.labels):
            raise ModelError(
                f"output {output.name!r} of {path} must have a column for each of its"
                f" {len(output.labels)} labels, found {columns}"
            )


def _missing(error: Exception) -> str:
    """Say what a dataclass missed without naming its constructor."""
    return str(error).replace("Metadata.__init__() ", "").replace("Output.__init__() ", "")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
