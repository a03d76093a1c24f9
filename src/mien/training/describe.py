"""What an exported file says of itself: outputs, preparation, calibration, origin, results."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mien import geometry, metrics
from mien.data import labels as vote_rules
from mien.data import rights
from mien.data.table import FaceTable
from mien.expressions import EXPRESSIONS, EXPRESSIONS_7
from mien.faces.landmarks import Landmarker
from mien.preparation import Preparation
from mien.recognizer import ExpressionReader
from mien.session import Metadata, Model, Output
from mien.training import calibrate
from mien.training.expression import REGIONS, seven
from mien.training.faces import Source, plain_view
from mien.training.landmarks import NO_FACE_COLUMN, NO_FACE_FROM
from mien.training.settings import Recipe
from mien.training.validation import Answer

DATA_SETS = ("fer2013", "ferplus")
TRAINED_ON = (
    *map(rights.record, DATA_SETS),
    {
        "data_set": "68 points a face, predicted by MediaPipe Face Mesh 0.10.21",
        "licence": "Apache-2.0",
        "redistribution": "allowed",
        "commercial_training": "allowed",
        "public_weights": "allowed",
        "source": "Kartynnik et al. 2019, arXiv 1907.06724",
    },
)
AT_ONCE = 256
LOST_FACES = 0.002  # share of true faces that the face threshold may turn away
# A detector's box is no crop: the landmark crop is a square of `box_side` mean sides of the box,
# moved by (box_dx, box_dy) of its width and height, which frames a face as FER-2013 does.
FRAMING = {"box_side": 1.16, "box_dx": 0.01, "box_dy": -0.01}

# What the figures of a run are called for people.
MEASURED = {
    "ferplus": "accuracy by FER+ votes (majority)",
    "fer2013": "accuracy by FER-2013's labels",
    "hidden": "AUC of hidden or not",
    "error": "mean point error of one pass, % of the box",
    "error-moved": "mean point error of one pass, % of the box, face moved and turned",
    "face": "AUC of a face or none",
}
FACES = {
    "none": "whole faces",
    "mask-polygon": "lower half masked",
    "eyes": "eyes hidden",
    "mouth": "mouth hidden",
    "auc": "all crops",
}


@dataclass(frozen=True)
class Described:
    """A run that is over: its recipe, its faces, the figures of its best epoch."""

    recipe: Recipe
    source: Source
    figures: dict[str, float]


def describe(
    run: Described, model: Model | None = None, public: FaceTable | None = None
) -> Metadata:
    """Make the metadata; with the exported model and the public part also its calibration."""
    expression = run.recipe.task == "expression"
    outputs = _expression_outputs() if expression else _landmark_outputs()
    if model is not None and public is not None:
        fit = _calibrated_expression if expression else _calibrated_landmarks
        outputs = fit(outputs, model, public)
    return Metadata(
        kind=run.recipe.task,
        name=run.recipe.name,
        size_hw=(run.recipe.side, run.recipe.side),
        preparation=_preparation(run).to_json(),
        outputs=outputs,
        trained_on=TRAINED_ON,
        recipe_sha256=run.recipe.sha256(),
        results={"FER-2013 PublicTest": _results(run.figures)},
        extra={
            **({"mirror": run.recipe.mirror} if expression else FRAMING),
            "rights": asdict(rights.strictest(DATA_SETS)),
        },
    )


def answers_of(model: Model) -> Answer:
    """Answer as the file is used: expressions over the views that its metadata name."""
    if model.metadata.kind == "expression":
        reader = ExpressionReader(model.path)
        whole = reader.preparation.whole
        return lambda faces: reader.outputs(np.stack([whole(face) for face in faces]))
    side = model.metadata.size_hw[0]

    def answer(faces: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        starts = range(0, len(faces), AT_ONCE)
        parts = [model.run(plain_view(faces[at : at + AT_ONCE], side).numpy()) for at in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return answer


def _results(figures: dict[str, float]) -> dict[str, float]:
    """Name the figures of the public part in words; what only chose the epoch stays out."""
    named = {}
    for name, value in figures.items():
        what, _, occluder = name.partition("/")
        if what in MEASURED:
            named[f"{MEASURED[what]}, {FACES.get(occluder, occluder)}"] = round(value, 4)
    return named


def _preparation(run: Described) -> Preparation:
    side = run.recipe.side
    frame = geometry.scaling(run.source.images.shape[1:3], (side, side))
    template = geometry.apply(frame, run.source.template())
    return Preparation(
        size_hw=(side, side),
        align="similarity-68",
        crop="template",
        colour="grey",
        normalize="per-image",
        template_xy=tuple((round(float(x), 3), round(float(y), 3)) for x, y in template),
    )


def _expression_outputs() -> tuple[Output, ...]:
    return (
        Output("ferplus", "expression", EXPRESSIONS, thresholds={"certain": 1.0}),
        Output("fer2013", "expression", EXPRESSIONS_7, thresholds={"certain": 1.0}),
        Output("hidden", "regions", REGIONS, thresholds=dict.fromkeys(REGIONS, 0.5)),
    )


def _landmark_outputs() -> tuple[Output, ...]:
    return (
        Output("points", "points", ()),
        Output("face", "face", ("face",), thresholds={"face": 0.5}),
    )


def _calibrated_expression(
    outputs: tuple[Output, ...], model: Model, public: FaceTable
) -> tuple[Output, ...]:
    assert public.votes is not None
    logits = answers_of(model)(public.images)
    truths = {"ferplus": vote_rules.labels(public.votes, "majority"), "fer2013": seven(public)}
    fitted = [_certain(o, logits[o.name], truths[o.name]) for o in outputs if o.name in truths]
    alarms = {
        region: calibrate.alarm_threshold(logits["hidden"][:, column])
        for column, region in enumerate(REGIONS)
    }
    return (*fitted, replace(outputs[-1], thresholds=alarms))


def _certain(output: Output, logits: npt.NDArray[Any], truth: npt.NDArray[np.int64]) -> Output:
    kept = truth >= 0
    temperature = calibrate.fit_temperature(logits[kept], truth[kept])
    probabilities = metrics.softmax(logits[kept] / temperature)
    certain = calibrate.certain_threshold(probabilities, truth[kept])
    return replace(output, temperature=temperature, thresholds={"certain": certain})


def _calibrated_landmarks(
    outputs: tuple[Output, ...], model: Model, public: FaceTable
) -> tuple[Output, ...]:
    """Put the face threshold where one public face in 500 that voters saw would be lost."""
    assert public.votes is not None
    seen = public.votes[:, NO_FACE_COLUMN] < NO_FACE_FROM
    _, faceness = Landmarker(model.path).from_whole(public.images[seen])
    lost = round(float(np.quantile(faceness, LOST_FACES)), 5)
    return (outputs[0], replace(outputs[1], thresholds={"face": lost}))
