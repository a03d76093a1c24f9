from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from mien.data.readers.fer2013 import read
from mien.data.splits import make
from mien.errors import DataError, UsageError
from mien.evaluation import Choice, Receipt, score
from mien.evaluation.verifying import Check, chosen, verify
from mien.recognizer import ExpressionReader
from tiny_fer import TinyFer, tiny_fer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    fer = tiny_fer()
    write(fer, tmp_path)
    fer.write_points(tmp_path / "points.npz", [True] * 12)
    (tmp_path / "list.txt").write_text(f"3_{fer.names[0]} 8 0\n1_{fer.names[9]} 8 0\n")
    return tmp_path


def write(fer: TinyFer, folder: Path) -> None:
    fer.write(folder / "fer2013.csv")
    fer.write_votes(folder / "fer2013new.csv")


@pytest.fixture
def reader(expression_path: Path) -> ExpressionReader:
    return ExpressionReader(expression_path, labels="ferplus", threads=1)


def made(root: Path, reader: ExpressionReader, occluder: str = "none", **named: Any) -> Receipt:
    selected = Choice(**{"data_set": "ferplus", **named}).select(root, reader.preparation)
    return score(selected, reader, occluder=occluder)


def failing(receipt: Receipt, reader: ExpressionReader, root: Path) -> list[Check]:
    checks = verify(receipt, reader, chosen(receipt, root, None), root)
    return [check for check in checks if not check.holds]


def test_a_receipt_holds(root: Path, reader: ExpressionReader) -> None:
    receipt = made(root, reader)
    assert not failing(receipt, reader, root)
    assert len(verify(receipt, reader, chosen(receipt, root, None), root)) == 7


def test_a_receipt_of_an_earlier_version_holds(root: Path, reader: ExpressionReader) -> None:
    receipt = made(root, reader)
    protocol = {name: of for name, of in receipt.result["protocol"].items() if name != "output"}
    earlier = {**receipt.result, "protocol": protocol, "warnings": receipt.result["warnings"][1:]}
    del earlier["worst"]
    assert not failing(replace(receipt, result=earlier), reader, root)
    more = {**earlier, "warnings": ["the model is bad"]}
    (check,) = failing(replace(receipt, result=more), reader, root)
    assert check.found == "warnings differ"


def test_ties_of_an_earlier_version_hold(root: Path, expression_path: Path) -> None:
    fer = tiny_fer()
    fer.votes[8] = [0] * 9 + [10]  # no face, say all ten, which once counted as a tie
    write(fer, root)
    reader = ExpressionReader(expression_path, labels="fer2013", threads=1)
    receipt = made(root, reader, data_set="fer2013")
    votes = receipt.result["votes"]

    def told(ties: int) -> list[Check]:
        earlier = {**receipt.result, "votes": {**votes, "ties": ties}}
        return failing(replace(receipt, result=earlier), reader, root)

    assert not told(votes["ties"]) and not told(votes["ties"] + 1)
    (check,) = told(votes["ties"] + 2)
    assert check.found == "votes differ"


def test_a_warning_of_copies_holds_where_the_training_faces_are_known(
    root: Path, tmp_path: Path, reader: ExpressionReader
) -> None:
    fer = tiny_fer()
    fer.images[9] = fer.images[1]
    write(fer, root)
    receipt = made(root, reader)
    *others, copies = receipt.result["warnings"]
    assert copies.startswith("1 of 4 faces equal a training face; without them ")
    assert not failing(receipt, reader, root)
    assert not failing(
        replace(receipt, result={**receipt.result, "warnings": others}), reader, root
    )
    better = {**receipt.result, "warnings": [copies.replace("them 0.0", "them 99.9")]}
    (check,) = failing(replace(receipt, result=better), reader, root)
    assert check.found == "warnings differ"
    whole = read(root)
    whole.save(tmp_path / "whole")
    whole[whole.split == "private"].save(tmp_path / "tests")
    choice = chosen(receipt, None, tmp_path / "tests")
    assert all(check.holds for check in verify(receipt, reader, choice))
    folds = tmp_path / "folds.json"
    make(whole, "official").save(folds)
    of_fold = made(root, reader, data_set=None, table=tmp_path / "whole", splits=folds)
    assert of_fold.result["warnings"][-1].startswith("1 of 4 faces equal a training face")
    choice = chosen(of_fold, None, tmp_path / "whole")
    assert all(check.holds for check in verify(of_fold, reader, choice))


