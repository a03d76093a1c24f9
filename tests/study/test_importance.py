"""Studies on generated faces: which cells are measured, kept, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.data import splits
from mien.errors import DataError, UsageError
from mien.evaluation import Chosen
from mien.recognizer import ExpressionReader
from mien.study import importance
from mien.study.cautions import cautions, may_show
from mien.study.cells import Cell
from mien.study.faces import protocol_for, without_copies
from mien.study.findings import findings
from mien.study.importance import MODEL, sweep
from mien.study.report import FILES, write_report
from tiny_tables import table

CONDITIONS = ("none", "eyes", "mouth")


@pytest.fixture
def reader(expression_path: Path) -> ExpressionReader:
    return ExpressionReader(expression_path)


def chosen(**changes: Any) -> Chosen:
    return Chosen(replace(table(), **changes), {"data_set": None, "table": "tiny"})


def test_a_sweep_shows_one_model_every_condition(reader: ExpressionReader, tmp_path: Path) -> None:
    done = sweep(chosen(), reader, CONDITIONS, tmp_path)
    assert set(done.receipts) == {Cell(MODEL, name, 0, "all") for name in CONDITIONS}
    assert all(right.shape == (1, 24) for right in done.outcome.right.values())
    found = findings(done.outcome, rounds=50)
    assert found.people == 6 and [one.condition for one in found.effects] == list(CONDITIONS)
    assert {one.expression for one in found.expressions} == {"happiness", "fear"}


def test_finished_cells_are_never_measured_again(
    reader: ExpressionReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str] = []
    score = importance.score

    def counted(*given: Any, occluder: str, **how: Any) -> Any:
        measured.append(occluder)
        if occluder == "mouth" and measured.count("mouth") == 1:
            raise KeyboardInterrupt
        return score(*given, occluder=occluder, **how)

    monkeypatch.setattr(importance, "score", counted)
    with pytest.raises(KeyboardInterrupt):
        sweep(chosen(), reader, CONDITIONS, tmp_path)
    sweep(chosen(), reader, CONDITIONS, tmp_path)
    sweep(chosen(), reader, (*CONDITIONS, "mask-polygon"), tmp_path)
    assert measured == ["none", "eyes", "mouth", "mouth", "mask-polygon"]


def test_a_folder_of_another_study_is_refused(reader: ExpressionReader, tmp_path: Path) -> None:
    sweep(chosen(), reader, CONDITIONS, tmp_path)
    other = Chosen(table(seed=1), {})
    with pytest.raises(UsageError, match=r"other settings \(faces differ\); name another --out"):
        sweep(other, reader, CONDITIONS, tmp_path)


def test_a_cell_changed_by_hand_is_refused(reader: ExpressionReader, tmp_path: Path) -> None:
    sweep(chosen(), reader, CONDITIONS, tmp_path)
    path = next(tmp_path.glob("cells/*/eyes/*.json"))
    path.write_text(path.read_text().replace('"predicted": [', '"predicted": [0, '))
    with pytest.raises(DataError, match=r"was changed after it was made|is no receipt"):
        sweep(chosen(), reader, CONDITIONS, tmp_path)


@pytest.mark.parametrize("broken", ["none", "one"])
def test_faces_without_landmarks_are_refused(
    broken: str, reader: ExpressionReader, tmp_path: Path
) -> None:
    points = None if broken == "none" else np.array(table().points_xy)
    if points is not None:
        points[3] = np.nan
    count = 24 if points is None else 1
    with pytest.raises(DataError, match=f"{count} of 24 faces have no landmarks"):
        sweep(chosen(points_xy=points), reader, CONDITIONS, tmp_path)


def test_faces_of_one_expression_are_refused(reader: ExpressionReader, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least two"):
        sweep(chosen(labels=np.zeros(24, np.int64)), reader, CONDITIONS, tmp_path)


def test_a_cell_is_the_receipt_of_an_evaluation(
    reader: ExpressionReader, tmp_path: Path, tiny_landmarks: None
) -> None:
    given = chosen(points_xy=None)
    done = sweep(given, reader, CONDITIONS, tmp_path, locate=True)
    told = importance.score(given, reader, occluder="mouth")
    assert told.condition["points_sha256"] is None
    assert done.receipts[Cell(MODEL, "mouth", 0, "all")] == told.sha256


@pytest.fixture
def tiny_landmarks(landmarks_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Find points by the tiny landmark model."""
    from mien.evaluation import selection
    from mien.faces import landmarks
    from mien.faces.landmarks import Landmarker

    for module in (selection, landmarks):
        monkeypatch.setattr(module, "Landmarker", lambda _: Landmarker(landmarks_path))


