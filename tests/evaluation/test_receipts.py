import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.data.readers.fer2013 import read
from mien.data.table import FaceTable
from mien.errors import DataError, OutputError
from mien.evaluation import Receipt, evaluate, receipt
from mien.evaluation.page import MARKDOWN, write
from mien.evaluation.receipts import data_hash
from mien.recognizer import ExpressionReader
from tiny_fer import tiny_fer
from tiny_receipts import tiny_receipt


@pytest.fixture
def reader(expression_path: Path) -> ExpressionReader:
    return ExpressionReader(expression_path, labels="fer2013", threads=1)


@pytest.fixture
def faces(tmp_path: Path) -> FaceTable:
    fer = tiny_fer()
    fer.write(tmp_path / "fer2013.csv")
    points = fer.write_points(tmp_path / "points.npz", [True] * 12)
    return read(tmp_path, points_file=points)


def test_a_receipt_holds_every_answer_and_what_it_takes_to_repeat_it(
    faces: FaceTable, reader: ExpressionReader
) -> None:
    made = receipt(faces, reader, occluder="eyes", seed=3, protocol={"data_set": "x"})
    assert made.faces == tuple(faces.source_id)
    names = [made.labels[place] for place in made.truth]
    assert names == faces.expression_names().tolist()
    assert made.probabilities.shape == (12, 7)
    np.testing.assert_array_equal(made.probabilities.argmax(axis=1), made.predicted)
    assert made.result["correct"] == made.right.sum()
    assert made.model["sha256"] == reader.sha256 and made.model["output"] == "fer2013"
    assert made.condition["occluder"] == "eyes" and made.condition["points_sha256"]
    assert made.seeds == {"occluder": 3} and {"mien", "python", "numpy"} <= set(made.versions)
    assert made.data["name"] == "x" and made.subjects == ()
    told = evaluate(faces, reader, occluder="eyes", seed=3, protocol={"data_set": "x"})
    assert made.result == json.loads(json.dumps(told.to_dict()))


def test_a_receipt_of_an_earlier_version_has_the_same_page(
    faces: FaceTable, reader: ExpressionReader, tmp_path: Path
) -> None:
    made = receipt(faces, reader, protocol={"data_set": "x"})
    result = {name: of for name, of in made.result.items() if name not in ("worst", "by")}
    write(tmp_path / "now", made)
    write(tmp_path / "earlier", replace(made, result=result))
    said = [(tmp_path / when / MARKDOWN).read_text() for when in ("now", "earlier")]
    lead = f"Found least is {made.result['worst']['expression']}, "
    assert all(lead in text for text in said)


def test_a_receipt_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    made = tiny_receipt([0, 1, 2], [0, 1, 1], subjects=["p", "q", "q"])
    made.save(tmp_path / "new" / "a.json")
    found = Receipt.open(tmp_path / "new" / "a.json")
    assert found.sha256 == made.sha256 and len(found.sha256) == 64
    assert (found.faces, found.subjects, found.labels) == (made.faces, made.subjects, made.labels)
    np.testing.assert_array_equal(found.probabilities, made.probabilities)
    assert found.right.tolist() == [True, True, False]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]


def changed(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """Change a saved receipt by hand."""
    tiny_receipt([0, 1, 2], [0, 1, 1]).save(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["predicted"].__setitem__(2, 2), "hash of its predicted differs"),
        (lambda content: content["result"].update(correct=3), "hash of its result differs"),
        (lambda content: content.update(sha256="0" * 64), "hash of its whole differs"),
        (lambda content: content.update(format=2), "format 2, expected 1"),
        (lambda content: content.update(kind="splits"), "is no receipt"),
        (lambda content: content.pop("truth"), "has no truth"),
        (lambda content: content.update(note="sound"), "no receipt has 'note'"),
        (lambda content: content["parts_sha256"].update(note="0"), "no receipt has 'note'"),
        (lambda content: content.update(parts_sha256=3), "has no hashes"),
    ],
)
def test_a_receipt_that_was_changed_by_hand_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        Receipt.open(changed(tmp_path / "a.json", change))


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    tiny_receipt([0, 1, 2], [0, 1, 1]).save(tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    (tmp_path / "a.json").write_text(text.replace("{", '{"result": {"correct": 3},', 1))
    with pytest.raises(DataError, match="the key 'result' is there twice"):
        Receipt.open(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_another_file_is_no_receipt(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match="is no receipt"):
        Receipt.open(tmp_path / "a.json")
    with pytest.raises(DataError, match="cannot read"):
        Receipt.open(tmp_path / "b.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": np.array([0, 1])}, "one truth, answer and row"),
        ({"predicted": np.array([0, 1, 3])}, "places from 0 to 2"),
        ({"faces": ("a", "a", "b")}, "two images have the id 'a'"),
        ({"subjects": ("p",)}, "one truth"),
    ],
)
def test_a_receipt_must_fit_together(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(tiny_receipt([0, 1, 2], [0, 1, 1]), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": np.array([0.0, 1.0, 2.0])}, "expected whole numbers, got float64"),
        ({"faces": 3}, "'int' object is not iterable"),
    ],
)
def test_a_saved_receipt_that_holds_something_else_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    made = tiny_receipt([0, 1, 2], [0, 1, 1])
    for name, part in changes.items():
        object.__setattr__(made, name, part)
    made.save(tmp_path / "a.json")
    with pytest.raises(DataError, match=f"is no receipt: {message}; make it again"):
        Receipt.open(tmp_path / "a.json")


def test_a_receipt_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        tiny_receipt([0, 1], [0, 1]).save(tmp_path / "file" / "a.json")


def test_the_hash_of_data_is_of_what_they_show_not_of_how_they_lie(
    tmp_path: Path, faces: FaceTable
) -> None:
    faces.save(tmp_path / "table")
    assert data_hash(FaceTable.open(tmp_path / "table")) == data_hash(faces)
    assert data_hash(faces[::-1]) != data_hash(faces)
    images = faces.images.copy()
    images[5, 7, 7] ^= 1
    other = FaceTable(**{**faces.arrays(), "images": images}, expressions=faces.expressions)
    assert data_hash(other) != data_hash(faces)
