"""The measurements run and count rightly; how fast or how good anything is, they only print."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import models
from bench import clock, landmarks, pictures, pipeline, report, shifts
from bench.__main__ import build
from mien import geometry, images, weights
from mien.errors import OutputError
from mien.images.pixels import to_grey
from tiny_fer import tiny_fer


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set, and a photograph beside it."""
    root = tmp_path_factory.mktemp("data")
    made = tiny_fer(per_split=6)
    made.votes[7] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 9]
    folder = root / "fer2013"
    made.write(folder / "fer2013.csv")
    made.write_votes(folder / "fer2013new.csv")
    made.write_points(folder / "landmarks68.npz", [row != 8 for row in range(18)])
    (root / "photos").mkdir()
    images.write(root / "photos" / "portrait.png", images.read(weights.sample_portrait()))
    return folder


def bench(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        build()(args=[str(word) for word in words], prog_name="bench")
    return int(end.value.code or 0)


def figures(path: Path) -> dict[str, object]:
    content = json.loads(path.read_text())
    assert content["machine"]["cores"] >= 1 and content["machine"]["onnxruntime"]
    found: dict[str, object] = content["figures"]
    return found


def test_without_a_name_it_lists_what_it_can_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench() == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("speed", "landmarks", "pipeline", "hidden"))


def test_faces_are_measured_under_every_change(
    data: Path, expression_path: Path, tmp_path: Path
) -> None:
    out = tmp_path / "shifts.json"
    assert bench("shifts", "--data", data, "--model", expression_path, "--json", out) == 0
    found = figures(out)
    assert set(shifts.CHANGES) < set(found)
    each = [found[name]["accuracy"] for name in shifts.CHANGES]  # type: ignore[index]
    assert found["mean"] == pytest.approx(np.mean(each))
    assert found["nothing"]["faces"] == 5  # type: ignore[index]


def test_each_change_gives_a_face_of_the_same_size_and_is_the_same_again() -> None:
    face = to_grey(images.resize(images.read(weights.sample_portrait()), (48, 48)))
    for name, change in shifts.CHANGES.items():
        after = change(face)
        assert after.shape == face.shape and after.dtype == np.uint8, name
        assert np.array_equal(after, face) == (name == "nothing"), name
        assert np.array_equal(after, change(face)), name


def test_a_wider_frame_shows_the_face_smaller_on_black() -> None:
    white = np.full((48, 48), 255, np.uint8)
    wider = shifts.CHANGES["framed 20 % wider"](white)
    assert np.count_nonzero(wider) == 38**2 and wider[24, 24] == 255 and wider[0, 0] == 0
    moved = shifts.CHANGES["moved by 5 pixels"](white)
    assert np.count_nonzero(moved) == 43 * 44 and moved[-1, 0] == 0


