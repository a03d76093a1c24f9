from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.data.readers.fer2013 import read
from mien.errors import DataError, UsageError
from mien.evaluation import Choice, Receipt, score
from mien.evaluation.groups import Groups, named
from mien.evaluation.verifying import chosen, verify
from mien.metrics import wilson
from mien.recognizer import ExpressionReader
from tiny_fer import tiny_fer

LIGHT = ("dark", "dark", "bright")  # of the first three faces of private; the last is not known


@pytest.fixture
def root(tmp_path: Path) -> Path:
    fer = tiny_fer()
    fer.write(tmp_path / "fer2013.csv")
    fer.write_votes(tmp_path / "fer2013new.csv")
    rows = zip(fer.names[8:11], LIGHT, strict=True)
    lines = ["source_id,light", *(",".join(row) for row in rows)]
    (tmp_path / "light.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def reader(expression_path: Path) -> ExpressionReader:
    return ExpressionReader(expression_path, labels="fer2013", threads=1)


def made(root: Path, reader: ExpressionReader, by: str, **named_faces: Any) -> Receipt:
    faces = Choice(data_set="fer2013", **named_faces).select(root, reader.preparation)
    groups = named(by) or Groups.of_faces(by, faces.faces)
    return score(replace(faces, groups=groups), reader)


def test_groups_of_a_file_are_measured_by_themselves(root: Path, reader: ExpressionReader) -> None:
    receipt = made(root, reader, f"{root}/light.csv:light")
    by = receipt.result["by"]
    ids = tiny_fer().names[8:10]
    rows = np.isin(receipt.faces, ids)
    right = int(receipt.right[rows].sum())
    dark = by["groups"]["dark"]
    assert (dark["faces"], dark["correct"]) == (2, right)
    assert dark["interval95"] == list(wilson(right, 2))
    assert dark["worst"]["expression"] in receipt.labels and "balanced_accuracy" in dark
    shares = {name: of["accuracy"] for name, of in by["groups"].items()}
    assert by["column"] == "light.csv:light" and shares[by["worst"]] == min(shares.values())
    warnings = receipt.result["warnings"]
    assert by["unknown"] == 1 and "1 faces are in no group of light.csv:light" in warnings
    assert "fewer than 30 faces of the groups bright, dark" in warnings


@pytest.mark.parametrize("by", ["light.csv:light", "split"])
def test_a_receipt_keeps_groups_and_is_verified_with_them(
    by: str, root: Path, reader: ExpressionReader, tmp_path: Path
) -> None:
    receipt = made(root, reader, f"{root}/{by}" if ":" in by else by, split="all")
    receipt.save(tmp_path / "receipt.json")
    receipt = Receipt.open(tmp_path / "receipt.json")
    (root / "light.csv").unlink()  # the receipt has the groups
    assert receipt.result["protocol"]["by"] == by

    def failing(told: Receipt) -> list[str]:
        checks = verify(told, reader, chosen(told, root, None), root)
        return [f"{check.name}: {check.found}" for check in checks if not check.holds]

    assert not failing(receipt)
    table = read(root)
    replace(table, split=np.full(len(table), "")).save(tmp_path / "table")
    other = chosen(receipt, None, tmp_path / "table")
    assert all(check.holds for check in verify(receipt, reader, other))
    better = {**receipt.result["by"], "unknown": 99}
    forged = replace(receipt, result={**receipt.result, "by": better})
    assert failing(forged) == ["measures: by differ"]


def test_what_names_no_groups_is_refused(
    root: Path, reader: ExpressionReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'subject'.*FILE\.csv:COLUMN"):
        named("subjct")
    with pytest.raises(DataError, match="cannot read lost"):
        named("lost.csv:light")
    with pytest.raises(DataError, match="has no column camera"):
        named(f"{root}/light.csv:camera")
    monkeypatch.setattr("mien.evaluation.answer", lambda *_, **__: pytest.fail("evaluated"))
    with pytest.raises(DataError, match="no face is in a group of subject; the faces do not tell"):
        made(root, reader, "subject")
    (root / "others.csv").write_text("id,light\na,dark\n")
    with pytest.raises(DataError, match=rf"such as '{tiny_fer().names[8]}', found 'a'"):
        made(root, reader, f"{root}/others.csv:light")
    (root / "twice.csv").write_text("id,light\na,dark\na,bright\n")
    with pytest.raises(DataError, match="line 3: 'a' is 'bright' here and 'dark' above"):
        named(f"{root}/twice.csv:light")
