from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from data.test_listing import listing
from data.test_table import same, table
from mien.data import rights
from mien.data.joining import join, write_joined
from mien.data.rights import Rights
from mien.data.summaries import recorded, recorded_rights, summary, write_summary
from mien.data.table import FaceTable
from mien.data.writing import TableWriter
from mien.errors import DataError, OutputError
from mien.preparation import preset

ONE = table(4, subject=np.array(["KA", "KA", "", "TM"]))  # fear, neutral
OTHER = table(3, expressions=("surprise", "neutral"), labels=np.array([0, 1, -1]))


def saved(folder: Path, parts: Sequence[tuple[str, FaceTable]]) -> list[tuple[str, Path]]:
    """Save tables as folders 0, 1 and so on."""
    folder.mkdir(exist_ok=True)
    for at, (_, part) in enumerate(parts):
        part.save(folder / str(at))
    return [(name, folder / str(at)) for at, (name, _) in enumerate(parts)]


def test_labels_become_canonical_ones_and_names_get_the_sets() -> None:
    joined = join([("jaffe", ONE), ("mine", OTHER)])
    assert joined.expressions == ("neutral", "surprise", "fear")
    names = joined.expression_names().tolist()
    assert names == ["", "fear", "neutral", "", "surprise", "neutral", ""]
    assert joined.source_id[[0, 4]].tolist() == ["jaffe/face 0", "mine/face 0"]
    assert joined.subject.tolist() == ["jaffe/KA", "jaffe/KA", "", "jaffe/TM", "", "", ""]
    assert joined.split.tolist() == [*ONE.split, *OTHER.split]
    np.testing.assert_array_equal(joined.images[4:], OTHER.images)


def test_listings_join_too() -> None:
    joined = join([("a", listing()), ("b", listing())])
    assert joined.paths.tolist() == ["a.png", "b.png", "c.png"] * 2
    assert joined.subject[3] == "b/KA"


def test_what_one_set_lacks_is_marked_in_its_rows() -> None:
    joined = join([("a", ONE), ("b", replace(OTHER, votes=None, points_xy=None))])
    assert joined.votes is not None and joined.points_xy is not None
    np.testing.assert_array_equal(joined.votes[:4], ONE.votes.astype(np.float32))
    assert not joined.votes[4:].any()
    assert np.isnan(joined.points_xy[4:]).all() and np.isfinite(joined.points_xy[:4]).all()
    bare = replace(ONE, votes=None, points_xy=None)
    assert join([("a", bare), ("b", bare)]).votes is None


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], "found none"),
        ([("a", ONE), ("a", OTHER)], "different names"),
        ([("a", ONE), ("b", table(2, images=np.zeros((2, 8, 8), np.uint8)))], "do not fit"),
        ([("a", ONE), ("b", table(2, images=np.zeros((2, 8, 10, 3), np.uint8)))], "do not fit"),
        ([("a", ONE), ("b", listing())], "a FaceTable of .* and a Listing"),
        ([("a", replace(ONE, source_id=np.array(["1", "2", "1", "3"])))], "the id 'a/1'"),
        (
            [
                ("a", table(1, source_id=np.array(["b/1"]))),
                ("a/b", table(1, source_id=np.array(["1"]))),
            ],
            "the id 'a/b/1'",
        ),
    ],
)
def test_a_conflict_is_an_error(parts: list, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        join(parts)
    if all(isinstance(part, FaceTable) for _, part in parts):
        there = saved(tmp_path, parts)
        with pytest.raises(DataError, match=said):
            write_joined(tmp_path / "joined", there)
        assert not list(tmp_path.glob("*joined*"))


def test_tables_join_block_by_block_as_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.data.joining.BLOCK", 3)
    parts = [("a", ONE), ("b", replace(OTHER, votes=None))]
    assert same(write_joined(tmp_path / "joined", saved(tmp_path, parts)), join(parts))


def test_a_join_of_other_pictures_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    one = saved(tmp_path, [("a", ONE)])
    other = saved(tmp_path / "other", [("a", replace(ONE, images=255 - ONE.images))])
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(TableWriter, "finish", stopped)
        write_joined(tmp_path / "joined", one)
    with pytest.raises(OutputError, match="joined differ"):
        write_joined(tmp_path / "joined", other)
    assert same(write_joined(tmp_path / "joined", one), join([("a", ONE)]))


def test_a_joined_table_says_how_it_was_cut_and_has_the_strictest_rights(tmp_path: Path) -> None:
    system3, one = preset("system3").to_json(), [255.0]
    own = Rights("CC0", "allowed", "allowed", "forbidden", "own.org")
    tables = saved(tmp_path, [("a", ONE), ("b", OTHER)])
    about = {"data_set": "jaffe", "rights": rights.record("jaffe"), "preparation": system3}
    write_summary(tmp_path / "0", about)
    terms = {"data_set": "mine", **asdict(own)}
    fitted = {**system3, "mean": one, "std": one}
    write_summary(tmp_path / "1", {"rights": terms, "preparation": fitted})
    write_joined(tmp_path / "joined", tables)
    found = recorded_rights(tmp_path / "joined")
    assert recorded(tmp_path / "joined") == preset("system3")
    assert summary(tmp_path / "joined")["joined"] == {"a": "jaffe", "b": None}
    assert found["data_set"] == "JAFFE; mine" and "own.org" in found["source"]
    assert [found[use] for use in rights.USES] == ["forbidden"] * 3
    write_joined(tmp_path / "again", [("both", tmp_path / "joined"), ("a", tmp_path / "0")])
    assert recorded_rights(tmp_path / "again")["data_set"] == "JAFFE; mine"


def test_tables_that_are_cut_differently_do_not_join(tmp_path: Path) -> None:
    tables = saved(tmp_path, [("a", ONE), ("b", OTHER)])
    write_summary(tmp_path / "0", {"preparation": preset("system3").to_json()})
    with pytest.raises(DataError, match="b has no record of how it was cut; prepare both alike"):
        write_joined(tmp_path / "joined", tables)
    write_summary(tmp_path / "1", {"preparation": preset("system2").to_json()})
    with pytest.raises(DataError, match=r"a has .*crop eyes-chin.*; b has .*crop box"):
        write_joined(tmp_path / "joined", tables)
    write_summary(tmp_path / "0", {"rights": {"licence": "CC0"}})
    with pytest.raises(DataError, match="one of a, b does not state all rights"):
        write_joined(tmp_path / "joined", tables)
