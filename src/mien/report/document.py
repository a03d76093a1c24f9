"""A report as sections of sentences, tables and pictures, written as a page or as Markdown."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from mien.report.page import Fact, Html, page, paragraph, table


@dataclass(frozen=True)
class Table:
    """Rows under a header; the first column names them."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Shown:
    """A figure or pictures as HTML; Markdown leaves them out."""

    html: Html


@dataclass(frozen=True)
class Warned:
    """A sentence that a reader must not miss."""

    text: str


Block = str | Table | Shown | Warned


@dataclass(frozen=True)
class Document:
    """Title, answer in a sentence, numbers, and sections by their titles."""

    title: str
    lead: str
    facts: Sequence[Fact]
    sections: Sequence[tuple[str, Sequence[Block]]]

    def to_html(self) -> Html:
        """Write one page that holds everything."""
        shown = [(name, "".join(map(_html, blocks))) for name, blocks in self.sections]
        return page(self.title, self.lead, self.facts, shown)

    def to_markdown(self) -> str:
        """Write sentences and tables."""
        parts = [f"# {self.title}", self.lead]
        parts += [f"- **{fact.value}** {fact.name}" for fact in self.facts]
        for name, blocks in self.sections:
            texts = [text for text in map(_markdown, blocks) if text]
            parts += [f"## {name}", *texts] if texts else []
        return "\n\n".join(parts).replace("\n\n- ", "\n- ") + "\n"


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return written.getvalue()


def _html(block: Block) -> Html:
    if isinstance(block, Table):
        return table(block.header, block.rows)
    if isinstance(block, Warned):
        return f'<p class="warn">{escape(block.text)}</p>'
    return block.html if isinstance(block, Shown) else paragraph(block)


def _markdown(block: Block) -> str:
    if isinstance(block, Table):
        lines = [block.header, ["---"] * len(block.header), *block.rows]
        return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
    if isinstance(block, Warned):
        return f"> **{block.text}**"
    return "" if isinstance(block, Shown) else block


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
