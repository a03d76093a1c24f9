"""What the server answers, as data and as the schema that /openapi.json tells."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mien import occlusion, weights
from mien.records import Prediction
from mien.serve.engine import Engine, Found
from mien.serve.problems import KINDS, Problem

SCHEMA = "mien.serve/1"
Body = dict[str, Any]


@dataclass(frozen=True)
class FaceFound:
    """A face; its box and points in pixels of the upright image, left, top, right, bottom."""

    box_xyxy: list[float]
    score: float
    expression: str
    probability: float
    probabilities: dict[str, float]
    hidden: list[str]
    certain: bool
    points_xy: list[list[float]] | None = None


@dataclass(frozen=True)
class Failure:
    """Why there is no answer: a code that stays, words that may change, and what to do."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class Read:
    """An image that was read: its faces, largest first, or why it could not be read."""

    name: str
    width: int | None = None
    height: int | None = None
    faces: list[FaceFound] | None = None
    ms: float | None = None
    error: Failure | None = None


@dataclass(frozen=True)
class Predicted:
    """The answer of /v1/predict: an entry an image, in their order."""

    schema: str
    results: list[Read]


@dataclass(frozen=True)
class Drawn:
    """A picture with something drawn over its faces, as a data URL, and what is then read."""

    occluder: str
    image: str
    width: int
    height: int
    faces: list[FaceFound]


@dataclass(frozen=True)
class Hidden:
    """The answer of /v1/occlude: an entry an occluder, in their order."""

    schema: str
    results: list[Drawn]


@dataclass(frozen=True)
class Shipped:
    """A model that the server could use."""

    name: str
    kind: str
    default: bool
    description: str
    bytes: int
    sha256: str
    licence: str


@dataclass(frozen=True)
class Occluder:
    """A thing that /v1/occlude and /v1/live can hide faces behind."""

    name: str
    style: str
    hides: str


@dataclass(frozen=True)
class Models:
    """The answer of /v1/models.

    `labels` are the expressions by the names that the option `labels` takes, the usual one first.
    """

    schema: str
    model: str
    labels: dict[str, list[str]]
    regions: list[str]
    mirror: bool
    trained_on: list[dict[str, Any]]
    results: dict[str, Any]
    models: list[Shipped]
    occluders: list[Occluder]
    limits: dict[str, float]


@dataclass(frozen=True)
class Status:
    """Whether the server is well."""

    status: str


@dataclass(frozen=True)
class Refused:
    """The body of every answer that is an error."""

    error: Failure


def faces(predictions: Iterable[Prediction], *, points: bool = False) -> list[Body]:
    """Give faces as plain values."""
    return [prediction.to_dict(points=points) for prediction in predictions]


def predicted(names: Sequence[str], answers: Sequence[Found | Problem], *, points: bool) -> Body:
    """Answer with the faces of each image, or with what is wrong with it."""
    results = [
        answer.to_dict(name) if isinstance(answer, Problem) else _read(answer, points)
        for name, answer in zip(names, answers, strict=True)
    ]
    entries = [{"name": name, **found} for name, found in zip(names, results, strict=True)]
    return {"schema": SCHEMA, "results": entries}


def models(engine: Engine) -> Body:
    """Tell which model answers, what it can say, and what else there is."""
    metadata = engine.metadata
    shipped = [
        Shipped(e.name, e.kind, e.default, e.description, e.bytes, e.sha256, e.licence)
        for e in (*weights.list_models(), *weights.added().values())
    ]
    kinds = occlusion.OCCLUDERS.items()
    regions = [name for o in metadata.of_kind("regions").values() for name in o.labels]
    return asdict(
        Models(
            schema=SCHEMA,
            model=metadata.name,
            labels={name: list(output.labels) for name, output in engine.outputs.items()},
            regions=regions,
            mirror=engine.usual.mirror,
            trained_on=list(metadata.trained_on),
            results=metadata.results,
            models=shipped,
            occluders=[Occluder(name, kind.style, kind.doc) for name, kind in kinds],
            limits=asdict(engine.limits),
        )
    )


def refusals(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Describe answers that are errors, for /openapi.json."""
    described: dict[int | str, dict[str, Any]] = {}
    for code in ("unauthorized", *codes):
        status, hint = KINDS[code]
        found = described.setdefault(status, {"model": Refused, "description": code})
        if code not in found["description"]:
            found["description"] += f", {code}"
        error = {"code": code, "message": "what was expected, and what was found", "hint": hint}
        found["content"] = {"application/json": {"example": {"error": error}}}
    return described


def _read(found: Found, points: bool) -> Body:
    height, width = found.size_hw
    return {
        "width": width,
        "height": height,
        "faces": faces(found.predictions, points=points),
        "ms": round(found.seconds * 1000, 1),
    }


FACE = {
    "box_xyxy": [181.5, 61.2, 266.9, 178.4],
    "score": 0.91,
    "expression": "happiness",
    "probability": 0.97,
    "probabilities": {"neutral": 0.02, "happiness": 0.97, "surprise": 0.01},
    "hidden": [],
    "certain": True,
}
_PREDICTED = {"name": "photo.jpg", "width": 512, "height": 512, "faces": [FACE], "ms": 38.2}
_DRAWN = {
    "occluder": "mouth",
    "image": "data:image/png;base64,iVBORw0KGgo=",
    "width": 512,
    "height": 512,
    "faces": [{**FACE, "expression": "neutral", "hidden": ["mouth"], "certain": False}],
}
EXAMPLES: dict[Any, Body] = {
    Predicted: {"schema": SCHEMA, "results": [_PREDICTED]},
    Hidden: {"schema": SCHEMA, "results": [_DRAWN]},
    Status: {"status": "ok"},
}


def answer(model: Any) -> dict[int | str, dict[str, Any]]:
    """Describe an answer that is none of the errors, for /openapi.json."""
    described: dict[str, Any] = {"model": model, "description": (model.__doc__ or "").strip()}
    if model in EXAMPLES:
        described["content"] = {"application/json": {"example": EXAMPLES[model]}}
    return {200: described}
