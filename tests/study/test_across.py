import pytest

from mien.errors import DataError, UsageError
from mien.study.across import across
from tiny_receipts import tiny_receipt

TWO = ("neutral", "happiness")


def test_models_stand_against_data_sets_over_what_all_share() -> None:
    found = across(
        [
            tiny_receipt([0, 1, 2], [0, 1, 2], model="a", data="x"),
            tiny_receipt([0, 1, 1], [0, 0, 1], model="a", data="y"),
            tiny_receipt([0, 1], [1, 1], labels=TWO, model="b", data="x"),
        ]
    )
    assert (found.models, found.data_sets, found.expressions) == (("a", "b"), ("x", "y"), TWO)
    assert found.cells == (((2, 2), (2, 3)), ((1, 2), None))
    assert found.balanced_accuracy[1] == (0.5, None)
    assert found.worst[1][0] is not None and found.worst[1][0]["recall"] == 0


def test_models_of_one_name_are_told_apart() -> None:
    one, other = tiny_receipt([0, 1], [0, 1]), tiny_receipt([0, 1], [0, 1], data="y")
    other.model["sha256"] = "f" * 64
    assert across([one, other]).models == ("a aaaaaaaa", "a ffffffff")


def test_parts_of_one_set_are_told_apart() -> None:
    parts = [
        tiny_receipt([0, 1], [0, 1], data="x"),
        tiny_receipt([0, 1], [0, 1], data={"name": "y", "sha256": "0", "split": "public"}),
        tiny_receipt([0, 1], [0, 1], data={"name": "y", "sha256": "0", "split": "private"}),
    ]
    assert across(parts).data_sets == ("x", "y, public", "y, private")
    hidden = tiny_receipt([0, 1], [0, 0], data="x", occluder="eyes")
    assert across([parts[0], hidden]).data_sets == ("x, none", "x, eyes")


def test_other_faces_under_one_name_are_another_column() -> None:
    one = tiny_receipt([0, 1], [0, 1])
    turned = tiny_receipt([1, 0], [0, 1], faces=["face1", "face0"], model="b")
    assert across([one, turned]).data_sets == ("set",)
    other = tiny_receipt([0, 1], [0, 1], faces=["x", "y"], model="b")
    found = across([one, other])
    assert len(found.data_sets) == 2 and all(name.startswith("set ") for name in found.data_sets)
    assert found.cells == (((2, 2), None), (None, (2, 2)))


def test_two_receipts_for_one_place_are_refused() -> None:
    receipt = tiny_receipt([0, 1], [0, 1])
    with pytest.raises(UsageError, match="two receipts are of a on set"):
        across([receipt, receipt])


def test_sets_that_share_no_two_expressions_are_refused() -> None:
    strange = tiny_receipt([0, 1], [0, 1], labels=("anger", "neutral"), data="y")
    with pytest.raises(DataError, match="share neutral; expected at least two"):
        across([tiny_receipt([0, 1], [0, 1]), strange])