@pytest.mark.parametrize(
    "named",
    [
        {"rule": "argmax"},
        {"list_file": "list.txt"},
        {"options": {"rule": "argmax"}},
        {"split": "all"},
        {"without_duplicates": True},
    ],
)
def test_the_same_faces_are_found_again(
    root: Path, reader: ExpressionReader, named: dict[str, Any]
) -> None:
    if "list_file" in named:
        named = {"list_file": root / named["list_file"]}
    assert not failing(made(root, reader, **named), reader, root)


def test_points_and_what_is_drawn_by_them_are_found_again(
    root: Path, reader: ExpressionReader
) -> None:
    receipt = made(root, reader, "surgical", points_file=root / "points.npz")
    assert not failing(receipt, reader, root)
    points = tiny_fer().write_points(root / "points.npz", [True] * 9 + [False] * 3)
    assert [check.name for check in failing(receipt, reader, root)] == ["points"]
    points.unlink()
    with pytest.raises(DataError, match=r"no points.npz under .*, which the receipt names"):
        chosen(receipt, root, None)


def test_a_table_of_the_same_faces_serves_as_well(
    root: Path, tmp_path: Path, reader: ExpressionReader
) -> None:
    read(root).save(tmp_path / "table")
    receipt = made(root, reader, rule="majority")
    choice = chosen(receipt, None, tmp_path / "table")
    assert all(check.holds for check in verify(receipt, reader, choice))
    of_table = made(root, reader, data_set=None, table=tmp_path / "table")
    with pytest.raises(UsageError, match="give it by --table"):
        chosen(of_table, root, None)
    choice = chosen(of_table, None, tmp_path / "table")
    assert all(check.holds for check in verify(of_table, reader, choice))
    with pytest.raises(UsageError, match="--root or --table"):
        chosen(receipt, None, None)


def test_another_model_fails_before_any_face_is_read(
    tmp_path: Path, root: Path, reader: ExpressionReader
) -> None:
    receipt = made(root, reader)
    other = ExpressionReader(models.expression_model(tmp_path / "b.onnx", seed=1), threads=1)
    checks = verify(receipt, other, Choice(table=tmp_path / "nowhere"))
    assert [(check.name, check.holds) for check in checks] == [("model", False)]
    assert receipt.model["sha256"][:12] in checks[0].found


def test_other_pixels_and_lost_faces_fail(root: Path, reader: ExpressionReader) -> None:
    receipt = made(root, reader)
    fer = tiny_fer()
    fer.images[9, 0, 0] ^= 1
    write(fer, root)
    assert [check.name for check in failing(receipt, reader, root)] == ["pixels, labels, votes"]
    fer.names[9] = "fer0000099.png"
    write(fer, root)
    (lost,) = failing(receipt, reader, root)
    assert lost.name == "faces" and "1 of the receipt's are not among them" in lost.found


def test_a_receipt_is_of_the_split_that_it_names(root: Path, reader: ExpressionReader) -> None:
    receipt = made(root, reader, split="train")
    assert not failing(receipt, reader, root)
    data = {**receipt.data, "split": "private"}
    (check,) = failing(replace(receipt, data=data), reader, root)
    assert check.name == "faces" and "the protocol selects other faces: 4" in check.found
    result = {**receipt.result, "protocol": {**receipt.result["protocol"], "occluder": "mouth"}}
    (check,) = failing(replace(receipt, result=result), reader, root)
    assert check.name == "protocol" and check.found == "occluder differ"


def test_answers_that_the_model_never_gave_fail_although_the_hashes_fit(
    tmp_path: Path, root: Path, reader: ExpressionReader
) -> None:
    receipt = made(root, reader)
    forged = replace(receipt, predicted=receipt.truth, result={**receipt.result, "correct": 4})
    forged.save(tmp_path / "forged.json")
    found = failing(Receipt.open(tmp_path / "forged.json"), reader, root)
    names = {check.name: check.found for check in found}
    assert set(names) == {"answers", "measures"} and "correct" in names["measures"]
    probabilities = np.roll(receipt.probabilities, 1, axis=1)
    (check,) = failing(replace(receipt, probabilities=probabilities), reader, root)
    assert check.name == "probabilities"
    moved = replace(receipt, truth=(receipt.truth + 1) % 8)
    assert [check.name for check in failing(moved, reader, root)] == ["truth"]
