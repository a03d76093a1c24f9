"""Score a receipt again, and say whether it holds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mien.data import files
from mien.data.labels import EXPRESSION_COLUMNS
from mien.data.splits import take
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError
from mien.evaluation import groups, receipts, score
from mien.evaluation.answers import USUAL
from mien.evaluation.measures import IN_TRAINING
from mien.evaluation.receipts import Receipt
from mien.evaluation.selection import EVERY, Choice, Chosen
from mien.evaluation.slack import near, slacks
from mien.recognizer import ExpressionReader

TOLERANCE = 0.002  # another processor rounds probabilities otherwise
BY_ITSELF = ("protocol", "warnings")


@dataclass(frozen=True)
class Check:
    """One thing that a receipt says, and whether it holds; where not, what was found."""

    name: str
    holds: bool
    found: str


def chosen(
    receipt: Receipt, root: Path | None, table: Path | None, points_file: Path | None = None
) -> Choice:
    """Name the data set or table that the receipt's faces are to be taken from.

    The list and the file of points that it names are looked for under the root.
    """
    data = receipt.data
    part: dict[str, Any] = {
        "split": data.get("split") or (None if data.get("list") else EVERY),
        "without_duplicates": data.get("duplicates_of_train") == "left out",
        "rule": data.get("rule") if data.get("data_set") != "fer2013" else None,
    }
    if table is not None:
        own = part if data.get("table") else {"rule": part["rule"]}
        return Choice(table=table, **own)
    if not data.get("data_set"):
        raise UsageError(f"the receipt is of the table {data.get('table')!r}; give it by --table")
    if root is None:
        raise UsageError("expected --root or --table with the faces of the receipt")
    points = (data.get("points") or "").partition(",")[0]
    wanted = points if points.endswith(".npz") and points_file is None else None
    named = {"list_file": data.get("list"), "points_file": wanted}
    found = {kind: files.find(root, (name,)) if name else None for kind, name in named.items()}
    lacking = [name for kind, name in named.items() if name and found[kind] is None]
    if lacking:
        raise DataError(f"no {', '.join(lacking)} under {root}, which the receipt names")
    return Choice(
        data_set=data["data_set"],
        options=dict(text.partition("=")[::2] for text in data.get("options") or ()),
        list_file=found["list_file"],
        points_file=points_file or found["points_file"],
        **part,
    )


def answering(
    receipt: Receipt, model: str | Path | None = None, *, provider: str = "cpu"
) -> ExpressionReader:
    """Open the model as it answered the receipt; another model, which `verify` names, as it is."""
    reader = ExpressionReader(model, provider=provider)
    if reader.sha256 != receipt.model["sha256"]:
        return reader
    return ExpressionReader(
        model,
        labels=receipt.model["output"],
        mirror=receipt.model["mirror"],
        balanced=receipt.model.get("balanced", False),
        provider=provider,
    )


def verify(
    receipt: Receipt,
    reader: ExpressionReader,
    choice: Choice,
    root: Path | None = None,
    *,
    landmarks: str | Path | None = None,
    quiet: bool = True,
) -> list[Check]:
    """Check model and faces, then measure again; what follows on a check that fails is left out.

    Data that cannot be read are no failure of the receipt: they raise DataError.
    """
    model = _equal("model", receipt.model["sha256"], reader.sha256)
    if not model.holds:
        named = f"{model.found}; the receipt is of {receipt.model['name']}: give its file (--model)"
        return [replace(model, found=named)]
    checks = [model]
    by_ids = bool(receipt.data.get("splits") or (choice.table and not receipt.data.get("table")))
    if by_ids:
        found, _ = replace(choice, split=None).read(root, reader.preparation, quiet=quiet)
        in_training = None
    else:
        selected = choice.select(root, reader.preparation, quiet=quiet)
        found, in_training = selected.faces, selected.in_training
    try:
        faces = _matched(receipt, found, by_ids)
    except DataError as error:
        return [*checks, Check("faces", False, str(error))]
    how = "found by their ids" if by_ids else "selected again"
    checks += [Check("faces", True, f"{len(faces)} {how}"), *_of_data(receipt, faces)]
    if not all(check.holds for check in checks):
        return checks
    condition = receipt.condition
    drawn: Any = {name: condition.get(name, usual) for name, usual in USUAL.items()}
    by = groups.told(receipt.data, receipt.faces, None if by_ids else faces)
    measured = score(
        Chosen(faces, receipt.data, bool(receipt.data.get("list")), in_training, by),
        reader,
        landmarks=landmarks,
        occluder=condition["occluder"],
        seed=condition.get("seed", 0),
        shared=condition.get("shared", False),
        quiet=quiet,
        **drawn,
    )
    told = receipt if in_training is not None else _without_copies(receipt)
    return [*checks, *_of_answers(_counted_now(told, measured, faces), measured)]


def _matched(receipt: Receipt, faces: FaceTable, by_ids: bool) -> FaceTable:
    """Take the receipt's faces; selected as it says it did, there must be no others."""
    if by_ids:
        return take(faces, receipt.faces)
    if receipt.condition.get("shared"):
        faces = faces[np.isin(faces.expression_names(), receipt.labels)]
    found, told = set(faces.source_id.tolist()), set(receipt.faces)
    if found != told:
        example = min(found ^ told)
        raise DataError(
            f"the protocol selects other faces: {len(told - found)} of the receipt's are not among"
            f" them, {len(found - told)} are only among them, such as {example!r}"
        )
    return take(faces, receipt.faces)


