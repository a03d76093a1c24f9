"""One page of HTML with everything in it: no file beside it, nothing fetched.

What is passed as text is escaped; what these functions give is HTML, to be passed on as it is.
"""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien import images

Html = str
SHORT = 24  # letters of a cell that stay on one line


class Picture(NamedTuple):
    """An image, uint8 (H, W) or (H, W, 3), what it is said to be, and where it comes from."""

    image: NDArray[np.uint8]
    title: str
    tag: str = ""
    note: str = ""


class Fact(NamedTuple):
    """A number that matters; `level` is good, bad, or nothing of the two."""

    value: str
    name: str
    level: str = ""


def page(
    title: str, lead: str, facts: Sequence[Fact], sections: Sequence[tuple[str, Html]]
) -> Html:
    """Put a page together: title, one sentence, numbers, and sections by their titles."""
    shown = [(name, body) for name, body in sections if body]
    links = [f'<a href="#s{n}">{escape(name)}</a>' for n, (name, _) in enumerate(shown)]
    parts = [
        f'<section id="s{n}"><h2>{escape(name)}</h2>{body}</section>'
        for n, (name, body) in enumerate(shown)
    ]
    cards = [
        f'<div class="fact {escape(level)}"><b>{escape(value)}</b>{escape(name)}</div>'
        for value, name, level in facts
    ]
    return _PAGE.format(
        title=escape(title),
        style=_STYLE,
        lead=escape(lead),
        facts="".join(cards),
        links="".join(links),
        body="\n".join(parts),
    )


def paragraph(text: str) -> Html:
    return f"<p>{escape(text)}</p>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """Lay out rows; the first column names them, numbers stand right."""
    listed = [list(row) for row in rows]
    kinds = [[_kind(text) for text in row] for row in listed]
    inner = zip(*(row[1:] for row in kinds), strict=True)
    columns = ["", *(_column({*column}) for column in inner)]
    head = [_cell("th", *one) for one in zip_longest(header, columns, fillvalue="")]
    lines = [
        [
            _cell("td" if at else "th", text, _set(kind, column))
            for at, (text, kind, column) in enumerate(zip(row, of, columns, strict=True))
        ]
        for row, of in zip(listed, kinds, strict=True)
    ]
    body = "".join(f"<tr>{''.join(line)}</tr>" for line in (head, *lines))
    return f'<div class="wide"><table>{body}</table></div>'


def gallery(groups: Iterable[Sequence[Picture]], *, large: bool = False) -> Html:
    """Show pictures, those of a group side by side."""
    shown = ["".join(map(_picture, group)) for group in groups]
    kind = "gallery large" if large else "gallery"
    return f'<div class="{kind}">{"".join(f"<div>{group}</div>" for group in shown)}</div>'


def fold(title: str, body: Html) -> Html:
    """Hide what few will read behind its title; on paper it is left out."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def code(text: str) -> Html:
    return f'<pre class="wide">{escape(text)}</pre>'


def _picture(shown: Picture) -> Html:
    source = base64.b64encode(images.encoded(shown.image, ".png")).decode("ascii")
    tag = f"<em>{escape(shown.tag)}</em>" if shown.tag else ""
    return (
        f'<figure><img src="data:image/png;base64,{source}" alt="{escape(shown.title)}">'
        f"<figcaption>{tag}<b>{escape(shown.title)}</b>"
        f'<small title="{escape(shown.note)}">{escape(shown.note)}</small></figcaption></figure>'
    )


def _kind(text: str) -> str:
    """Tell how a cell is set: a number, lines, a short text, or any other."""
    number = "".join(letter for letter in text if letter not in "+-,. %") or text
    if number.isdigit():
        return "n"
    return "lines" if "\n" in text else "short" if len(text) <= SHORT else ""


def _column(kinds: set[str]) -> str:
    """Set a column of numbers to the right, short texts among them too."""
    return "n" if kinds & {"n", "lines"} and "" not in kinds else ""


def _set(kind: str, column: str) -> str:
    return (column or "short") if kind in ("n", "short") else kind


