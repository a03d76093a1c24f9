"""What a model is shown to look at, for models whose every weight is known."""

from pathlib import Path

import numpy as np
import pytest

import models
from mien.errors import DataError
from mien.recognizer import ExpressionReader
from mien.study.explain import Frame, explain, grid, laid_over, spread
from mien.study.explained import maps, write_explanations

SIDE = 48


@pytest.fixture
def reader(tmp_path: Path) -> ExpressionReader:
    """A model that says `fear` the more, the brighter the mouth is against the whole face."""
    weight = np.zeros((SIDE, SIDE, 8))
    left, top, right, bottom = np.rint(box()).astype(int)
    weight[top:bottom, left:right, 6] = 0.05
    layers = {
        "ferplus": (weight.reshape(-1, 8), np.zeros(8)),
        "fer2013": (np.zeros((SIDE * SIDE, 7)), np.zeros(7)),
        "hidden": (np.zeros((SIDE * SIDE, 2)), np.zeros(2)),
    }
    path = models.write(tmp_path / "mouth.onnx", SIDE, layers, models.expression_metadata())
    return ExpressionReader(path)


def box() -> np.ndarray:
    lips = models.face_points()[48:]
    return np.concatenate([lips.min(0), lips.max(0) + 1])


@pytest.fixture
def crops() -> np.ndarray:
    """Three faces that are bright at the mouth alone."""
    faces = np.full((3, SIDE, SIDE), 60, np.uint8)
    left, top, right, bottom = np.rint(box()).astype(int)
    faces[:, top:bottom, left:right] = 200
    return faces


@pytest.fixture
def points() -> np.ndarray:
    return np.repeat(models.face_points()[None], 3, axis=0)


def test_covering_what_the_model_reads_costs_and_nothing_else_does(
    reader: ExpressionReader, crops: np.ndarray, points: np.ndarray
) -> None:
    found = explain(reader, crops, points, np.full(3, 6))
    y, x = np.unravel_index(found.sliding.argmax(), found.sliding.shape)
    left, top, right, bottom = box()
    assert left <= x <= right and top <= y <= bottom
    assert found.sliding[:10].max() < found.sliding.max() / 5
    mouth, eyes = found.regions["mouth"], found.regions["eyes"]
    assert mouth.probability > 0.1 > eyes.probability and mouth.log_odds > 3 * eyes.log_odds
    assert found.moves and found.most.log_odds >= mouth.log_odds
    assert found.masks["mouth"].any() and found.face.shape == (SIDE, SIDE)


def test_the_models_own_answer_is_explained_unless_another_is_asked_for(
    reader: ExpressionReader, crops: np.ndarray, points: np.ndarray
) -> None:
    own, asked = explain(reader, crops, points), explain(reader, crops, points, np.full(3, 6))
    np.testing.assert_array_equal(own.sliding, asked.sliding)
    other = explain(reader, crops, points, np.zeros(3, np.int64))
    assert max(other.regions["mouth"]) < 0


def test_an_answer_that_nothing_moves_is_remarked(
    crops: np.ndarray, points: np.ndarray, tmp_path: Path
) -> None:
    layers = {
        "ferplus": (np.zeros((SIDE * SIDE, 8)), np.arange(8) * 9.0),
        "fer2013": (np.zeros((SIDE * SIDE, 7)), np.zeros(7)),
        "hidden": (np.zeros((SIDE * SIDE, 2)), np.zeros(2)),
    }
    path = models.write(tmp_path / "sure.onnx", SIDE, layers, models.expression_metadata())
    found = explain(ExpressionReader(path), crops, points, name="sure")
    assert found.probability > 0.99 and max(found.most) < 1e-6 and not found.moves
    record = write_explanations(tmp_path / "out", [found], [None], {}, show=True)
    (warning,) = record["warnings"]
    assert warning.startswith(
        "No part hidden moves the probability by a point: sure (>99%), nor the log-odds."
    )
    assert "No part hidden alone moves the answer." in (tmp_path / "out/index.html").read_text()
    assert "No part hidden moves" in (tmp_path / "out" / "index.html").read_text()