def _without_copies(receipt: Receipt) -> Receipt:
    """Leave out what is said of copies of training faces where those faces are not known."""
    said = receipt.result.get("warnings", ())
    kept = [text for text in said if IN_TRAINING not in text]
    return replace(receipt, result={**receipt.result, "warnings": kept})


def _counted_now(told: Receipt, found: Receipt, faces: FaceTable) -> Receipt:
    """Count ties as now: earlier versions took faces for tied that nobody gave any expression."""
    said, now, votes = told.result.get("votes"), found.result["votes"], faces.votes
    if votes is None or now is None or not isinstance(said, dict):
        return told
    unsaid = (votes.sum(axis=1) > 0) & ~votes[:, :EXPRESSION_COLUMNS].any(axis=1)
    if said.get("ties") != now["ties"] + int(unsaid.sum()):
        return told
    return replace(told, result={**told.result, "votes": {**said, "ties": now["ties"]}})


def _of_data(receipt: Receipt, faces: FaceTable) -> Iterator[Check]:
    yield _equal("pixels, labels, votes", receipt.data["sha256"], receipts.data_hash(faces))
    if told := receipt.condition.get("points_sha256"):
        yield _equal("points", told, receipts.points_hash(faces) or "none")


def _of_answers(told: Receipt, found: Receipt) -> Iterator[Check]:
    if (told.labels, told.truth.tolist()) != (found.labels, found.truth.tolist()):
        yield Check("truth", False, "the receipt gives the faces other expressions")
        return
    differing = int((told.predicted != found.predicted).sum())
    yield Check("answers", not differing, f"{differing} of {len(told.faces)} differ")
    gap = float(np.abs(told.probabilities - found.probabilities).max())
    yield Check("probabilities", gap <= TOLERANCE, f"differ by {gap:.4f} at most")
    wrong = list(_differing(told, found, gap))
    yield Check("measures", not wrong, f"{', '.join(wrong) or 'none'} differ")
    said, known = told.result["protocol"], {**found.result["protocol"], **told.data}
    # Faces that are left out for want of a common expression are not in the receipt.
    wrong = [name for name in said if name != "expressions" and said[name] != known.get(name)]
    yield Check("protocol", not wrong, f"{', '.join(wrong) or 'none'} differ")


def _differing(told: Receipt, found: Receipt, gap: float) -> Iterator[str]:
    """Name the measures that differ by more than the gap of the probabilities explains."""
    slack = slacks(told, found, gap)
    for name, value in told.result.items():  # a later version may measure more
        if name not in BY_ITSELF and not near(value, found.result.get(name), slack.get(name, 0)):
            yield name
    if any(one not in found.result["warnings"] for one in told.result.get("warnings", ())):
        yield "warnings"  # a later version may warn of more


def _equal(name: str, told: str, found: str) -> Check:
    same = told == found
    return Check(name, same, found[:12] if same else f"expected {told[:12]}, found {found[:12]}")
