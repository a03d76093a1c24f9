"""What a measurement found: tables to read, figures to keep, and the machine they hold for."""

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from mien import __version__, weights
from mien.errors import OutputError
from mien.progress import cores

PACKAGES = ("numpy", "pillow", "onnxruntime")
UNITS = ("B", "kB", "MB", "GB")
WIDTH = 120  # where there is no terminal to ask

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Rows under columns, the first `words` of which hold words; the note says what for."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    note: str = ""
    words: int = 1

    def to_markdown(self) -> str:
        """Give the rows as Markdown, without title and note."""
        head = "|" + "".join(f" {column} |" if column else " |" for column in self.columns)
        rule = "|" + "".join(
            " --- |" if at < self.words else " ---: |" for at in range(len(self.columns))
        )
        lines = ["|" + "".join(f" {_text(cell)} |" for cell in row) for row in self.rows]
        return "\n".join([head, rule, *lines]) + "\n"


@dataclass
class Report:
    """The tables and figures of one measurement."""

    name: str
    tables: list[Table] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=lambda: machine())

    def show(self) -> None:
        """Print the tables."""
        from rich.console import Console

        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = WIDTH
        console.print(_headline(self.machine), style="dim")
        for table in self.tables:
            console.print(_drawn(table))

    def write(self, path: Path) -> None:
        """Write the figures as JSON."""
        content = {"bench": self.name, "machine": self.machine, "figures": self.figures}
        try:
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def machine() -> dict[str, Any]:
    """Describe what is measured on, and how busy it is."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "system": platform.platform(terse=True),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "mien": __version__,
        **{name: metadata.version(name) for name in PACKAGES},
        "models": {entry.name: entry.sha256[:12] for entry in weights.list_models()},
    }


def percent(share: float | None, digits: int = 1) -> str:
    """Give a share as a percentage, a dash where there is none."""
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def interval(bounds: Sequence[float], digits: int = 1) -> str:
    """Give an interval of shares in percent."""
    return f"{100 * bounds[0]:.{digits}f} to {100 * bounds[1]:.{digits}f}"


def size(count: float) -> str:
    """Give a number of bytes in the unit that suits it."""
    power = min(len(UNITS) - 1, max(0, (len(str(int(count))) - 1) // 3))
    return f"{count / 1000**power:.{1 if power else 0}f} {UNITS[power]}"


def milliseconds(seconds: float) -> str:
    """Give a time in milliseconds."""
    return f"{1000 * seconds:.2f} ms"


def _headline(machine: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {machine[name]}" for name in ("python", "mien", *PACKAGES))
    models = ", ".join(f"{name} {sha256}" for name, sha256 in machine["models"].items())
    where = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    return f"{where}, load {machine['load']}\n{versions}\nmodels: {models}"


def _drawn(table: Table) -> Any:
    from rich.table import Table as RichTable

    drawn = RichTable(title=table.title, caption=table.note or None, title_justify="left")
    for number, column in enumerate(table.columns):
        drawn.add_column(column, justify="left" if number < table.words else "right")
    for row in table.rows:
        drawn.add_row(*map(_text, row))
    return drawn


def _text(cell: Cell) -> str:
    return "-" if cell is None else str(cell)


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if sys.platform == "linux" and path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
