"""What may be done with each data set, as far as a source says so; a summary, no legal advice.

`forbidden` and `allowed` are what the source states; where none does, it is `unknown`. Terms of
non-commercial use are taken to forbid commercial training. No source allows public weights or
forbids them in words, but for licences that cover everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from mien.errors import UsageError, unknown_name

VALUES = ("allowed", "unknown", "forbidden")  # from the mildest to the strictest
USES = ("redistribution", "commercial_training", "public_weights")


@dataclass(frozen=True)
class Rights:
    """The terms of a data set and where they are stated; a use is one of VALUES."""

    licence: str
    redistribution: str = "unknown"
    commercial_training: str = "unknown"
    public_weights: str = "unknown"
    source: str = ""

    def __post_init__(self) -> None:
        for use in USES:
            if getattr(self, use) not in VALUES:
                raise UsageError(unknown_name(use, getattr(self, use), VALUES))


def _non_commercial(who: str, source: str) -> Rights:
    return Rights(f"non-commercial {who} only", "forbidden", "forbidden", source=source)


_FER = (
    "kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge"
    "/rules (no sharing of data outside teams); Goodfellow et al. 2013, arXiv 1307.0414"
)
_FER2013 = Rights("none stated; pictures found by a web search in 2013", "forbidden", source=_FER)
_CKPLUS = _non_commercial("research", "ckplus.jeffcohn.net/request; Lucey et al., CVPRW 2010")
_OWN = Rights("whatever its owner grants", source="a set of your own: look there")

RIGHTS: dict[str, Rights] = {
    "fer2013": _FER2013,
    "debanga": _FER2013,
    "fer2013-folders": _FER2013,
    "ferplus": Rights(
        f"MIT for the votes; the pictures are FER-2013's: {_FER2013.licence}",
        "forbidden",
        source=f"github.com/microsoft/FERPlus/blob/master/LICENSE.md; {_FER}",
    ),
    "jaffe": _non_commercial("scientific research", "zenodo.org/record/3451524"),
    "ckplus": _CKPLUS,
    "ckplus48": _CKPLUS,
    "iefdb": Rights("none found", source="osf.io/download/nf2by and b8gzm come without one"),
    "legend": Rights("none stated", source="github.com/muxspace/facial_expressions has none"),
    "rafdb": _non_commercial("research", "whdeng.cn/RAF/model1.html; Li et al., CVPR 2017"),
    "affectnet": _non_commercial(
        "research and education", "mohammadmahoor.com/pages/databases/affectnet"
    ),
    "expw": Rights(
        "none stated", source="mmlab.ie.cuhk.edu.hk/projects/socialrelation states none"
    ),
    "kdef": _non_commercial("use by researchers", "kdef.se"),
    "folders": _OWN,
    "manifest": _OWN,
}


def rights(name: str) -> Rights:
    """Give the rights in a data set by the name of its reader."""
    if name not in RIGHTS:
        raise UsageError(unknown_name("data set", name, RIGHTS))
    return RIGHTS[name]


def strictest(names: Iterable[str]) -> Rights:
    """Give what a model inherits that is trained on all of these: of every use the strictest."""
    found = list(dict.fromkeys(map(rights, names)))
    if not found:
        raise UsageError("expected at least one data set, got none")
    return _strictest(found)


def _strictest(found: Sequence[Rights]) -> Rights:
    uses = {use: max((getattr(one, use) for one in found), key=VALUES.index) for use in USES}
    licence, source = ("; ".join(getattr(one, of) for one in found) for of in ("licence", "source"))
    return Rights(licence, **uses, source=source)


def record(name: str) -> dict[str, Any]:
    """Give a data set and its rights as a model's metadata says them."""
    from mien.data.readers import READERS

    title = READERS[name].title if name in READERS else name
    return {"data_set": title, **asdict(rights(name))}


def together(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the records of several sets as one, of every use the strictest."""
    found = list(records)
    names = [of.name for of in fields(Rights)]
    terms = dict.fromkeys(Rights(**{name: one[name] for name in names}) for one in found)
    titles = dict.fromkeys(title for one in found for title in one["data_set"].split("; "))
    return {"data_set": "; ".join(titles), **asdict(_strictest([*terms]))}
