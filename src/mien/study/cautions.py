"""What a reader should know before believing a study, and which faces a report may show."""

from collections.abc import Iterator

import numpy as np

from mien.data.audit import also_in
from mien.data.duplicates import digests
from mien.data.labels import tied
from mien.data.rights import RIGHTS
from mien.data.splits import take
from mien.evaluation.measures import FEW_PEOPLE
from mien.study.estimates import Findings
from mien.study.importance import RETRAIN, Done

FEW, FEW_OF_ONE = 200, 30


def cautions(done: Done, found: Findings) -> list[str]:
    """List the warnings, the weightiest first."""
    return [*_people(done, found), *_small(found), *_copies(done), *_ties(done, found)]


def may_show(data_set: str | None) -> bool:
    """Tell whether the terms of a data set allow its faces to be passed on; silence does not."""
    return data_set in RIGHTS and RIGHTS[data_set].redistribution == "allowed"


def _people(done: Done, found: Findings) -> Iterator[str]:
    if done.splits is not None and done.splits.subjects_overlap:
        yield "The same people are in training and test: the accuracies are too high."
    elif (done.faces.subject == "").all():
        where = " and some may be in training and test" if done.mode == RETRAIN else ""
        yield f"Nobody knows which faces are of one person: intervals are over faces{where}."
    elif len(np.unique(done.faces.subject)) == 1:
        yield "All faces are of one person: intervals are over faces, and say nothing of others."
    elif found.people < FEW_PEOPLE:
        yield f"Only {found.people} people were tested: intervals drawn over people are rough."
    if done.mode == RETRAIN and len(next(iter(done.outcome.right.values()))) == 1:
        yield "One seed: what the luck of a network's start is worth is not known."


def _small(found: Findings) -> Iterator[str]:
    if found.faces < FEW:
        yield f"Only {found.faces} faces were tested."
    few = [f"{one.expression} {one.faces}" for one in found.expressions if one.faces < FEW_OF_ONE]
    if few:
        yield f"Expressions with fewer than {FEW_OF_ONE} faces: {', '.join(few)}."


def _copies(done: Done) -> Iterator[str]:
    names = digests(done.faces.images)
    twice = len(names) - len(set(names))
    if twice:
        yield f"{twice} of the tested faces are copies of another: they count twice."
    if done.splits is not None:
        if leaked := _leaked(done):
            yield f"{leaked} of the tested faces are also among those that trained their network."
    elif done.stated.get("duplicates_of_train") == "kept" and (done.faces.split != "").any():
        yield (
            "Test faces that equal a training face of the set were kept; --without-duplicates"
            " leaves them out."
        )


def _leaked(done: Done) -> int:
    if done.splits is None or done.table is None:
        return 0
    folds = ((take(done.table, one.test), take(done.table, one.train)) for one in done.splits.folds)
    return sum(int(also_in(test, train).sum()) for test, train in folds)


def _ties(done: Done, found: Findings) -> Iterator[str]:
    values = [effect.accuracy.value for effect in found.effects]
    equal = [one.condition for one in found.effects if values.count(one.accuracy.value) > 1]
    if equal:
        yield f"Equally many faces were read right under {', '.join(equal)}."
    votes = done.faces.votes
    if votes is not None and (ties := np.count_nonzero(tied(votes))):
        yield f"On {ties} faces two expressions have most votes: their label is a matter of order."
