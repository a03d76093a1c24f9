"""What was found, in a sentence with its certainty."""

from collections.abc import Sequence

from mien.study.estimates import Contrast, Effect, Estimate, ForExpression
from mien.study.settings import phrase


def answer(
    effects: Sequence[Effect], contrast: Contrast | None, expressions: Sequence[ForExpression]
) -> str:
    """Say in one sentence what was found, how sure that is, and which expressions differ."""
    if contrast is None:
        cost = effects[-1].cost
        said = f"{phrase(effects[-1].condition)} costs {points(cost.value)} points of accuracy"
        return f"{capital(said)}, {_interval(cost)}{_doubt(cost)}."
    more, less, difference = contrast.more, contrast.less, contrast.difference
    if not difference.is_settled:
        tie = "the two are equal" if difference.value == 0 else f"{phrase(more)} costs more"
        return (
            f"Whether {phrase(more)} or {phrase(less)} costs more is not settled by these faces:"
            f" {tie}, by {points(difference.value)} points, {_interval(difference)}."
        )
    said = f"{phrase(more)} costs {points(difference.value)} points more than {phrase(less)}"
    return f"{capital(said)}, {_interval(difference)}{_exceptions(expressions)}."


def points(share: float) -> str:
    """Write a difference of shares in points, with a digit behind the point."""
    return f"{100 * share + 0.0:.1f}".replace("-0.0", "0.0")


def odds(value: float) -> str:
    """Write log-odds with a digit behind the point."""
    return f"{value:.1f}".replace("-0.0", "0.0")


def _interval(found: Estimate) -> str:
    return f"95 % interval {points(found.low)} to {points(found.high)}"


def _doubt(found: Estimate) -> str:
    return "" if found.is_settled else "; whether it costs anything is not settled"


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _exceptions(expressions: Sequence[ForExpression]) -> str:
    """Name the expressions that it is the other way round for, surely or perhaps.

    The intervals of contrasts by expression are widened for their number.
    """
    found = [
        (one.expression, one.contrast)
        for one in expressions
        if one.contrast and one.has_enough and one.contrast.value < 0
    ]
    sure = [name for name, contrast in found if contrast.high < 0]
    perhaps = [name for name, contrast in found if contrast.high >= 0]
    another = (
        ("may be another", "may be others") if sure else ("may be an exception", "may be some")
    )
    said = ((sure, ("is the exception", "are exceptions")), (perhaps, another))
    return "".join(f"; {_listed(names)} {verbs[len(names) > 1]}" for names, verbs in said if names)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
