from mien.report.document import Document, Shown, Table, Warned, csv_text
from mien.report.page import Fact, code, fold

DOCUMENT = Document(
    title="A <study>",
    lead="An answer.",
    facts=[Fact("12 %", "faces"), Fact("3", "folds")],
    sections=[
        ("Table", ["A sentence.", Table(("name", "a|b"), [("x", "1.5")])]),
        ("Pictures", [Shown("<svg></svg>")]),
        ("Warnings", [Warned("few & small")]),
        ("Nothing", []),
    ],
)


def test_a_page_has_every_section_that_shows_something() -> None:
    text = DOCUMENT.to_html()
    assert "A &lt;study&gt;" in text and "<svg></svg>" in text
    assert '<p class="warn">few &amp; small</p>' in text
    assert "Nothing" not in text
    assert "http://" not in text and "https://" not in text and "<script" not in text


def test_markdown_has_the_sentences_and_tables() -> None:
    text = DOCUMENT.to_markdown()
    assert text.startswith("# A <study>\n\nAn answer.\n- **12 %** faces\n- **3** folds\n")
    assert "| name | a\\|b |\n| --- | --- |\n| x | 1.5 |" in text
    assert "svg" not in text and "Pictures" not in text
    assert "> **few & small**" in text


def test_rows_become_csv() -> None:
    assert csv_text(("a", "b"), [("x,y", 1.5)]) == 'a,b\n"x,y",1.5\n'


def test_what_is_folded_or_code_is_escaped() -> None:
    assert "<b>" not in code("<b>") and "<b>" not in fold("<b>", "")
