"""Measure a model on labelled faces, whole or with a part hidden, and prove the result later.

The model answers with its own expressions and the faces have theirs; both are compared by name. An
answer that the faces never have (contempt on FER-2013) is wrong, and a face whose expression the
model cannot give is one it misses. Nothing is left out to make the two fit, unless `shared` asks
for the faces of expressions that both have, the model choosing among those.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Unpack

from mien.data.table import FaceTable
from mien.evaluation.answers import USUAL, Answers, Condition, How, answer
from mien.evaluation.groups import Groups, grouped
from mien.evaluation.measures import Result as Result
from mien.evaluation.measures import result
from mien.evaluation.receipts import Receipt as Receipt
from mien.evaluation.receipts import make
from mien.evaluation.selection import Choice as Choice
from mien.evaluation.selection import Chosen as Chosen
from mien.evaluation.selection import check_classes as check_classes
from mien.evaluation.selection import located
from mien.occlusion import NONE
from mien.recognizer import ExpressionReader

Stated = Mapping[str, Any]


def evaluate(
    faces: FaceTable,
    reader: ExpressionReader,
    *,
    protocol: Stated | None = None,
    **how: Unpack[How],
) -> Result:
    """Measure the model on every face; `protocol` goes into the result."""
    found = answer(faces, reader, **how)
    return result(found, _stated(protocol, found, reader), reader.sha256)


def receipt(
    faces: FaceTable,
    reader: ExpressionReader,
    *,
    protocol: Stated | None = None,
    in_training: Collection[str] = (),
    groups: Groups | None = None,
    **how: Unpack[How],
) -> Receipt:
    """Measure like `evaluate`; keep each answer, and what it takes to measure again.

    in_training: ids of faces that equal a training face; the result warns of them. groups: of
    faces that are measured by themselves too.
    """
    if groups and len(faces):
        groups.each(faces.source_id.tolist())  # what is wrong costs no evaluation
    found = answer(faces, reader, **how)
    data = {**(protocol or {}), **({"by": groups.by} if groups else {})}
    measured = result(found, _stated(data, found, reader), reader.sha256, in_training)
    if groups:
        data["groups"] = groups.kept(found.faces.source_id.tolist())
    return make(found, grouped(measured, found, groups), reader, data)


def score(
    chosen: Chosen,
    reader: ExpressionReader,
    *,
    landmarks: str | Path | None = None,
    **condition: Unpack[Condition],
) -> Receipt:
    """Measure the model on chosen faces; the landmark network finds points that are lacking."""
    locate, stated = located(chosen, condition.get("occluder", NONE), landmarks)
    return receipt(
        chosen.faces,
        reader,
        protocol=stated,
        in_training=chosen.in_training or (),
        groups=chosen.groups,
        locate=locate,
        really_occluded=chosen.really_occluded,
        **condition,
    )


def _stated(protocol: Stated | None, found: Answers, reader: ExpressionReader) -> dict[str, Any]:
    drawn = found.condition
    return {
        **(protocol or {}),
        **found.shared,
        "occluder": drawn["occluder"],
        **{name: drawn[name] for name, value in USUAL.items() if drawn.get(name, value) != value},
        "output": reader.output,
        "test_time_augmentation": "mirror" if reader.mirror else "none",
        **({"balanced": True} if reader.balanced else {}),
        "seed": drawn["seed"],
    }
