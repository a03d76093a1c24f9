"""The canonical expressions, and mappings onto them."""

import pytest

from mien.errors import DataError
from mien.expressions import EXPRESSIONS, EXPRESSIONS_7, check_mapping


def test_seven_class_sets_leave_out_contempt() -> None:
    assert len(EXPRESSIONS) == 8
    assert [*EXPRESSIONS_7, "contempt"] == list(EXPRESSIONS)


def test_a_complete_mapping_passes() -> None:
    check_mapping("made", {0: "anger", 1: "fear", 2: None}, [0, 1, 1, 2])
    check_mapping("made", {"angry": "anger"}, ["angry"])


def test_a_label_without_an_expression_is_named() -> None:
    with pytest.raises(DataError, match=r"made has the label 7, 9; expected one of 0, 1"):
        check_mapping("made", {0: "anger", 1: "fear"}, [0, 9, 7])


def test_a_mapping_onto_something_else_is_named() -> None:
    with pytest.raises(DataError, match=r"made maps to angry; expected canonical"):
        check_mapping("made", {0: "angry"}, [0])
