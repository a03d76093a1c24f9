"""What an exported file says of itself: outputs, preparation, calibration, origin, results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mien import metrics
from mien.data import labels as vote_rules
from mien.data import rights
from mien.data.table import FaceTable
from mien.faces.landmarks import Landmarker
from mien.readings import CERTAIN, hidden_regions
from mien.recognizer import ExpressionReader
from mien.session import Metadata, Model, Output
from mien.training import calibrate
from mien.training.expression import REGIONS, seven
from mien.training.faces import plain_view
from mien.training.landmarks import NO_FACE_COLUMN, NO_FACE_FROM
from mien.training.task import Task
from mien.training.validation import Answer, occluded

Logits = Mapping[str, npt.NDArray[Any]]

DATA_SETS = ("fer2013", "ferplus")
AT_ONCE = 256
LOST_FACES = 0.002  # share of true faces that the face threshold may turn away
# What covers a region where `certain` is fitted for it: of what hides a mouth, masks cost most.
HIDDEN_BY = {"eyes": "eyes", "mouth": "mask-polygon"}
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
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "worst_recall": "recall of the worst expression",
}
RIGHTS = tuple(entry.name for entry in fields(rights.Rights))
FACES = {
    "none": "whole faces",
    "mask-polygon": "lower half masked",
    "eyes": "eyes hidden",
    "mouth": "mouth hidden",
    "auc": "all crops",
}


def describe(
    task: Task,
    figures: Mapping[str, float],
    model: Model | None = None,
    held: FaceTable | None = None,
    *,
    extra: Mapping[str, Any] | None = None,
) -> Metadata:
    """Make the metadata; with the exported model and faces it was not trained on, calibrated.

    extra: what else is to be said, of a file of several networks.
    """
    recipe, outputs = task.recipe, task.outputs()
    if model is not None and held is not None:
        outputs = CALIBRATED[recipe.task](outputs, answers_of(model, recipe.task), held, model)
    labels, landmarks = recipe.task == "labels", recipe.task == "landmarks"
    trained_on = task.trained_on()
    terms = trained_on[0] if labels else asdict(rights.strictest(DATA_SETS))
    where = "validation part" if labels else "FER-2013 PublicTest"
    return Metadata(
        kind="landmarks" if landmarks else "expression",
        name=recipe.name,
        size_hw=(recipe.side, recipe.side),
        preparation=task.preparation().to_json(),
        outputs=outputs,
        trained_on=trained_on,
        recipe_sha256=recipe.sha256(),
        results={where: told} if (told := _results(figures)) else {},
        extra={
            **(FRAMING if landmarks else {"mirror": recipe.mirror}),
            **({"denoise": True} if recipe.denoise else {}),
            "rights": {name: terms[name] for name in RIGHTS},
            **(extra or {}),
        },
    )


def answers_of(model: Model, task: str) -> Answer:
    """Answer as the file is used: expressions over the views that its metadata name.

    Faces of the task `labels` are cut and equalised already.
    """
    if model.metadata.kind == "expression":
        reader = ExpressionReader(model.path)
        whole = reader.preparation.whole
        if task == "labels":
            return reader.outputs
        return lambda faces: reader.outputs(np.stack([whole(face) for face in faces]))
    side = model.metadata.size_hw[0]

    def answer(faces: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        starts = range(0, len(faces), AT_ONCE)
        parts = [model.run(plain_view(faces[at : at + AT_ONCE], side).numpy()) for at in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return answer


def _results(figures: Mapping[str, float]) -> dict[str, float]:
    """Name the figures in words; what only chose the epoch stays out."""
    named = {}
    for name, value in figures.items():
        what, _, occluder = name.partition("/")
        if what in MEASURED:
            of = f", {FACES.get(occluder, occluder)}" if occluder else ""
            named[MEASURED[what] + of] = round(value, 4)
    return named


def _calibrated_expression(
    outputs: tuple[Output, ...], answer: Answer, public: FaceTable, model: Model
) -> tuple[Output, ...]:
    """Fit one temperature a labelling on faces whole and masked, for both must be believed."""
    assert public.votes is not None and public.points_xy is not None
    whole = answer(public.images)
    hidden = {
        region: answer(occluded(public.images, public.points_xy, name))
        for region, name in HIDDEN_BY.items()
    }
    truths = {"ferplus": vote_rules.labels(public.votes, "majority"), "fer2013": seven(public)}
    alarms = {
        region: calibrate.alarm_threshold(whole["hidden"][:, column])
        for column, region in enumerate(REGIONS)
    }
    regions = replace(outputs[-1], thresholds=alarms)
    fitted = []
    for output in outputs[:-1]:
        truth = truths[output.name]
        tempered = _tempered(output, truth, whole, hidden["mouth"])
        certain = {CERTAIN: _certain(tempered, truth, whole, regions)}
        for region, view in hidden.items():
            certain[f"{CERTAIN}_{region}"] = _certain(tempered, truth, view, regions, region)
        fitted.append(replace(tempered, thresholds=certain))
    return (*fitted, regions)


def _calibrated_labels(
    outputs: tuple[Output, ...], answer: Answer, validation: FaceTable, model: Model
) -> tuple[Output, ...]:
    logits, labels = answer(validation.images), validation.labels.astype(np.int64)
    tempered = (_tempered(output, labels, logits) for output in outputs)
    return tuple(replace(o, thresholds={CERTAIN: _certain(o, labels, logits)}) for o in tempered)


def _tempered(output: Output, truth: npt.NDArray[np.int64], *views: Logits) -> Output:
    """Fit the temperature of an output on several views of the faces that have a label."""
    kept = truth >= 0
    logits = np.concatenate([view[output.name][kept] for view in views])
    temperature = calibrate.fit_temperature(logits, np.tile(truth[kept], len(views)))
    return replace(output, temperature=temperature)


def _certain(
    output: Output,
    truth: npt.NDArray[np.int64],
    view: Logits,
    regions: Output | None = None,
    said: str = "",
) -> float:
    """Fit `certain` as it is met in use: on faces of which the model says that this is hidden.

    said: a region, which it says is hidden alone; nothing by default.
    """
    kept = truth >= 0
    if regions is not None:
        _, hidden = hidden_regions(regions, view[regions.name].astype(np.float64))
        kept &= (hidden == [region == said for region in regions.labels]).all(axis=1)
    logits = view[output.name][kept].astype(np.float64)
    return calibrate.certain_threshold(metrics.softmax(logits / output.temperature), truth[kept])


def _calibrated_landmarks(
    outputs: tuple[Output, ...], answer: Answer, public: FaceTable, model: Model
) -> tuple[Output, ...]:
    """Put the face threshold where one public face in 500 that voters saw would be lost."""
    assert public.votes is not None
    seen = public.votes[:, NO_FACE_COLUMN] < NO_FACE_FROM
    _, faceness = Landmarker(model.path).from_whole(public.images[seen])
    lost = round(float(np.quantile(faceness, LOST_FACES)), 5)
    return (outputs[0], replace(outputs[1], thresholds={"face": lost}))


CALIBRATED: dict[str, Callable[..., tuple[Output, ...]]] = {
    "expression": _calibrated_expression,
    "landmarks": _calibrated_landmarks,
    "labels": _calibrated_labels,
}
