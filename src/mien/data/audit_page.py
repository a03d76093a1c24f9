"""The page of an audit: the offending faces side by side, classes and votes drawn."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mien.data.audit import BINS, Audit, Copies, Groups, small
from mien.data.columns import UNLABELLED
from mien.data.listing import Listing
from mien.data.table import FaceTable
from mien.errors import MissingExtraError
from mien.report import figures
from mien.report.page import Fact, Html, Picture, gallery, page, paragraph, table

GROUPS = 60  # shown of each kind
FACES = 8  # shown of each group
LINES = 100

HOW = (
    "Exact copies have equal pixels. Near copies are found by a fingerprint of each picture that a"
    " mirror image shares and a shift of 2 pixels hardly changes; they count if the pixels, shifted"
    " and mirrored to fit, correlate by at least 0.9. A near copy is a copy that is not exact."
)


def audit_page(name: str, data: FaceTable | Listing, found: Audit) -> Html:
    """Write the page for a data set of that name."""
    exact, near = found.exact, found.near
    rows = {source: row for row, source in enumerate(data.source_id.tolist())}
    split = dict(zip(rows, data.split.tolist(), strict=True))
    labels = dict(zip(rows, data.expression_names().tolist(), strict=True))

    def faces(groups: Sequence[Sequence[str]]) -> Html:
        shown = [
            [
                Picture(small(data, rows[one]), labels[one] or UNLABELLED, split[one], one)
                for one in group[:FACES]
            ]
            for group in groups[:GROUPS]
        ]
        return (_of(len(shown), len(groups)) + gallery(shown)) if shown else ""

    def across(copies: Copies) -> Groups:
        return tuple(group for group in copies.groups if len({split[one] for one in group}) > 1)

    def inside(copies: Copies) -> Groups:
        return tuple(group for group in copies.groups if len({split[one] for one in group}) == 1)

    near_conflicts = [group for group in near.conflicting if group not in set(exact.conflicting)]
    sections = [
        ("Copies counted", _counts(exact, near)),
        ("Classes", _classes(found)),
        ("Votes", _votes(found)),
        ("One picture, two labels", faces(exact.conflicting)),
        ("Nearly one picture, two labels", faces(near_conflicts)),
        ("Exact copies in two splits", faces(across(exact))),
        ("Near copies in two splits", faces(across(near))),
        ("Exact copies in one split", faces(inside(exact))),
        ("Near copies in one split", faces(inside(near))),
        ("Blank images", faces([(one,) for one in found.blank])),
        *((f"One {kind}, two splits", _shared(kind, found)) for kind in found.shared),
        ("Images that cannot be read", _lines(("image", "reason"), found.unreadable.items())),
        ("How this was found", paragraph(HOW)),
    ]
    return page(f"Audit of {name}", _lead(found), list(facts(found)), sections)


def facts(found: Audit) -> Iterator[Fact]:
    """Yield the numbers that a reader wants first."""
    numbers = {
        "exact copies of a face in an earlier split": leaked(found.exact),
        "near copies of a face in an earlier split": leaked(found.near),
        "pictures with two labels": len(found.exact.conflicting),
        "near copies with two labels": len(found.near.conflicting),
        "blank images": len(found.blank),
        "images that cannot be read": len(found.unreadable),
    }
    for name, count in numbers.items():
        yield Fact(f"{count:,}", name, "bad" if count else "good")
    for kind, shared in found.shared.items():
        if shared is None:
            yield Fact("unknown", f"{kind}s in two splits: the set names none")
        else:
            level = "bad" if shared else "good"
            yield Fact(f"{len(shared):,}", f"{kind}s in two splits", level)


def leaked(copies: Copies) -> int:
    """Count the faces of a split that are copies of an earlier one's, once for each such split."""
    return sum(count for name, count in copies.counts.items() if " in " in name)


def _lead(found: Audit) -> str:
    parts = [
        f"{sum(counts.values()):,} in {name or 'one part'}"
        for name, counts in found.classes.items()
    ]
    empty = {one for counts in found.classes.values() for one, count in counts.items() if not count}
    lacking = f" Not every split has {', '.join(sorted(empty))}." if empty else ""
    return f"{found.faces:,} faces: {', '.join(parts)}.{lacking}"


def _counts(exact: Copies, near: Copies) -> Html:
    rows = [
        (name, f"{count:,}", f"{near.to_dict()[name]:,}") for name, count in exact.to_dict().items()
    ]
    return table(("faces", "exact", "near"), rows)


def _classes(found: Audit) -> Html:
    names = list(dict.fromkeys(name for counts in found.classes.values() for name in counts))
    shares = {
        split or "all": [counts.get(name, 0) / max(1, sum(counts.values())) for name in names]
        for split, counts in found.classes.items()
    }
    rows = [
        (name, *(f"{counts.get(name, 0):,}" for counts in found.classes.values())) for name in names
    ]
    return _bars(names, shares, y="share of the split") + table(("expression", *shares), rows)


def _votes(found: Audit) -> Html:
    with_votes = {name: of for name, of in found.votes.items() if of["faces"]}
    if not with_votes:
        return ""
    names = [f"{place / BINS:.0%}" for place in range(BINS)]
    shares = {
        name or "all": [count / of["faces"] for count in of["histogram"]]
        for name, of in with_votes.items()
    }
    rows = [
        (name or "all", f"{of['faces']:,}", f"{of['mean']:.1%}", f"{of['no majority']:,}")
        for name, of in with_votes.items()
    ]
    x = f"share of the votes for the winning expression, in steps of {1 / BINS:.0%} from"
    return _bars(names, shares, x=x, y="share of the split") + table(
        ("split", "faces with votes", "mean share of the winner", "without a majority"), rows
    )


def _bars(names: Sequence[str], series: Mapping[str, Sequence[float]], **axes: str) -> Html:
    try:
        return figures.bars(names, series, **axes)
    except MissingExtraError as error:
        return paragraph(f"No chart here: {error}.")


def _shared(kind: str, found: Audit) -> Html:
    shared = found.shared[kind] or {}
    return _lines((kind, "splits"), ((one, ", ".join(splits)) for one, splits in shared.items()))


def _lines(header: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Html:
    rows = list(rows)
    return (_of(len(rows[:LINES]), len(rows)) + table(header, rows[:LINES])) if rows else ""


def _of(shown: int, all_of_them: int) -> Html:
    if shown == all_of_them:
        return paragraph(f"{shown:,} in all.")
    return paragraph(f"The first {shown:,} of {all_of_them:,}; `--format json` lists them all.")
