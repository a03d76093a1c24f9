import base64
import io
import re

import numpy as np
import PIL.Image
import pytest

from mien.report.page import Fact, Picture, gallery, page, paragraph, table


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (1, 1)])
def test_a_picture_is_read_as_it_was(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    (found,) = re.findall(r'base64,([^"]+)"', gallery([[Picture(image, "a")]]))
    shown = PIL.Image.open(io.BytesIO(base64.b64decode(found)))
    np.testing.assert_array_equal(np.asarray(shown), image)


def test_text_is_escaped_everywhere() -> None:
    bad = "<script>&"
    shown = Picture(np.zeros((4, 4), np.uint8), bad, bad, bad)
    body = paragraph(bad) + table((bad, bad), [(bad, bad)]) + gallery([[shown]])
    text = page(bad, bad, [Fact(bad, bad, "bad")], [(bad, body)])
    assert "<script" not in text and text.count("&lt;script&gt;&amp;") >= 10


def test_sections_are_linked_and_empty_ones_left_out() -> None:
    text = page("t", "l", [], [("left out", ""), ("two", "<p>2</p>"), ("three", "<p>3</p>")])
    assert "left out" not in text
    assert '<a href="#s0">two</a>' in text and '<section id="s1"><h2>three</h2>' in text


def test_numbers_stand_right() -> None:
    text = table(("a", "b", "c"), [("x", "1,234", "12.5%"), ("y", "none", "")])
    assert text.count('<td class="n">') == 4 and '<th class="n">b</th>' in text
    words = table(("a", "b"), [("x", "2"), ("y", "more words than stay on one line by far")])
    assert "<th>b</th>" in words and '<td class="short">2</td>' in words


def test_what_is_wide_scrolls_inside_itself_and_long_words_break() -> None:
    text = page("t", "l", [], [("one", table(("a",), [("x",)]) + paragraph("0" * 64))])
    assert '<div class="wide"><table>' in text and "overflow-x: auto" in text
    assert "p { max-width: 46rem; margin: .5rem 0 1rem; overflow-wrap: anywhere; }" in text


def test_a_cell_of_two_lines_keeps_them() -> None:
    assert '<td class="lines">1.5\n1 to 2</td>' in table(("a", "b"), [("x", "1.5\n1 to 2")])
