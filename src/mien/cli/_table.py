"""The records of `mien predict` for people: a row a face, its photograph named once."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from mien.cli._records import Record, printable
from mien.cli._streams import console
from mien.records import percent

BAR = 8  # characters of a full bar
WIDTHS = {"face": 4, "expression": 10, "": BAR + 6, "next": 14, "hidden": 10}
GAP = "  "

Cell = tuple[str, str]  # text and style


class Table:
    """Rows that line up, printed as soon as their photograph is read."""

    def __init__(self, stream: TextIO) -> None:
        self._console = console(stream)
        taken = sum(WIDTHS.values()) + len(GAP) * len(WIDTHS)
        self._widths = [max(16, min(48, self._console.width - taken)), *WIDTHS.values()]
        self._print([(name, "bold") for name in ("photograph", *WIDTHS)])

    def write(self, records: Iterable[Record]) -> None:
        named = ""
        for record in records:
            name = printable(record["source"])
            if self._console.is_terminal:
                name = fitted(name, self._widths[0])
            self._print([(name if name != named else "", ""), *cells(record)])
            named = name

    def _print(self, row: list[Cell]) -> None:
        from rich.cells import cell_len
        from rich.text import Text

        line = Text()
        for (text, style), width in zip(row, self._widths, strict=False):
            line.append(text, style).append(" " * max(0, width - cell_len(text)) + GAP)
        line.rstrip()
        self._console.print(line, soft_wrap=True)


def cells(record: Record) -> Iterator[Cell]:
    """Give what stands right of the photograph's name."""
    if "error" in record:
        yield printable(record["error"]), "red"
    elif "expression" not in record:
        yield "no face", "dim"
    else:
        first, second = sorted(record["probabilities"].items(), key=lambda pair: -pair[1])[:2]
        yield f"{record['face']:>4}", "dim"
        yield (first[0], "bold") if record["certain"] else (f"{first[0]}?", "")
        yield f"{bar(first[1])} {percent(first[1]):>5}", "green" if record["certain"] else "yellow"
        yield f"{second[0]} {percent(second[1])}" if second[1] >= 0.005 else "", "dim"
        hidden = record["hidden"]
        yield ("not known", "dim") if hidden is None else (" ".join(hidden), "magenta")


def bar(share: float) -> str:
    """Draw a share of the full bar in eighths of a character."""
    eighths = round(share * BAR * 8)
    blocks = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
    return blocks.ljust(BAR)


def fitted(name: str, width: int) -> str:
    """Cut a long name at its front: its end tells photographs apart."""
    from rich.cells import cell_len

    if cell_len(name) <= width:
        return name
    while cell_len(name) > width - 1:
        name = name[1:]
    return f"…{name}"
