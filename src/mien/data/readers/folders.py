"""Any tree of class folders.

    ROOT/CLASS/**/*.png             or, with folders of splits on top:
    ROOT/train/CLASS/**/*.png       train(ing), val(id, idation), test(ing), public, private,
                                    no-split

A class is any usual spelling of an expression; other names (`0`, `1`, ...) need `labels`. Labels
are numbered in the order of the sorted class names, or of `labels`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mien.data import files
from mien.data.listing import Listing
from mien.data.readers import spellings
from mien.data.readers.photos import Photo, listing
from mien.errors import DataError
from mien.images import SUFFIXES

SOURCE = "one folder of images for each class"
NO_SPLIT = "no-split"
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
    **{name: name for name in ("public", "private", "public+private")},
    NO_SPLIT: "",
}


def read(root: str | Path, *, labels: Mapping[str, str] | None = None) -> Listing:
    """Read the tree; `labels` maps class names to expressions."""
    known = spellings.table(labels)
    photos = list(tree(Path(root), SPLITS, known))
    level = 1 if any(top.name.casefold() in SPLITS for top in files.folders(Path(root))) else 0
    found = {row.source_id.split("/")[level]: row.expression for row in photos}
    order = (found[name] for name in sorted(found)) if labels is None else known.values()
    return listing(photos, spellings.own_order(order))


def tree(
    root: Path, splits: Mapping[str, str], known: Mapping[str, str] | None = None
) -> Iterator[Photo]:
    """Yield the pictures of all class folders; an id is the path below the root."""
    for split, folder in _class_folders(root, splits):
        _check_depth(folder, splits, known or spellings.KNOWN)
        expression = spellings.expression(folder.name, str(folder), known)
        found = files.below(folder, tuple(SUFFIXES), whole=True)
        if not found:
            raise DataError(f"the folder of class {folder.name!r} has no pictures: {folder}")
        for path in found:
            yield Photo(path, expression, path.relative_to(root).as_posix(), split=split)


def _class_folders(root: Path, splits: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    tops = _inside(root)
    if not any(top.name.casefold() in splits for top in tops):
        yield from (("", top) for top in tops)
        return
    for top in tops:
        if top.name.casefold() not in splits:
            raise DataError(f"{top} stands beside folders of splits; expected {', '.join(splits)}")
        yield from ((splits[top.name.casefold()], folder) for folder in _inside(top))


def _check_depth(folder: Path, splits: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Say so where class folders, or folders of splits, lie one level deeper than expected."""
    if folder.name.strip().casefold() in known:
        return
    inner = [each.name.strip().casefold() for each in files.folders(folder)]
    if inner and all(name in known or name in splits for name in inner):
        raise DataError(
            f"{folder} is no class folder, but holds some: name it as the root of the data set"
        )


def _inside(folder: Path) -> list[Path]:
    found = files.folders(folder)
    if not found:
        raise DataError(f"no class folders {files.nowhere(folder)}; expected {SOURCE}")
    loose = [path for path in folder.iterdir() if path.suffix.casefold() in SUFFIXES]
    if loose:
        raise DataError(f"{min(loose)} is in no class folder; move or remove it")
    return found
