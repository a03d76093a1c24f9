"""Photographs in, records and annotated copies out."""

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import images
from mien.errors import ModelError
from mien.recognizer import Recognizer


def parsed(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def sources(out: str) -> list[str]:
    return [Path(record["source"]).name for record in parsed(out)]


def test_a_folder_gives_a_record_a_face_in_order(predict: Callable, photographs: Path) -> None:
    done = predict(photographs)
    assert done.code == 0
    assert sources(done.out) == ["a.png", "b.png", "c.png"]
    assert all(record["box_xyxy"] == [-0.5, -0.5, 47.5, 47.5] for record in parsed(done.out))


def test_the_records_say_what_the_recognizer_says(
    predict: Callable, photographs: Path, expression_path: Path
) -> None:
    recognizer = Recognizer(expression_path, detector="whole")
    for record in parsed(predict(photographs).out):
        (expected,) = recognizer(record["source"])
        assert record["expression"] == expected.expression
        assert record["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)


def test_more_jobs_change_nothing(predict: Callable, photographs: Path) -> None:
    alone = predict(photographs, "--jobs", "1").out
    assert predict(photographs, "--jobs", "8").out == alone


def test_patterns_and_lists_are_read(
    predict: Callable, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sources(predict(photographs / "[bc].png").out) == ["b.png", "c.png"]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{photographs / 'c.png'}\n"))
    assert sources(predict("-").out) == ["c.png"]


def test_out_takes_the_records_and_its_suffix_the_format(
    predict: Callable, photographs: Path, tmp_path: Path
) -> None:
    done = predict(photographs, "--out", tmp_path / "faces.csv")
    assert (done.code, done.out) == (0, "")
    with (tmp_path / "faces.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    predict(photographs, "--out", tmp_path / "faces.jsonl")
    assert len(parsed((tmp_path / "faces.jsonl").read_text())) == 3


def test_the_table_names_every_photograph(predict: Callable, photographs: Path) -> None:
    done = predict(photographs, "--format", "table")
    header, *rows = done.out.splitlines()
    assert header.startswith("photograph")
    assert [row.split()[0][-5:] for row in rows] == ["a.png", "b.png", "c.png"]


def test_a_terminal_gets_the_table(
    predict: Callable, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "photograph" in predict(photographs).out


def test_labels_choose_the_answers(predict: Callable, photographs: Path) -> None:
    record = parsed(predict(photographs / "a.png", "--labels", "fer2013").out)[0]
    assert len(record["probabilities"]) == 7


def test_the_mirror_image_changes_the_answer_a_little(
    predict: Callable, photographs: Path, expression_path: Path
) -> None:
    once = parsed(predict(photographs / "a.png").out)[0]
    both = parsed(predict(photographs / "a.png", "--mirror").out)[0]
    assert once["probabilities"] != both["probabilities"]
    mirrored = images.read(photographs / "a.png")[:, ::-1]
    other = Recognizer(expression_path, detector="whole", mirror=True)(mirrored.copy())[0]
    assert both["probabilities"] == pytest.approx(other.probabilities, abs=1e-5)


def test_copies_of_two_folders_do_not_collide(
    predict: Callable, photographs: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second"
    second.mkdir()
    images.write(second / "a.png", np.zeros((48, 48), np.uint8))
    done = predict(photographs / "a.png", second / "a.png", "--draw", tmp_path / "drawn")
    drawn = [Path(record["drawn"]) for record in parsed(done.out)]
    assert [path.name for path in drawn] == ["a.png", "a-2.png"]
    assert sorted((tmp_path / "drawn").iterdir()) == sorted(drawn)
    assert images.read(drawn[0]).shape[2] == 3


def test_the_summary_counts_and_quiet_leaves_it_out(predict: Callable, photographs: Path) -> None:
    assert predict(photographs).err == "3 photographs, 3 faces\n"
    assert predict(photographs, "--quiet").err == ""


def test_points_come_when_asked_for(
    shipped_models: None, mien: Callable, portrait_path: Path
) -> None:
    record = parsed(mien("predict", portrait_path, "--points").out)[0]
    assert np.shape(record["points_xy"]) == (68, 2)


def test_the_sample_portrait_is_happy(
    shipped_models: None, mien: Callable, portrait_path: Path, tmp_path: Path
) -> None:
    done = mien("predict", portrait_path, "--draw", tmp_path)
    (record,) = parsed(done.out)
    assert (done.code, record["expression"], record["face"]) == (0, "happiness", 0)
    assert not np.array_equal(images.read(record["drawn"]), images.read(portrait_path))


def test_a_picture_without_a_face_is_reported(
    shipped_models: None, mien: Callable, tmp_path: Path
) -> None:
    images.write(tmp_path / "sky.png", np.full((240, 320, 3), 200, np.uint8))
    done = mien("predict", tmp_path / "sky.png")
    assert done.code == 0
    assert parsed(done.out)[0]["faces"] == 0


def test_balanced_answers_are_asked_of_models_that_can_give_them(
    predict: Callable, photographs: Path
) -> None:
    done = predict(photographs / "a.png", "--balanced")
    assert done.code == ModelError.exit_code
    assert "leave it out" in done.err


def test_the_smallest_face_is_told_as_it_counts(predict: Callable, photographs: Path) -> None:
    assert predict(photographs, "--min-face", "10").code == 0
    assert predict(photographs, "--min-face", "9").code == 2
    told = " ".join(predict("--help").out.split())
    assert "640x480" in told and "square root" in told


def test_faces_in_copies_can_be_made_unrecognisable(
    predict: Callable, photographs: Path, tmp_path: Path
) -> None:
    copies = {}
    for how in ("shown", "pixelated", "covered"):
        predict(photographs / "a.png", "--draw", tmp_path / how, "--draw-faces", how)
        copies[how] = images.read(tmp_path / how / "a.png")
    detail = [int(np.abs(np.diff(copy.astype(int), axis=1)).sum()) for copy in copies.values()]
    assert detail == sorted(detail, reverse=True) and detail[0] > 2 * detail[1]
    assert predict(photographs / "a.png", "--draw-faces", "covered").code == 2