def test_data_sets_are_read_audited_and_prepared(
    data: Path, shipped_models: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sets.json"
    few = ("--photographs", "2", "--rows", "3000", "--rounds", "1")
    assert bench("sets", "--data", data, *few, "--json", out) == 0
    found = figures(out)
    assert found["faces"] == 18 and found["table_rows"] == 3000
    assert found["table_peak_bytes"] > 3000 * 48 * 48  # type: ignore[operator]
    assert "centerface" in capsys.readouterr().out


def test_hidden_regions_are_measured_under_every_occluder(
    data: Path, expression_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "hidden.json"
    assert bench("hidden", "--data", data, "--model", expression_path, "--json", out) == 0
    found = figures(out)
    assert {"none", "sunglasses", "surgical", "mask-polygon", "eyes", "mouth"} <= set(found)
    assert found["sunglasses"]["hidden"]["eyes"]["hidden_faces"] == 5  # type: ignore[index]
    assert "sunglasses" in capsys.readouterr().out


def test_points_and_faceness_are_measured(
    data: Path, landmarks_path: Path, tmp_path: Path, shipped_models: None
) -> None:
    out = tmp_path / "landmarks.json"
    words = ("--data", data, "--model", landmarks_path, "--faces", "4", "--json", out)
    assert bench("landmarks", *words) == 0
    found = figures(out)
    assert len(found["errors"]) == 6  # type: ignore[arg-type]
    against = found["faceness"]["against"]  # type: ignore[index]
    assert [kind["number"] for kind in against.values()] == [1, 4, 4, 9]
    # The tiny model says the same of everything.
    assert {kind["auc"] for kind in against.values()} == {0.5}


def test_without_photographs_the_table_says_that_their_row_is_missing(
    data: Path, landmarks_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "landmarks.json"
    alone = shutil.copytree(data, tmp_path / "alone" / "fer2013")
    words = ("--model", landmarks_path, "--faces", "4", "--json", out)
    assert bench("landmarks", "--data", alone, *words) == 0
    against = figures(out)["faceness"]["against"]  # type: ignore[index]
    assert "generated textures" in against and "background of photographs" not in against
    assert "--photos" in capsys.readouterr().out


def test_photographs_that_are_not_there_end_it_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--data", tmp_path, "--photos", tmp_path / "missing")
    assert bench("landmarks", *words) == 3
    assert "missing" in capsys.readouterr().err


def test_the_pipeline_is_compared_with_the_originals(
    data: Path, expression_path: Path, tmp_path: Path, shipped_models: None
) -> None:
    out = tmp_path / "pipeline.json"
    words = ("--data", data, "--model", expression_path, "--faces", "2", "--json", out)
    assert bench("pipeline", *words) == 0
    found = figures(out)
    assert found["faces"] == 2
    pasted = found["enlarged 2 times"]
    assert pasted["lost"] == pytest.approx(  # type: ignore[index]
        found["whole"]["accuracy"] - pasted["accuracy"]  # type: ignore[index]
    )


def test_a_list_that_is_not_there_is_named(
    data: Path, expression_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--data", data, "--model", expression_path, "--occluded", tmp_path / "lost.txt")
    assert bench("hidden", *words) == 4
    assert "lost.txt; expected a list of really occluded" in capsys.readouterr().err


def test_a_missing_data_set_ends_with_its_exit_code(
    tmp_path: Path, expression_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("hidden", "--data", tmp_path, "--model", expression_path) == 4
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("scale", pipeline.SCALES)
def test_a_pasted_face_lies_where_its_scene_says(rng: np.random.Generator, scale: int) -> None:
    face = images.resize(rng.integers(0, 256, (6, 6), dtype=np.uint8), (48, 48))
    for seed in range(5):
        scene = pipeline.pasted(face, scale, np.random.default_rng(seed))
        assert scene.image.shape == (480, 640, 3)
        back = images.warp(scene.image, geometry.invert(scene.matrix), (48, 48))
        assert np.abs(back[2:-2, 2:-2, 0].astype(float) - face[2:-2, 2:-2]).mean() < 3
        assert scene.outline_xy.min() >= -0.5
        assert (scene.outline_xy <= np.array([639.5, 479.5])).all()


def test_moving_a_face_moves_its_points_along(rng: np.random.Generator) -> None:
    points = models.face_points()[None].repeat(10, axis=0)
    points[:, 0] = rng.integers(15, 33, (10, 2))
    faces = np.zeros((10, 48, 48), np.uint8)
    for face, (x, y) in zip(faces, points[:, 0].astype(int), strict=True):
        face[y, x] = 255
    moved = landmarks.moved(landmarks.Case(faces, points), rng)
    for face, (x, y) in zip(moved.images, moved.points_xy[:, 0], strict=True):
        weights_yx = np.indices(face.shape) * (face / face.sum(dtype=float))
        np.testing.assert_allclose(weights_yx.sum(axis=(1, 2)), [y, x], atol=0.3)
    np.testing.assert_allclose(
        landmarks.eye_distance(moved.points_xy), landmarks.eye_distance(points), rtol=1e-5
    )


def test_the_area_under_the_curve_is_that_of_scikit_learn(rng: np.random.Generator) -> None:
    positive, negative = rng.normal(1, 1, 200).round(1), rng.normal(0, 1, 90).round(1)
    truth = np.repeat([1, 0], [200, 90])
    expected = roc_auc_score(truth, np.concatenate([positive, negative]))
    assert landmarks.shares_above(positive, negative).mean() == pytest.approx(expected)


def test_photographs_differ_and_scenes_are_whole(tmp_path: Path, rng: np.random.Generator) -> None:
    first, second = pictures.photographs(tmp_path, 2, rng)
    assert images.read(first).shape == (480, 640, 3)
    assert first.read_bytes() != second.read_bytes()
    assert pictures.scene(rng).shape == (480, 640, 3)


def test_works_take_turns_and_the_first_round_does_not_count() -> None:
    called: list[str] = []
    best = clock.best_of({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 2)
    assert called == ["a", "b"] * 3
    assert set(best) == {"a", "b"} and all(took < 1 for took in best.values())


def test_numbers_are_shown_in_fitting_units() -> None:
    assert [report.size(n) for n in (0, 999, 15_579_623, 2.5e9)] == [
        "0 B",
        "999 B",
        "15.6 MB",
        "2.5 GB",
    ]
    assert (report.percent(0.12345), report.percent(None)) == ("12.3 %", "-")


def test_figures_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        report.Report("speed").write(tmp_path / "missing" / "figures.json")
