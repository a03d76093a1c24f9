"""Runs that are over, made without a training, and one that goes on."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mien.training.joined import Done
from tiny_receipts import tiny_receipt

HOLD = """
import sys
from pathlib import Path
from mien.training.lock import locked
with locked(Path(sys.argv[1])):
    print(flush=True)
    sys.stdin.read()
"""

PROTOCOL = {"data_set": "made", "splits": "by-subject, 2 folds", "rule": None}


def done(
    fold: int | None,
    seed: int,
    right: Sequence[int],
    people: Sequence[str] = (),
    *,
    overlap: bool | None = None,
) -> Done:
    """Make a run that tests as many faces as `right` is long, and finds those that are 1."""
    truth = [place % 2 for place in range(len(right))]
    predicted = [own if hit else 1 - own for own, hit in zip(truth, right, strict=True)]
    receipt = tiny_receipt(
        truth,
        predicted,
        faces=[f"{fold}-{place}" for place in range(len(right))],
        subjects=people,
        result={"protocol": {**PROTOCOL, "fold": f"fold {fold}", "subjects_overlap": overlap}},
    )
    history = {"loss": [2.0, 1.0 / seed], "accuracy": [None, 0.5]}
    return Done(fold, seed, receipt, history, {"best_epoch": 2, "seconds": 2.0})


@contextmanager
def another_run(folder: Path) -> Iterator[int]:
    """Hold a folder from another process; give its number."""
    words = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        run.stdout.readline()
        yield run.pid
        run.communicate()
