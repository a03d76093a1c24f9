"""Numbers of many runs, against ones that can be counted by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from statistics import stdev

import pytest

from mien import metrics
from mien.errors import DataError
from mien.training.joined import join
from tiny_runs import done

RUNS = [
    done(0, 1, [1, 1, 1, 0]),
    done(1, 1, [1, 0]),
    done(0, 2, [1, 1, 1, 1]),
    done(1, 2, [0, 0]),
]


def test_faces_of_all_folds_count_together_and_seeds_are_averaged() -> None:
    found = join(RUNS)
    accuracy = found.measures["accuracy"]
    assert found.faces == 6 and len(found.folds) == 2 and found.seeds == [1, 2]
    assert accuracy.value == pytest.approx((4 / 6 + 4 / 6) / 2)
    assert accuracy.seed_sd == pytest.approx(0)
    folds = [(0.75 + 1.0) / 2, (0.5 + 0.0) / 2]
    assert accuracy.fold_mean == pytest.approx(sum(folds) / 2)
    assert accuracy.fold_sd == pytest.approx(stdev(folds))
    assert found.confusion.sum() == 12 and found.confusion.trace() == 8


def test_more_seeds_are_not_more_faces() -> None:
    assert join(RUNS).interval95 == metrics.wilson(4, 6)
    assert join(RUNS[:2]).interval95 == metrics.wilson(4, 6)


def test_one_run_has_no_deviation() -> None:
    accuracy = join([done(None, 1, [1, 0])]).measures["accuracy"]
    assert (accuracy.fold_sd, accuracy.seed_sd) == (None, None)


def test_people_are_drawn_anew_where_they_are_known() -> None:
    hits = [1] * 10 + [0] * 10
    people = tuple("a" if hit else "b" for hit in hits)
    found = join([done(0, 1, hits, people), done(1, 1, [1, 1], ("c", "c"))])
    assert found.drawn == "people" and found.subjects == 3 and found.subjects_overlap is False
    low, high = found.interval95
    assert low == 0 and high == 1  # of three people, one was always wrong


def test_a_job_without_a_mistake_is_not_certain_of_the_next_face() -> None:
    found = join([done(0, 1, [1] * 20, tuple("abcde" * 4))])
    assert found.interval95 == metrics.wilson(20, 20)


def test_who_is_tested_in_two_folds_was_trained_on_before() -> None:
    found = join([done(0, 1, [1, 0], ("a", "b")), done(1, 1, [1, 0], ("b", "c"))])
    assert found.subjects_overlap is True and found.subjects == 3


@pytest.mark.parametrize("stated", [True, None])
def test_one_fold_overlaps_as_its_run_says_and_else_nobody_knows(stated: bool | None) -> None:
    for people in ((), ("a", "b")):
        assert join([done(None, 1, [1, 0], people, overlap=stated)]).subjects_overlap is stated


def test_without_subjects_nobody_knows_whether_they_overlap() -> None:
    assert join(RUNS).subjects_overlap is None and join(RUNS).drawn == "faces"


def test_the_protocol_is_what_all_runs_share() -> None:
    assert join(RUNS).protocol == {"data_set": "made", "splits": "by-subject, 2 folds"}


def test_a_fold_must_test_the_same_faces_under_every_seed() -> None:
    other = replace(RUNS[0].receipt, faces=("w", "x", "y", "z"))
    with pytest.raises(DataError, match=r"seeds 1 and 2 must test the same faces of fold 1"):
        join([RUNS[0], RUNS[0]._replace(seed=2, receipt=other)])


def test_a_face_must_be_tested_in_one_fold_alone() -> None:
    again = replace(RUNS[1].receipt, faces=RUNS[0].receipt.faces[:2])
    with pytest.raises(DataError, match="2 are in several: the folds were dealt otherwise"):
        join([RUNS[0], RUNS[1]._replace(receipt=again)])


def test_everything_is_plain_for_json() -> None:
    told = json.loads(json.dumps(join(RUNS).to_dict()))
    assert told["accuracy"]["value"] == pytest.approx(4 / 6)
    assert [(run["fold"], run["seed"]) for run in told["runs"]] == [(1, 1), (2, 1), (1, 2), (2, 2)]