def test_an_answer_that_is_sure_has_a_map_all_the_same(
    crops: np.ndarray, points: np.ndarray, tmp_path: Path
) -> None:
    """The same model, so sure that in the precision of a float the probability is 1."""
    weight = np.zeros((SIDE, SIDE, 8))
    left, top, right, bottom = np.rint(box()).astype(int)
    weight[top:bottom, left:right, 6] = 5
    layers = {
        "ferplus": (weight.reshape(-1, 8), np.zeros(8)),
        "fer2013": (np.zeros((SIDE * SIDE, 7)), np.zeros(7)),
        "hidden": (np.zeros((SIDE * SIDE, 2)), np.zeros(2)),
    }
    path = models.write(tmp_path / "sure.onnx", SIDE, layers, models.expression_metadata())
    found = explain(ExpressionReader(path), crops, points, name="sure")
    assert found.probability == 1 and found.sliding.max() > 10
    assert found.regions["mouth"].log_odds > 3 * abs(found.regions["eyes"].log_odds)
    shown = maps(found)
    assert (shown["sliding"] != shown["face"]).any() and (shown["regions"] != shown["face"]).any()
    record = write_explanations(tmp_path / "out", [found], [None], {}, show=True)
    (one,) = record["explanations"]
    assert one["log_odds"] == pytest.approx(found.log_odds)
    assert one["regions_log_odds"]["mouth"] == found.regions["mouth"].log_odds
    page = (tmp_path / "out/index.html").read_text()
    assert "sure: the mouth" in page and "of log-odds" in page


def test_without_points_there_are_places_and_no_regions(
    reader: ExpressionReader, crops: np.ndarray
) -> None:
    found = explain(reader, crops, None)
    assert not found.regions and found.sliding.max() > 0


def test_landmarks_that_are_missing_are_named(
    reader: ExpressionReader, crops: np.ndarray, points: np.ndarray
) -> None:
    points[1, 3] = np.nan
    with pytest.raises(DataError, match="68 landmarks for every face"):
        explain(reader, crops, points)
    with pytest.raises(DataError, match="at least one face"):
        explain(reader, crops[:0], None)


def test_a_cover_follows_the_points_of_a_moved_face(crops: np.ndarray, points: np.ndarray) -> None:
    points[0] += 4
    frame = Frame((SIDE, SIDE), points)
    black = np.zeros_like(crops)
    black[:, 0] = 255  # or the mean tone would be black too
    changed = frame.covered(black, np.array([24.0, 24.0])) != black
    (y0, x0), (y1, x1) = (np.argwhere(mask).mean(axis=0) for mask in changed[:2])
    assert y0 - y1 == pytest.approx(4, abs=1) and x0 - x1 == pytest.approx(4, abs=1)


def test_every_pixel_gets_the_mean_of_the_covers_on_it() -> None:
    centres = grid((SIDE, SIDE))
    np.testing.assert_allclose(spread(np.full(len(centres), 0.5), centres, (SIDE, SIDE)), 0.5)


def test_colour_is_covered_in_colour(crops: np.ndarray) -> None:
    coloured = np.stack([crops, crops // 2, crops // 4], axis=-1)
    covered = Frame((SIDE, SIDE), None).covered(coloured, np.array([24.0, 24.0]))
    np.testing.assert_array_equal(covered[0, 24, 24], coloured[0].mean(axis=(0, 1)).astype(int))


def test_maps_are_laid_over_each_other_by_the_points(points: np.ndarray) -> None:
    maps = np.zeros((3, SIDE, SIDE))
    points[0] += 6
    maps[0, 26:30, 26:30] = maps[1:, 20:24, 20:24] = 0.5
    found = laid_over(maps, points)
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert found.max() == 1 and 21 <= x <= 26 and 21 <= y <= 26
    assert (found > 0.5).sum() < 30
