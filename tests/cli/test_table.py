"""What predict shows to people."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from mien.cli import _records, _table
from mien.errors import InputError
from mien.expressions import EXPRESSIONS
from mien.records import Face, Prediction


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def prediction(certain: bool, *hidden: str) -> Prediction:
    probabilities = dict.fromkeys(EXPRESSIONS, 0.0) | {"surprise": 0.7, "fear": 0.3}
    return Prediction(Face((0, 0, 9, 9), 1.0), "surprise", 0.7, probabilities, hidden, certain)


def shown(*records: list[_records.Record]) -> list[str]:
    stream = io.StringIO()
    table = _table.Table(stream)
    for photograph in records:
        table.write(photograph)
    return stream.getvalue().splitlines()


def test_a_row_tells_what_was_found() -> None:
    _, row = shown(_records.records(Path("a.jpg"), [prediction(True, "eyes", "mouth")]))
    assert row.startswith("a.jpg ")
    assert [" 0  surprise " in row, " 70% " in row, " fear 30% " in row] == [True] * 3
    assert row.endswith("  eyes mouth")


def test_what_is_not_known_to_be_hidden_is_said() -> None:
    unknown = replace(prediction(True), hidden=None)
    assert shown(_records.records(Path("a.jpg"), [unknown]))[1].endswith("  not known")


def test_where_no_terminal_limits_it_a_path_is_whole() -> None:
    path = Path("a-long-way/" * 9, "a.jpg")
    _, row = shown(_records.records(path, [prediction(True)]))
    assert row.startswith(f"{path}  ")


def test_an_uncertain_answer_is_marked() -> None:
    _, row = shown(_records.records(Path("a.jpg"), [prediction(False)]))
    assert "surprise?" in row


def test_rows_line_up_and_name_their_photograph_once() -> None:
    faces = _records.records(Path("笑.jpg"), [prediction(True)] * 2)
    header, first, second = shown(faces)
    assert first.startswith("笑.jpg") and second.startswith("   ")
    # The two wide letters take four columns of the terminal, in the first row alone.
    assert header.index("expression") - 1 == first.index("surprise")
    assert header.index("expression") == second.index("surprise")


def test_what_cannot_be_read_says_why_in_full() -> None:
    message = "bad.jpg is cut short or broken: " + "for many reasons " * 5
    lines = shown([_records.failure(Path("bad.jpg"), InputError(message))])
    assert lines[1].endswith(message.strip())


def test_no_face_is_said() -> None:
    assert "no face" in shown(_records.records(Path("a.jpg"), []))[1]


def test_a_long_name_keeps_its_end() -> None:
    name = _table.fitted("photographs/of/a/long/summer/0001.jpg", 16)
    assert name == "…summer/0001.jpg"
    assert _table.fitted("short.jpg", 16) == "short.jpg"


@pytest.mark.parametrize(
    ("share", "expected"), [(0, ""), (1, "█" * 8), (0.5, "█" * 4), (0.01, "▏")]
)
def test_a_bar_is_as_long_as_its_share(share: float, expected: str) -> None:
    assert _table.bar(share) == expected.ljust(8)
