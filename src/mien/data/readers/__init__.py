"""Readers of data sets, one file each, by name.

A reader of faces gives a FaceTable, one of photographs a Listing. The docstring of its file says
what layout it expects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from mien.data.listing import Listing
    from mien.data.table import FaceTable

Parse = Callable[[str], Any]


def _flag(text: str) -> bool:
    flags = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    return flags[text.strip().casefold()]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _mapping(text: str) -> dict[str, str]:
    """Read `0=anger,1=fear,2=`."""
    return dict((part.split("=")[0].strip(), part.split("=", 1)[1]) for part in text.split(","))


def _rule(text: str) -> str:
    from mien.data.labels import RULES

    if text not in RULES:
        raise UsageError(unknown_name("rule", text, RULES))
    return text


EXPECTED: dict[Parse, str] = {
    _flag: "yes or no, true or false, 1 or 0",
    _mapping: "NAME=EXPRESSION,NAME=EXPRESSION, nothing behind = for no label",
    int: "a whole number",
}


@dataclass(frozen=True)
class Reader:
    """A data set and its file here; options by name, each with how its text is read."""

    name: str
    title: str
    kind: str  # faces | photographs
    module: str
    options: Mapping[str, Parse]

    @property
    def layout(self) -> str:
        """What the reader expects on disk."""
        return cleandoc(import_module(f"{__name__}.{self.module}").__doc__ or "")


READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        Reader("fer2013", "FER-2013", "faces", "fer2013", {"points_file": str}),
        Reader(
            "debanga",
            "FER-2013, the challenge's files as debanga copied them",
            "faces",
            "fer2013",
            {"points_file": str},
        ),
        Reader(
            "fer2013-folders", "FER-2013 as class folders", "photographs", "fer2013_folders", {}
        ),
        Reader(
            "ferplus",
            "FER+: FER-2013 with ten votes a face",
            "faces",
            "ferplus",
            {"source": str, "rule": _rule, "subset": str, "points_file": str},
        ),
        Reader("jaffe", "JAFFE", "photographs", "jaffe", {}),
        Reader(
            "ckplus",
            "CK+, the official sequences",
            "photographs",
            "ckplus",
            {"peaks": int, "neutral": _flag, "landmarks": _flag, "facs": _flag},
        ),
        Reader(
            "ckplus48", "CK+48, the last frames as faces", "photographs", "ckplus48", {"peaks": int}
        ),
        Reader("iefdb", "IEFDB", "photographs", "iefdb", {"unpack": str}),
        Reader("legend", "legend.csv of muxspace/facial_expressions", "photographs", "legend", {}),
        Reader("rafdb", "RAF-DB, basic expressions", "photographs", "rafdb", {"images": str}),
        Reader(
            "affectnet",
            "AffectNet, 8 or 7 expressions",
            "photographs",
            "affectnet",
            {"classes": int, "landmarks": _flag},
        ),
        Reader("expw", "ExpW", "photographs", "expw", {}),
        Reader("kdef", "KDEF", "photographs", "kdef", {"angles": _words}),
        Reader(
            "folders", "any tree of class folders", "photographs", "folders", {"labels": _mapping}
        ),
        Reader(
            "manifest",
            "any CSV or Parquet table of photographs",
            "photographs",
            "manifest",
            {
                **dict.fromkeys(("file", "path", "label", "subject", "sequence", "split"), str),
                "source_id": str,
                "labels": _mapping,
            },
        ),
    )
}


def read(name: str, root: str | Path, /, **options: Any) -> "FaceTable | Listing":
    """Read a data set by name; options may be text, as a command line has them.

    A root that is a zip is unpacked into the folder that the option `unpack` names.
    """
    if name not in READERS:
        raise UsageError(unknown_name("data set", name, READERS))
    reader = READERS[name]
    if Path(root).suffix.casefold() == ".zip" and not Path(root).is_dir():
        from mien.data import files

        root = files.unpack(Path(root), options.pop("unpack", None))
    values = checked(name, options)
    table: FaceTable | Listing = import_module(f"{__name__}.{reader.module}").read(root, **values)
    return table


def checked(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options of a data set as its reader takes them; those that are text are read."""
    return {option: _value(READERS[name], option, value) for option, value in options.items()}


def _value(reader: Reader, option: str, value: Any) -> Any:
    if option not in reader.options:
        raise UsageError(unknown_name(f"option of {reader.name}", option, reader.options))
    if not isinstance(value, str):
        return value
    try:
        return reader.options[option](value)
    except (ValueError, KeyError, IndexError) as error:
        raise UsageError(
            f"cannot read the option {option}={value!r} of {reader.name}; expected"
            f" {EXPECTED[reader.options[option]]}"
        ) from error
