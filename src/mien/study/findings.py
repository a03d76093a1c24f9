"""From right and wrong answers under many conditions to what each part of the face is worth.

All intervals are 95 % and paired: every draw of the bootstrap takes the same people (or faces,
where nobody knows whose they are) under all conditions, so that what all conditions share drops out
of their differences. Answers of several seeds are averaged first.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien import metrics
from mien.errors import DataError
from mien.study.estimates import Contrast, Effect, Estimate, Findings, ForExpression, Outcome, Pair
from mien.study.sentences import answer
from mien.study.settings import WHOLE, ranked

ROUNDS = 2000
_AT_ONCE = 250

Floats = NDArray[np.float64]


def findings(outcome: Outcome, *, rounds: int = ROUNDS, seed: int = 0) -> Findings:
    """Compare the conditions."""
    drawn, people = _drawn(outcome, rounds, seed)
    everywhere, each = drawn[:, 0], drawn[:, 1:]
    names = outcome.conditions
    base = names.index(WHOLE)
    balanced, p_values = np.nanmean(each, axis=1), _p_values(outcome)
    effects = tuple(
        Effect(
            name,
            _estimate(everywhere[:, at]),
            _estimate(balanced[:, at]),
            _estimate(everywhere[:, base] - everywhere[:, at]),
            p_values.get(name),
        )
        for at, name in enumerate(names)
    )
    pair = _pair(effects)
    contrast = None
    if pair is not None:
        more, less = pair
        difference = everywhere[:, names.index(less)] - everywhere[:, names.index(more)]
        contrast = Contrast(more, less, _estimate(difference))
    expressions = tuple(
        _for_expression(outcome, each[:, place], place, contrast)
        for place in range(len(outcome.expressions))
        if (outcome.truth == place).any()
    )
    means = {pair: right.mean(axis=1) for pair, right in outcome.right.items()}
    cells = [[means[row, name] for name in names] for row in outcome.trained]
    return Findings(
        answer=answer(effects, contrast, expressions),
        settled=bool((contrast.difference if contrast else effects[-1].cost).is_settled),
        faces=len(outcome.truth),
        people=people,
        effects=effects,
        contrast=contrast,
        expressions=expressions,
        trained=outcome.trained,
        conditions=names,
        matrix=tuple(tuple(float(one.mean()) for one in row) for row in cells),
        deviations=tuple(tuple(map(metrics.deviation, row)) for row in cells),
    )


def _pair(effects: Sequence[Effect]) -> Pair | None:
    """Choose what the answer compares: eyes and mouth, or the two parts that cost most."""
    names = ranked([one.condition for one in effects])
    if {"eyes", "mouth"} <= {*names}:
        names = ["eyes", "mouth"]
    cost = {one.condition: one.cost.value for one in effects}
    names = sorted(names, key=lambda name: -cost[name])
    return (names[0], names[1]) if len(names) > 1 else None


def _for_expression(
    outcome: Outcome, drawn: Floats, place: int, contrast: Contrast | None
) -> ForExpression:
    """Judge the faces of one expression by its draws (R + 1, K)."""
    names = outcome.conditions
    base = names.index(WHOLE)
    costs = {
        name: _estimate(drawn[:, base] - drawn[:, at])
        for at, name in enumerate(names)
        if name != WHOLE
    }
    order = sorted(ranked(names) or costs, key=lambda name: -costs[name].value)
    ahead = difference = None
    if len(order) > 1:
        first, second = (drawn[:, names.index(name)] for name in order[:2])
        ahead = _estimate(second - first)
    if contrast is not None:
        less, more = (drawn[:, names.index(one)] for one in (contrast.less, contrast.more))
        difference = _estimate(less - more, 0.05 / len(outcome.expressions))
    return ForExpression(
        expression=outcome.expressions[place],
        faces=int((outcome.truth == place).sum()),
        accuracy=_estimate(drawn[:, base]),
        costs=costs,
        most=order[0],
        ahead=ahead,
        contrast=difference,
    )


def _p_values(outcome: Outcome) -> dict[str, float]:
    """Test each condition against the whole face, person by person or else face by face."""
    right = {name: outcome.right[outcome.own[name]] for name in outcome.conditions}
    whole = right.pop(WHOLE)
    if len(whole) > 1:
        return {}
    groups = _groups(outcome)
    pairs = [(whole[0] > 0.5, one[0] > 0.5) for one in right.values()]
    if len(np.unique(groups)) == len(groups):  # a face each, for which McNemar's is quicker
        found = [metrics.mcnemar(*pair) for pair in pairs]
    else:
        found = [metrics.sign_flip(*pair, groups) for pair in pairs]
    return dict(zip(right, metrics.holm(found), strict=True))


def _estimate(drawn: Floats, error: float = 0.05) -> Estimate:
    """Take the number from the first draw, which is the data, and the interval from the others."""
    low, high = np.nanquantile(drawn[1:], [error / 2, 1 - error / 2]).tolist()
    return Estimate(float(drawn[0]), low, high)


def _drawn(outcome: Outcome, rounds: int, seed: int) -> tuple[Floats, int]:
    """Draw accuracies (R + 1, 1 + E, K): of all faces and each expression's, a condition a column.

    The first draw is the data themselves. Give also how many people, or faces, were drawn from.
    """
    names = outcome.conditions
    right = np.stack([outcome.right[outcome.own[name]].mean(axis=0) for name in names], axis=1)
    if len(right) != len(outcome.truth) or not len(right):
        raise DataError(f"expected answers to {len(outcome.truth)} faces, found {len(right)}")
    group = _groups(outcome)
    people = int(group.max()) + 1
    slices = len(outcome.expressions) + 1
    sums, sizes = np.zeros((people, slices, len(names))), np.zeros((people, slices))
    for place in (np.zeros_like(outcome.truth), outcome.truth + 1):
        np.add.at(sums, (group, place), right)
        np.add.at(sizes, (group, place), 1)
    rng = np.random.default_rng(seed)
    parts = [_shares(np.ones((1, people)), sums, sizes)]
    for first in range(0, rounds, _AT_ONCE):
        n = min(_AT_ONCE, rounds - first)
        counts = rng.multinomial(people, np.full(people, 1 / people), n)
        parts.append(_shares(counts.astype(np.float64), sums, sizes))
    return np.concatenate(parts), people


def _groups(outcome: Outcome) -> NDArray[np.intp]:
    """Give the place of each face's person; of the face where people are not known, or only one."""
    people, group = np.unique(outcome.subject, return_inverse=True)
    known = len(people) > 1 and "" not in people
    return group if known else np.arange(len(outcome.subject))


def _shares(counts: Floats, sums: Floats, sizes: Floats) -> Floats:
    """Weigh people (G, ...) by how often each was drawn (R, G)."""
    right, faces = np.tensordot(counts, sums, 1), counts @ sizes
    shares: Floats = np.full(right.shape, np.nan)
    np.divide(right, faces[..., None], out=shares, where=faces[..., None] > 0)
    return shares
