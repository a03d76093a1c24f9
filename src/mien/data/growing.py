"""Folders of pictures that grow: drawn block by block, to be gone on with after a stop.

    FOLDER/OCCLUDER/NAME.png
    FOLDER/manifest.csv      a row for each picture that is there, also after a stop
    FOLDER/rejected.csv      what has none, and why
    FOLDER/settings.json     how they were made, and what is there whole

Until all is there a journal holds a line for each finished block. What is there is not drawn again;
other occluders may be added later, and so may other sources. What could not be read is tried again.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TextIO

from mien.data.rejections import Rejected, write_csv
from mien.errors import OutputError
from mien.files import lock, opened, replacing, write
from mien.progress import track

MANIFEST, REJECTED, SETTINGS, JOURNAL = "manifest.csv", "rejected.csv", "settings.json", ".journal"
FACTS = ("expression", "subject", "sequence", "split")
COLUMNS = ("file", "source", "occluder", "faces", "hidden_pixels", *FACTS)

Row = Mapping[str, Any]
Job = tuple[Any, tuple[str, ...]]  # a block and the occluders to draw on it
Finished = tuple[list[Row], list[Rejected]]
Work = Callable[[Job], Finished]
Each = Callable[[Work, Iterable[Job]], Iterable[Finished]]
Blocks = Mapping[Any, Sequence[tuple[str, str]]]  # the name and the source of each picture


def picture(occluder: str, name: str) -> str:
    """Name the file of a picture below the folder."""
    return f"{occluder}/{name}.png"


def grow(
    folder: Path,
    settings: Mapping[str, Any],
    occluders: tuple[str, ...],
    blocks: Blocks,
    work: Work,
    *,
    each: Each = map,
    quiet: bool = True,
) -> dict[str, int]:
    """Do what is left of the blocks; count sources, pictures, those just drawn, and rejections.

    `each` must not end before the work that it has begun.
    """
    settings = json.loads(json.dumps(settings))
    with _writing(folder):
        _finished(folder, settings)
        with opened(folder / JOURNAL, "a", encoding="utf-8") as journal:
            lock(journal, folder)
            known = _read(folder, _finished(folder, settings))
            jobs = [_left(block, names, occluders, known) for block, names in blocks.items()]
            jobs = [job for job in jobs if job[1]]
            before = len(known.rows)
            noted = _noted(work, journal, known)
            shown = track(each(noted, jobs), total=len(jobs), description="hiding", quiet=quiet)
            try:
                with closing(shown):
                    for _ in shown:
                        pass
            except BaseException:
                with suppress(OutputError):
                    _list(folder, known)
                raise
            known.occluders |= dict.fromkeys(occluders)
            _list(folder, known)
            _save(folder, settings, known.occluders)
        (folder / JOURNAL).unlink(missing_ok=True)
    sources = {source for names in blocks.values() for _, source in names}
    rejected = [known.rejected[source] for source in sources & known.rejected.keys()]
    return {
        "sources": len(sources),
        "pictures": len(known.rows),
        "drawn": len(known.rows) - before,
        "rejected": len(rejected),
        "unreadable": sum(one.unreadable for one in rejected),
    }


@dataclass
class _Known:
    """What is finished: rows by file, rejections by source, occluders drawn on all there was."""

    rows: dict[str, Row] = field(default_factory=dict)
    rejected: dict[str, Rejected] = field(default_factory=dict)
    refused: set[tuple[str, str]] = field(default_factory=set)  # occluder and source
    occluders: dict[str, None] = field(default_factory=dict)

    def add(self, entry: Mapping[str, Any]) -> None:
        for row in entry["rows"]:
            self.rows[row["file"]] = row
            self.rejected.pop(row["source"], None)
        for one in entry["rejected"]:
            found = self.rejected[one["source_id"]] = Rejected(**one)
            if not found.unreadable:
                self.refused |= {(name, found.source_id) for name in entry["occluders"]}


def _noted(work: Work, journal: TextIO, known: _Known) -> Work:
    """Write a block down as soon as it is finished, by whichever thread."""
    lock = Lock()

    def noted(job: Job) -> Finished:
        rows, rejected = work(job)
        entry = {"occluders": job[1], "rows": rows, "rejected": [*map(asdict, rejected)]}
        with lock:
            journal.write(json.dumps(entry) + "\n")
            journal.flush()
            known.add(entry)
        return rows, rejected

    return noted


def _left(
    block: Any, names: Sequence[tuple[str, str]], occluders: tuple[str, ...], known: _Known
) -> Job:
    return block, tuple(
        occluder
        for occluder in occluders
        if any(
            picture(occluder, name) not in known.rows and (occluder, source) not in known.refused
            for name, source in names
        )
    )


def _finished(folder: Path, settings: Mapping[str, Any]) -> list[str]:
    """Give the occluders that earlier runs with these settings are done with; note them if none."""
    path = folder / SETTINGS
    if not path.is_file():
        if folder.exists() and any(folder.iterdir()):
            raise OutputError(f"{folder} is there already; remove it or name another folder")
        folder.mkdir(parents=True, exist_ok=True)
        _save(folder, settings, ())
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise OutputError(f"cannot read {path}: {error}; remove {folder}") from error
    finished: list[str] = found.pop("occluders", [])
    differing = [name for name in {**settings, **found} if settings.get(name) != found.get(name)]
    if differing:
        raise OutputError(
            f"{folder} was drawn with other settings: {', '.join(differing)} differ; name another"
            " folder, or take those in its settings.json"
        )
    return finished


def _read(folder: Path, finished: list[str]) -> _Known:
    """Read what earlier runs have left."""
    known = _Known(occluders=dict.fromkeys(finished))
    whole = {"rows": _rows(folder / MANIFEST), "rejected": _rows(folder / REJECTED)}
    for entry in ({"occluders": finished, **whole}, *_entries(folder / JOURNAL)):
        known.add(entry)
    return known


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: _unescaped(value) for name, value in row.items()} for row in rows]


def _unescaped(text: str) -> str:
    """Undo what `backslashreplace` makes of a file's name that is no UTF-8."""
    return re.sub(r"\\ud(c[89a-f][0-9a-f])", lambda found: chr(int("d" + found[1], 16)), text)


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole lines of a journal; cut off what lies behind them."""
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    whole = [line for line in lines if line.endswith(b"\n")]
    if len(whole) < len(lines):
        path.write_bytes(b"".join(whole))
    yield from map(json.loads, whole)


def _list(folder: Path, known: _Known) -> None:
    """Write what is there, and what is not."""
    with (
        replacing(folder / MANIFEST) as part,
        opened(part, "w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(known.rows[name] for name in sorted(known.rows))
    with replacing(folder / REJECTED) as part:
        write_csv(part, known.rejected.values())


def _save(folder: Path, settings: Mapping[str, Any], occluders: Iterable[str]) -> None:
    content = {**settings, "occluders": list(occluders)}
    write(folder / SETTINGS, json.dumps(content, indent=1))


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error
