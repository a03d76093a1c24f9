"""Write a table block by block: in constant memory, to be gone on with after a stop, whole at last.

Beside the folder wanted grows `.NAME.part`: one .npy for each array of numbers, and a journal with
a line for each finished block, which holds its texts too. What lies behind the last whole line
whose rows all files hold is cut off when the work goes on. At the end the texts become .npy too and
the folder gets its name.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.lib import format as npy

from mien.data.columns import Columns
from mien.data.table import FaceTable, describe
from mien.errors import DataError, OutputError
from mien.files import lock

PLAN, JOURNAL = "plan.json", "journal.jsonl"
AT_ONCE = 4096  # rows
TEXTS = tuple(name for name, (kind, _) in FaceTable.shapes.items() if kind == "U")


class TableWriter:
    """Append blocks of faces to a table that appears when it is finished.

    `plan` tells one work from another: only the same one is gone on with. `done` counts the items
    of its source that lie behind it, `faces` those that became rows.
    """

    def __init__(
        self, folder: str | Path, expressions: tuple[str, ...], plan: Mapping[str, Any]
    ) -> None:
        self.folder = Path(folder)
        if self.folder.exists():
            raise OutputError(f"{folder} exists; remove it or name another folder")
        self.done = self.faces = 0
        self._expressions = expressions
        self._widths = dict.fromkeys(TEXTS, 1)
        self._files: dict[str, BinaryIO] = {}
        self._kinds: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}
        self._part = self.folder.with_name(f".{self.folder.name}.part")
        with self._writing():
            self._check_plan(json.loads(json.dumps({**plan, "expressions": expressions})))
            self._journal = (self._part / JOURNAL).open("a+b")
            try:
                lock(self._journal, self.folder)
                self._go_on()
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if not self.done:
            self.discard()

    def close(self) -> None:
        """Leave the work as it is, to be gone on with."""
        for file in (self._journal, *self._files.values()):
            file.close()

    def append(self, block: FaceTable | None, *, done: int, **notes: Any) -> None:
        """Add rows; `done` more items are behind them. The notes stay in the journal."""
        arrays = {} if block is None else block.arrays()
        texts = {name: arrays.pop(name).tolist() for name in TEXTS if name in arrays}
        with self._writing():
            for name, array in arrays.items():
                self._file(name, array).write(np.ascontiguousarray(array).tobytes())
            for file in self._files.values():
                file.flush()
            if block is not None and self._kinds.keys() != arrays.keys():
                raise DataError(f"a block has {[*arrays]}, the table {[*self._kinds]}")
            entry = {"done": done, "faces": 0 if block is None else len(block), **notes}
            entry["texts"] = texts
            self._journal.write(json.dumps(entry).encode() + b"\n")
            self._journal.flush()
        self._count(entry)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield what the journal says of each block: `done`, `faces`, its notes and texts."""
        with (self._part / JOURNAL).open("rb") as file:
            yield from map(json.loads, file)

    def finish(self, write: Callable[[Path], None] = lambda folder: None) -> FaceTable:
        """Make the folder whole, with what `write` puts into it, and open it as a table."""
        if not self.faces:
            raise DataError(f"no face is left to write to {self.folder}")
        with self._writing():
            for name, (dtype, shape) in self._kinds.items():
                _write_header(self._files[name], dtype, (self.faces, *shape))
                self._files[name].close()
            self._write_texts()
            write(self._part)
            describe(self._part, self.faces, self._expressions, [*self._kinds, *TEXTS])
            self._journal.close()
            self._part.rename(self.folder)
            for name in (JOURNAL, PLAN):
                (self.folder / name).unlink()
        return FaceTable.open(self.folder)

    def discard(self) -> None:
        """Give up what was written."""
        self.close()
        shutil.rmtree(self._part, ignore_errors=True)

    def _check_plan(self, plan: dict[str, Any]) -> None:
        path = self._part / PLAN
        self._part.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(json.dumps(plan), encoding="utf-8")
        elif (found := _parsed(path.read_bytes())) != plan:
            known = found if isinstance(found, dict) else {}
            differing = [name for name in {**plan, **known} if plan.get(name) != known.get(name)]
            raise OutputError(
                f"{self._part} holds unfinished work of another kind: {', '.join(differing)}"
                " differ; remove it, or go on with the settings it was begun with"
            )

    def _go_on(self) -> None:
        """Count the finished blocks; cut off what lies behind the last."""
        for name in TEXTS:
            (self._part / f"{name}.npy").unlink(missing_ok=True)
        held = min(map(self._reopen, self._part.glob("*.npy")), default=0)
        self._journal.seek(0)
        whole = 0
        for line in self._journal:
            entry = _parsed(line) if line.endswith(b"\n") else None
            if entry is None or self.faces + entry["faces"] > held:
                break
            whole += len(line)
            self._count(entry)
        self._journal.truncate(whole)
        for name, (dtype, shape) in self._kinds.items():
            _write_header(self._files[name], dtype, (0, *shape))
            size = self.faces * dtype.itemsize * int(np.prod(shape))
            self._files[name].seek(size, os.SEEK_CUR)
            self._files[name].truncate()
        if not self.faces:
            self._begin_again()

    def _reopen(self, path: Path) -> int:
        """Open an array that was begun; give how many whole rows it holds."""
        file = self._files[path.stem] = path.open("r+b")
        try:
            npy.read_magic(file)
            shape, _, dtype = npy.read_array_header_1_0(file)
        except ValueError:  # the machine went down
            return 0
        self._kinds[path.stem] = dtype, shape[1:]
        size = dtype.itemsize * int(np.prod(shape[1:]))
        return (path.stat().st_size - file.tell()) // size

    def _begin_again(self) -> None:
        for name, file in self._files.items():
            file.close()
            (self._part / f"{name}.npy").unlink()
        self._files.clear()
        self._kinds.clear()

    def _count(self, entry: dict[str, Any]) -> None:
        self.done += entry["done"]
        self.faces += entry["faces"]
        for name, texts in entry["texts"].items():
            self._widths[name] = max(self._widths[name], *map(len, texts))

    def _file(self, name: str, array: np.ndarray[Any, Any]) -> BinaryIO:
        kind = array.dtype, array.shape[1:]
        if name not in self._files and not self.faces:
            self._files[name], self._kinds[name] = (self._part / f"{name}.npy").open("w+b"), kind
            _write_header(self._files[name], array.dtype, (0, *array.shape[1:]))
        if self._kinds.get(name) != kind:
            raise DataError(f"a block has {name} of {kind}, the table {self._kinds.get(name)}")
        return self._files[name]

    def _write_texts(self) -> None:
        dtypes = {name: np.dtype(f"<U{width}") for name, width in self._widths.items()}
        files = {name: (self._part / f"{name}.npy").open("w+b") for name in TEXTS}
        for name, file in files.items():
            _write_header(file, dtypes[name], (self.faces,))
        for entry in self.entries():
            for name, texts in entry["texts"].items():
                files[name].write(np.array(texts, dtype=dtypes[name]).tobytes())
        for file in files.values():
            file.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"cannot write the table {self.folder}: {error}") from error


def digest(data: Columns) -> str:
    """Tell the rows of a set, with their pictures, from those of another; files by their dates."""
    found = sha256(" ".join(data.expressions).encode())
    for name, array in data.arrays().items():
        for first in range(0, len(data), AT_ONCE):
            rows = array[first : first + AT_ONCE]
            found.update(_dated(rows.tolist()) if name == "paths" else rows.tobytes())
    return found.hexdigest()


def _dated(paths: list[str]) -> bytes:
    """Name files wherever they are named from, with their sizes and when they were written."""
    return "\n".join(f"{os.path.abspath(path)} {_date(path)}" for path in paths).encode(
        "utf-8", "surrogateescape"
    )


def _date(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return "none"
    return f"{found.st_size} {found.st_mtime_ns}"


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _write_header(file: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Write the head of an .npy, as long for any number of rows; go behind it."""
    file.seek(0)
    head = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(file, head)
