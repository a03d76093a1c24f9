"""The tables that the pages show of the expression model, and numbers that their sentences name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.hidden import HELD_OUT
from bench.report import Cell, Table, interval, percent, size
from mien.expressions import EXPRESSIONS
from mien.occlusion import NONE
from mien.study.estimates import Effect, Estimate, Findings
from mien.study.sentences import points
from mien.study.settings import WHOLE

LISTS = ("occlusion", "pose-30", "pose-45")
USUAL, CLEAN, ONCE = "", "without-duplicates", "no-mirror"
BALANCED, OWN_POINTS = "balanced", "own-points"
MASK = "mask-polygon"
README, CARD, DOCS = "README.md", "src/mien/weights/expression.md", "docs/results.md"
SETS = {"ferplus": "FER+", "fer2013": "FER-2013"}
RARE = ("disgust", "fear", "contempt")
# How the pages call the part that is measured, of FER+ and of FER-2013.
PART = {"private": ("test", "PrivateTest"), "public": ("PublicTest", "PublicTest")}


class Key(NamedTuple):
    """One measurement: which faces, what hides a part of them, what is unlike the usual way."""

    faces: str
    occluder: str = NONE
    variant: str = USUAL


class Row(NamedTuple):
    """A row of the table of expressions: its name, what it measures, the pages it stands on."""

    name: str
    key: Key
    pages: tuple[str, ...] = (DOCS,)


EVERYWHERE, TWO = (README, CARD, DOCS), (CARD, DOCS)
ROWS = (
    Row("FER+ {part}, majority rule", Key("ferplus"), EVERYWHERE),
    Row("FER+ faces really occluded", Key("occlusion"), EVERYWHERE),
    Row("FER-2013 {folder}, its own labels", Key("fer2013"), EVERYWHERE),
    Row("the same, lower half masked (`mask-polygon`)", Key("fer2013", MASK), EVERYWHERE),
    Row("FER-2013, eyes barred (`eyes`)", Key("fer2013", "eyes"), TWO),
    Row("FER-2013, mouth hidden (`mouth`)", Key("fer2013", "mouth"), TWO),
    Row("FER-2013 masked, by the network's own points", Key("fer2013", MASK, OWN_POINTS)),
    Row("FER+, lower half masked", Key("ferplus", MASK)),
    Row("FER+, eyes barred", Key("ferplus", "eyes")),
    Row("FER+, mouth hidden", Key("ferplus", "mouth")),
    Row("FER+ faces turned over 30 degrees", Key("pose-30")),
    Row("FER+ faces turned over 45 degrees", Key("pose-45")),
)
TEST, MASKED = Key("ferplus"), Key("ferplus", MASK)
DRAWN = (
    ("sunglasses", "sunglasses", "eyes"),
    ("surgical", "surgical mask", "mouth"),
    ("eyes", "flat bar", "eyes"),
    (MASK, "flat mask", "mouth"),
    ("mouth", "flat box", "mouth"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """Results as `mien evaluate` gives them, studies of FER+ and FER-2013, noticed regions."""

    split: str
    results: Mapping[Key, dict[str, Any]]
    studies: Mapping[str, Findings]
    noticed: Mapping[str, dict[str, Any]]
    model_bytes: int
    model_sha256: str


def keys(split: str) -> list[Key]:
    """Name what must be measured; listed faces are of the test part alone."""
    found = [TEST._replace(variant=BALANCED), MASKED._replace(variant=BALANCED)]
    for _, key, pages in _rows(split):
        found += [key, *(key._replace(variant=one) for one in (CLEAN, ONCE) if README in pages)]
    return found


def places(found: Measured) -> dict[str, list[Table]]:
    """Give the tables of each page."""
    docs = [
        _expressions(found, DOCS),
        _averages(found),
        _recalls(found, balanced=True),
        _balanced(found),
        _certain(found),
        _noticed(found),
        _alarms(found),
        _contrasts(found),
        _by_expression(found),
        _together(found),
        _costs(found),
    ]
    card = [_model(found), _expressions(found, CARD), _recalls(found), _certain(found)]
    card += [_noticed(found), _alarms(found), _rare(found)]
    return {README: [_expressions(found, README)], CARD: card, DOCS: docs}


def page(found: Measured) -> str:
    """Set the tables of all pages in Markdown, to be taken from there."""
    parts = [f"# The model {found.model_sha256[:12]} on {found.split} faces\n"]
    for name, tables in places(found).items():
        parts.append(f"## {name}\n")
        parts += [f"### {table.title}\n\n{table.to_markdown()}" for table in tables]
    return "\n".join(parts)


def _rows(split: str, place: str = DOCS) -> Iterator[Row]:
    part, folder = PART[split]
    for row in ROWS:
        if place in row.pages and (split == "private" or row.key.faces not in LISTS):
            yield row._replace(name=row.name.format(part=part, folder=folder))


def _expressions(found: Measured, place: str) -> Table:
    head = ("faces", "number", "right", "balanced", "found least")
    rows: list[tuple[Cell, ...]] = []
    for name, key, pages in _rows(found.split, place):
        result, clean, once = found.results[key], "", ""
        if README in pages:
            left = found.results[key._replace(variant=CLEAN)]
            clean = f"{_right(left)} of {left['faces']:,}"
            once = _right(found.results[key._replace(variant=ONCE)])
        balanced = _share(result["balanced_accuracy"], result["balanced_interval95"])
        beside = (balanced, _worst(result["worst"]))
        rows.append((name, f"{result['faces']:,}", _right(result), *beside, clean, once))
    more = ("without those that occur in training", "with `--no-mirror`")
    return Table(f"Expressions, {place}", (*head, *more), rows)


def _averages(found: Measured) -> Table:
    shown = {"FER+": TEST, "FER+ masked": MASKED, "FER-2013": Key("fer2013")}
    rows = [
        (
            name,
            *(percent(found.results[key][of]) for of in ("balanced_accuracy", "macro_f1", "ece")),
        )
        for name, key in shown.items()
    ]
    head = ("faces", "balanced accuracy", "macro F1", "calibration error")
    return Table("Balanced accuracy (mean recall) ...", head, rows)


def _recalls(found: Measured, *, balanced: bool = False) -> Table:
    shown = {"found": TEST, "masked": MASKED}
    if balanced:
        more = {f"{name}, `--balanced`": key for name, key in shown.items()}
        shown |= {name: key._replace(variant=BALANCED) for name, key in more.items()}
    each = found.results[TEST]["expressions"]
    rows: list[tuple[Cell, ...]] = [("faces", *(each[name]["faces"] for name in EXPRESSIONS))]
    for name, key in shown.items():
        recall = found.results[key]["recall"]
        rows.append((name, *(percent(recall[one], 0) for one in EXPRESSIONS)))
    title = "Found by expression" + (", `--balanced` too" if balanced else "")
    return Table(title, ("", *EXPRESSIONS), rows)


def _balanced(found: Measured) -> Table:
    part, _ = PART[found.split]
    measures = {
        "balanced accuracy": ("balanced_accuracy", "balanced_interval95"),
        "accuracy": ("accuracy", "interval95"),
    }
    rows = [
        (name, faces, _share(usual[of], usual[bounds]), _share(other[of], other[bounds]))
        for name, (of, bounds) in measures.items()
        for faces, key in ((part, TEST), ("masked", MASKED))
        for usual in (found.results[key],)
        for other in (found.results[key._replace(variant=BALANCED)],)
    ]
    title = "`--balanced` answers as if all expressions were equally frequent ..."
    return Table(title, ("measure", "FER+ faces", "usual", "`--balanced`"), rows, words=2)


def _certain(found: Measured) -> Table:
    part, _ = PART[found.split]
    hidden = {"lower half masked": MASK, "eyes barred": "eyes", "mouth hidden": "mouth"}
    shown = {f"{part}, as they are": TEST}
    shown |= {f"{part}, {name}": Key("ferplus", drawn) for name, drawn in hidden.items()}
    if Key("occlusion") in found.results:
        number = found.results[Key("occlusion")]["faces"]
        shown[f"really occluded ({number})"] = Key("occlusion")
    rows = [
        (name, percent(of["share"], 0), _share(of["accuracy"], of["interval95"]))
        for name, key in shown.items()
        for of in (found.results[key]["certain"],)
    ]
    return Table("Certain answers", ("FER+ faces", "certain", "right among them"), rows)


def _noticed(found: Measured) -> Table:
    rows = []
    for name, words, region in DRAWN:
        never = " (never drawn in training)" if name in HELD_OUT else ""
        share = found.noticed[name]["hidden"].get(region, {}).get("recall")
        rows.append((words + never, region, percent(share)))
    return Table("Regions noticed", ("drawn", "region", "noticed"), rows, words=2)


def _alarms(found: Measured) -> Table:
    regions = found.noticed[NONE]["hidden"].items()
    rows = [(region, percent(of["false_alarms"])) for region, of in regions]
    title = "False alarms on the same faces with nothing drawn"
    return Table(title, ("region", "false alarms"), rows)


def _contrasts(found: Measured) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, study in found.studies.items():
        if contrast := study.contrast:
            difference = contrast.difference
            settled = "settled" if difference.is_settled else "not settled"
            rows.append((SETS[name], contrast.more, settled, _cost(difference)))
    title = "Whether hiding the eyes or the mouth costs more ..."
    return Table(title, ("faces", "costs more", "", "points more"), rows, words=3)


def _by_expression(found: Measured) -> Table:
    rows = [
        (one.expression, one.faces, _cost(one.costs["eyes"]), _cost(one.costs["mouth"]))
        for one in found.studies["ferplus"].expressions
    ]
    head = ("FER+ faces", "number", "hidden eyes cost, points", "a hidden mouth costs")
    return Table("It depends on the expression ...", head, rows)


def _together(found: Measured) -> Table:
    rows = []
    for name, study in found.studies.items():
        cost = {one.condition: one.cost.value for one in study.effects}
        both = points(cost["eyes"] + cost["mouth"])
        rows.append((SETS[name], points(cost["eyes+mouth"]), both))
    title = (
        "Hiding both costs more than the two together ..., what the shipped one loses without both"
    )
    return Table(title, ("faces", "both hidden, points", "the two together"), rows)


def _costs(found: Measured) -> Table:
    part, folder = PART[found.split]
    plus, own = found.studies["ferplus"], found.studies["fer2013"]
    others = {one.condition: one for one in own.effects}
    rows = [
        (
            "nothing" if one.condition == WHOLE else f"`{one.condition}`",
            *_effect(one),
            *_effect(others.get(one.condition)),
        )
        for one in plus.effects
    ]
    head = (f"FER+ {part} ({plus.faces:,})", f"FER-2013 {folder} ({own.faces:,})")
    costs = "costs, points"
    return Table("What hiding each part costs", ("hidden", head[0], costs, head[1], costs), rows)


def _effect(effect: Effect | None) -> tuple[str, str]:
    if effect is None:
        return "", ""
    return percent(effect.accuracy.value), "" if effect.condition == WHOLE else _cost(effect.cost)


def _model(found: Measured) -> Table:
    rows = [(size(found.model_bytes), f"`{found.model_sha256}`")]
    return Table("What it is", ("size", "SHA-256"), rows)


def _rare(found: Measured) -> Table:
    each = found.results[TEST]["expressions"]
    rows = [
        (name, round((of["recall"] or 0) * of["faces"]), of["faces"])
        for name in RARE
        for of in (each[name],)
    ]
    return Table("Where it fails: found least", ("expression", "found", "of"), rows)


def _right(result: Mapping[str, Any]) -> str:
    return _share(result["accuracy"], result["interval95"])


def _share(share: float | None, bounds: tuple[float, float]) -> str:
    return percent(share) if share is None else f"{percent(share)} ({interval(bounds)})"


def _worst(of: Mapping[str, Any]) -> str:
    return f"{of['expression']} {percent(of['recall'], 0)} of {of['faces']}"


def _cost(cost: Estimate) -> str:
    return f"{points(cost.value)} ({points(cost.low)} to {points(cost.high)})"