def test_people_are_kept_apart_where_they_are_known() -> None:
    assert protocol_for(table()) == "by-subject"
    unknown = table(people=0)
    assert protocol_for(unknown) == "stratified"
    halves = np.array(["train", "test"] * 12)
    assert protocol_for(replace(unknown, split=halves)) == "official"


def test_copies_of_training_faces_are_left_out_of_the_test() -> None:
    images = np.array(table().images)
    images[2:4] = images[0:2]  # the next person has the same pictures
    faces = replace(table(), images=images)
    made = splits.make(faces, "leave-one-subject-out")
    kept = without_copies(faces, made)
    assert sum(len(fold.test) for fold in made.folds) == 24
    tested = {one for fold in kept.folds for one in fold.test}
    assert len(tested) == 20 and "face-002" not in tested


def test_warnings_name_what_is_small_unknown_or_equal(
    reader: ExpressionReader, tmp_path: Path
) -> None:
    images, votes = np.array(table().images), np.zeros((24, 10))
    images[1], votes[:20, :2], votes[20:, [0, 9]] = images[0], 5, 5  # four times with NF alone
    subject = np.full(24, "")
    done = sweep(chosen(images=images, votes=votes, subject=subject), reader, CONDITIONS, tmp_path)
    said = " ".join(cautions(done, findings(done.outcome, rounds=20)))
    for words in (
        "Only 24 faces",
        "fewer than 30 faces: happiness 12, fear 12",
        "Nobody knows which faces are of one person",
        "1 of the tested faces are copies of another",
        "On 20 faces two expressions have most votes",
    ):
        assert words in said


def test_one_person_is_warned_of(reader: ExpressionReader, tmp_path: Path) -> None:
    done = sweep(chosen(subject=np.full(24, "s")), reader, CONDITIONS, tmp_path)
    said = " ".join(cautions(done, findings(done.outcome, rounds=20)))
    assert "All faces are of one person: intervals are over faces" in said


def test_silence_on_a_licence_shows_no_face() -> None:
    assert not may_show(None) and not may_show("folders") and not may_show("jaffe")


def test_a_report_has_the_answer_everywhere_and_fetches_nothing(
    reader: ExpressionReader, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    done = sweep(chosen(), reader, (*CONDITIONS, "eyes+mouth"), tmp_path / "study")
    found = findings(done.outcome, rounds=50)
    record = write_report(done, found, tmp_path / "study", question="Which <part>?", rounds=50)
    page, text, rows, stored = ((tmp_path / "study" / name).read_text() for name in FILES.values())
    assert found.answer in page.replace("&#x27;", "'") and found.answer in text
    assert "Which &lt;part&gt;?" in page and "# Which <part>?" in text
    assert "http://" not in page.replace("http://www.w3.org", "") and "<script" not in page
    for section in ("Warnings", "What each condition costs", "Protocol", "Receipt"):
        assert f"<h2>{section}</h2>" in page
    assert "For what matters most only single parts compete (eyes, mouth);" in text
    assert "|  | happiness | fear |" in text  # a row a condition: their number has no bound
    assert text.index("| eyes+mouth |") < text.index("| matters most | too few faces |")
    assert ">cost in points</text>" in page
    assert rows.splitlines()[0].startswith("trained,tested,expression,faces,measure")
    assert json.loads(stored) == record and len(record["cells"]) == 4


def test_a_report_of_seeds_says_how_much_they_differ(
    reader: ExpressionReader, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    for seeds, said in (((0,), False), ((0, 1), True)):
        done = sweep(chosen(), reader, CONDITIONS, tmp_path, seeds=seeds)
        found = findings(done.outcome, rounds=50)
        write_report(done, found, tmp_path, question="Q", rounds=50)
        text = (tmp_path / FILES["text"]).read_text()
        assert ("| ± of seeds |" in text) is said
        assert ("p is of sign flips of people" in text) is not said


def test_a_report_is_the_same_each_time(reader: ExpressionReader, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("a", "b"):
        done = sweep(chosen(), reader, CONDITIONS, tmp_path / name)
        found = findings(done.outcome, rounds=50)
        write_report(done, found, tmp_path / name, question="Q", rounds=50)
    for name in FILES.values():
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
