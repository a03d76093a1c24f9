"""How data sets spell the expressions."""

from collections.abc import Iterable, Mapping

from mien.errors import DataError, UsageError
from mien.expressions import EXPRESSIONS

SPELLINGS = {
    "neutral": ("neutral", "neutrality", "calm"),
    "happiness": ("happiness", "happy", "joy", "joyful", "smile", "smiling"),
    "surprise": ("surprise", "surprised", "suprise", "suprised"),
    "sadness": ("sadness", "sad"),
    "anger": ("anger", "angry"),
    "disgust": ("disgust", "disgusted"),
    "fear": ("fear", "fearful", "afraid", "scared"),
    "contempt": ("contempt", "contemptuous"),
}
KNOWN = {spelling: name for name, spellings in SPELLINGS.items() for spelling in spellings}


def expression(text: str, where: str, known: Mapping[str, str] | None = None) -> str:
    """Give the canonical expression of a set's spelling, "" where it is known to be none.

    `known` is given by readers that have the option `labels`.
    """
    found = (known or KNOWN).get(text.strip().casefold())
    if found is None:
        wanted = ", ".join(EXPRESSIONS if known in (None, KNOWN) else known or ())
        advice = ", or say what each label means with the option `labels`" if known else ""
        raise DataError(f"{where}: expected one of {wanted}, found {text!r}; correct it{advice}")
    return found


def table(labels: Mapping[str, str] | None) -> Mapping[str, str]:
    """Give the spellings, or what a user says that a set's labels mean, "" for no expression."""
    if labels is None:
        return KNOWN
    strange = [name for name in labels.values() if name and name.strip().casefold() not in KNOWN]
    if strange:
        raise UsageError(
            f"labels must map to expressions ({', '.join(EXPRESSIONS)}), got {strange[0]!r}"
        )
    return {
        str(label).strip().casefold(): KNOWN.get(name.strip().casefold(), "")
        for label, name in labels.items()
    }


def own_order(names: Iterable[str]) -> tuple[str, ...]:
    """Give each expression once, in the order of a set's labels."""
    return tuple(dict.fromkeys(filter(None, names)))