def _cell(tag: str, text: str, kind: str) -> Html:
    named = f' class="{kind}"' if kind else ""
    return f"<{tag}{named}>{escape(text)}</{tag}>"


_STYLE = """
:root { color-scheme: light dark; --paper: #fbfbfa; --card: #fff; --ink: #1d2129; --soft: #5d6675;
  --line: #dfe2e8; --accent: #2f62a8; --bad: #b3372b; --good: #26764d; }
@media (prefers-color-scheme: dark) { :root { --paper: #14161a; --card: #1d2026; --ink: #e7e9ee;
  --soft: #9aa3b2; --line: #343943; --accent: #86b1ee; --bad: #f08a7e; --good: #74cf9f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.25rem 5rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 0 0 .75rem; }
p { max-width: 46rem; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
header p { font-size: 1.1rem; color: var(--soft); }
section { margin-top: 2.75rem; scroll-margin-top: 1rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .92rem; margin-top: 1.5rem; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr));
  gap: .75rem; margin-top: 1.5rem; }
.fact { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .8rem 1rem; color: var(--soft); font-size: .88rem; line-height: 1.35; }
.fact b { display: block; font-size: 1.65rem; color: var(--ink); line-height: 1.25; }
.fact.bad b { color: var(--bad); }
.fact.good b { color: var(--good); }
.wide { max-width: 100%; overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
tr:first-child th { color: var(--soft); font-weight: 500; }
tr > :first-child { position: sticky; left: 0; max-width: 45vw; background: var(--paper); }
tr > :last-child { padding-right: 0; }
.n, .lines { text-align: right; }
.n, .short, tr:first-child th { white-space: nowrap; }
td.lines { white-space: pre; font-size: .8rem; line-height: 1.35; color: var(--soft); }
td.lines::first-line { font-size: .92rem; color: var(--ink); }
svg { display: block; max-width: 100%; height: auto; margin: .75rem 0 1.25rem; }
.gallery { display: flex; flex-wrap: wrap; gap: .75rem; }
.gallery > div { display: flex; flex-wrap: wrap; gap: .6rem; padding: .6rem;
  background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
figure { margin: 0; width: 96px; }
img { width: 96px; height: 96px; object-fit: contain; border-radius: .3rem; display: block;
  background: var(--line); }
figcaption { font-size: .78rem; line-height: 1.3; margin-top: .3rem; }
figcaption * { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
figcaption em { font-style: normal; color: var(--accent); }
figcaption small { color: var(--soft); font-size: .72rem; }
.large figure, .large img { width: 144px; }
.large img { height: 144px; image-rendering: pixelated; }
.large figcaption * { white-space: normal; }
pre { font-size: .8rem; line-height: 1.4; padding: .8rem 1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem; }
summary { cursor: pointer; color: var(--accent); }
.warn { border-left: .25rem solid var(--bad); padding: .1rem 0 .1rem .8rem; }
@media (max-width: 30rem) { body { padding: 1.25rem .9rem 3rem; } h1 { font-size: 1.5rem; }
  header p { font-size: 1rem; } th, td { padding-right: .6rem; }
  .facts { grid-template-columns: 1fr 1fr; } .large figure, .large img { width: 128px; }
  .large img { height: 128px; } }
@media print { :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000;
  --soft: #444; --line: #bbb; --accent: #000; --bad: #a00; --good: #060; }
  :root { font-size: 11px; } body { max-width: none; padding: 0; } nav, details { display: none; }
  h2, p:has(+ svg), p:has(+ .wide) { break-after: avoid; } section { margin-top: 1.5rem; }
  svg, p, tr, figure, .fact { break-inside: avoid; } svg { max-width: 55%; }
  .large figure, .large img { width: 100px; } .large img { height: 100px; }
  .wide { overflow: visible; } tr > :first-child { position: static; } }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{title}</h1><p>{lead}</p><div class="facts">{facts}</div><nav>{links}</nav></header>
{body}
</body>
</html>
"""
