"""What predict writes for scripts."""

import csv
import io
import json
from pathlib import Path

import pytest

import models
from mien.cli import _records
from mien.errors import InputError
from mien.expressions import EXPRESSIONS
from mien.records import Face, Prediction


def prediction(**changes: object) -> Prediction:
    probabilities = dict.fromkeys(EXPRESSIONS, 0.05) | {"anger": 0.65}
    fields = {
        "face": Face((1.234, 2.0, 30.5, 40.0), 0.9, models.face_points()),
        "expression": "anger",
        "probability": 0.65,
        "probabilities": probabilities,
        "hidden": ("eyes", "mouth"),
        "certain": True,
    }
    return Prediction(**{**fields, **changes})


def test_a_face_has_the_keys_of_the_schema_in_their_order() -> None:
    (record,) = _records.records(Path("a.jpg"), [prediction()])
    assert list(record) == [
        *("schema", "source", "face", "box_xyxy", "score", "expression", "probability"),
        *("probabilities", "hidden", "certain"),
    ]
    assert record["schema"] == "mien.predict/1"
    assert record["box_xyxy"] == [1.23, 2.0, 30.5, 40.0]


def test_faces_are_numbered() -> None:
    found = _records.records(Path("a.jpg"), [prediction(), prediction()])
    assert [record["face"] for record in found] == [0, 1]


def test_points_and_the_copy_come_when_asked_for() -> None:
    (record,) = _records.records(Path("a"), [prediction()], points=True, drawn=Path("out/a"))
    assert len(record["points_xy"]) == 68
    assert record["drawn"] == "out/a"


def test_no_face_is_one_record() -> None:
    assert _records.records(Path("a.jpg"), []) == [
        {"schema": "mien.predict/1", "source": "a.jpg", "faces": 0}
    ]


def test_json_lines_are_one_object_a_line() -> None:
    stream = io.StringIO()
    _records.JsonLines(stream).write(_records.records(Path("ä\n.jpg"), [prediction()] * 2))
    lines = stream.getvalue().splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["ä\n.jpg"] * 2


def written(points: bool = False, drawn: bool = False) -> list[dict[str, str]]:
    stream = io.StringIO()
    writer, _ = _records.writer(stream, "csv", _records.columns(points, drawn))
    copy = Path("out/a") if drawn else None
    writer.write(_records.records(Path("a,b.jpg"), [prediction()], points=points, drawn=copy))
    writer.write(_records.records(Path("empty.jpg"), [], drawn=copy))
    writer.write([_records.failure(Path("bad.jpg"), InputError("bad.jpg is broken"))])
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


def test_csv_rows_are_flat() -> None:
    face, none, broken = written()
    assert (face["source"], face["face"], face["faces"]) == ("a,b.jpg", "0", "")
    assert [face[f"box_{corner}"] for corner in ("x0", "y0", "x1", "y1")] == [
        *("1.23", "2.0", "30.5", "40.0")
    ]
    assert float(face["probability_anger"]) == 0.65
    assert (face["hidden"], face["certain"]) == ("eyes mouth", "true")
    assert (none["faces"], none["expression"]) == ("0", "")
    assert broken["error"] == "bad.jpg is broken"


def test_what_is_hidden_may_be_nothing_or_not_known() -> None:
    stream = io.StringIO()
    writer, _ = _records.writer(stream, "csv", _records.columns())
    for hidden in (("eyes",), (), None):
        writer.write(_records.records(Path("a"), [prediction(hidden=hidden)]))
    rows = csv.DictReader(io.StringIO(stream.getvalue()))
    found = [(row["hidden"], row["hidden_known"]) for row in rows]
    assert found == [("eyes", "true"), ("", "true"), ("", "false")]
    assert (
        _records.flat(_records.records(Path("a"), [prediction(hidden=None)])[0])["hidden"] is None
    )


def test_csv_has_every_expression_whatever_labels_answer() -> None:
    seven = {name: 1 / 7 for name in EXPRESSIONS if name != "contempt"}
    record = _records.records(Path("a"), [prediction(probabilities=seven)])[0]
    assert "probability_contempt" not in _records.flat(record)
    assert {f"probability_{name}" for name in EXPRESSIONS} < set(_records.columns())


@pytest.mark.parametrize("points", [False, True])
@pytest.mark.parametrize("drawn", [False, True])
def test_the_columns_hold_all_that_a_record_has(points: bool, drawn: bool) -> None:
    face = written(points, drawn)[0]
    assert list(face) == list(_records.columns(points, drawn))
    assert ("point67_y" in face) is points
    assert ("drawn" in face) is drawn


def test_a_name_that_is_no_text_is_escaped() -> None:
    assert _records.printable("bad\udcff\x1b[31m.jpg") == "bad\\udcff\\x1b[31m.jpg"
    assert _records.printable("Zoë 笑.jpg") == "Zoë 笑.jpg"


def test_a_table_holds_text_alone_whatever_names_are() -> None:
    named = Path("bad\udcff.jpg")
    kept = _records.records(named, [], drawn=named)
    for record in (*kept, _records.failure(named, InputError(f"{named} is broken"))):
        row = _records.flat(record)
        "".join(map(str, row.values())).encode()
        assert row["source"] == "bad\\udcff.jpg"


def test_every_column_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "predict.md").read_text("utf-8")
    assert f"`{_records.SCHEMA}`" in page
    named = [name for name in _records.columns(points=True, drawn=True) if "point" not in name]
    assert all(f"`{name}`" in page for name in [*named, "point0_x", "point67_y"])
