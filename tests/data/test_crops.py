import csv
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from data.test_table import same, table
from mien import geometry, images
from mien.data import crops
from mien.data.crops import Cutter, prepare
from mien.data.listing import Listing
from mien.data.table import FaceTable
from mien.errors import DataError, OutputError, UsageError
from mien.faces.finding import FaceFinder
from mien.preparation import Preparation
from mien.records import Face

BOX = Preparation(size_hw=(16, 16), colour="grey")
TEMPLATE = Preparation.from_json(models.preparation(16, normalize="unit"))
POINTS = models.face_points(30) + np.float32(8)


class Finder:
    """Find as many faces as the top left pixel says, all with the same points."""

    whole, points = False, True

    def __init__(self) -> None:
        self.read_paths: list[str] = []

    def read(self, source: Any) -> tuple[images.Image, float]:
        self.read_paths.append(str(source))
        return images.read_scaled(source)

    def find(self, image: images.Image) -> list[Face]:
        number = int(image[0, 0]) if image.ndim == 2 else int(image[0, 0, 0])
        places = [(8.0 - 4 * at, 8.0, 38.0 - 8 * at, 38.0) for at in range(number)]
        return [Face(place, 1.0, points_xy=POINTS) for place in places]


def photographs(folder: Path, faces: tuple[int, ...] = (1, 0, 2, 1, 0), **changes: Any) -> Listing:
    """Write photographs that show as many faces; give their Listing."""
    folder.mkdir(exist_ok=True)
    n = len(faces)
    for at, number in enumerate(faces):
        image = np.random.default_rng(at).integers(0, 256, (48, 48), dtype=np.uint8)
        image[0, 0] = number
        images.write(folder / f"{at}.png", image)
    fields: dict[str, Any] = {
        "paths": np.array([str(folder / f"{at}.png") for at in range(n)]),
        "labels": np.array([0, 1, 1, -1, 0] * n)[:n],
        "expressions": ("fear", "sadness"),
        "subject": np.array([f"s{at}" for at in range(n)]),
        "sequence": np.full(n, ""),
        "source_id": np.array([f"id{at}" for at in range(n)]),
        "split": np.full(n, "train"),
    }
    return Listing(**{**fields, **changes})


def cutter(preparation: Preparation = TEMPLATE, **changes: Any) -> Cutter:
    return Cutter(preparation, Finder(), **changes)  # type: ignore[arg-type]


def rejected(folder: Path) -> list[dict[str, str]]:
    with (folder / "rejected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_face_is_cut_as_for_prediction_and_keeps_its_points(tmp_path: Path) -> None:
    listing = photographs(tmp_path / "in")
    made, _ = prepare(listing, tmp_path / "out", cutter())
    assert made.source_id.tolist() == ["id0", "id2", "id3"]
    assert made.subject.tolist() == ["s0", "s2", "s3"]
    assert made.expression_names().tolist() == ["fear", "sadness", ""]
    for row, path in enumerate(listing.paths[[0, 2, 3]]):
        expected = TEMPLATE.cut(images.read(str(path)), POINTS)
        np.testing.assert_array_equal(made.images[row], expected)
    assert made.points_xy is not None
    moved = geometry.apply(TEMPLATE.matrix(POINTS), POINTS)
    np.testing.assert_allclose(made.points_xy, np.stack([moved] * 3), atol=1e-4)


def test_what_is_left_out_is_named_and_counted_by_class(tmp_path: Path) -> None:
    listing = photographs(tmp_path / "in")
    Path(listing.paths[2]).write_text("no image")
    Path(listing.paths[3]).unlink()
    made, summary = prepare(listing, tmp_path / "out", cutter(), about={"data_set": "mine"})
    assert len(made) == 1
    found = rejected(tmp_path / "out")
    assert [(row["source_id"], row["expression"]) for row in found] == [
        ("id1", "sadness"),
        ("id2", "sadness"),
        ("id3", ""),
        ("id4", "fear"),
    ]
    assert found[0]["reason"] == "no face found"
    assert "2.png" in found[1]["reason"] and "is not an image" in found[1]["reason"]
    assert "cannot read" in found[2]["reason"]
    assert summary["data_set"] == "mine"
    assert (summary["images"], summary["faces"], summary["rejected"]) == (5, 1, 4)
    lost = {name: one["rejected"] for name, one in summary["by_expression"].items()}
    assert lost == {"sadness": 2, "fear": 1, "unlabelled": 1}
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == summary
    assert list(summary)[:2] == ["data_set", "preparation"]
    assert Preparation.from_json(summary["preparation"]) == TEMPLATE


def test_without_a_face_the_image_is_taken_whole_on_demand(tmp_path: Path) -> None:
    listing = photographs(tmp_path / "in")
    made, summary = prepare(listing, tmp_path / "out", cutter(no_face="whole"))
    assert len(made) == 5 and made.points_xy is not None
    np.testing.assert_array_equal(
        made.images[1], TEMPLATE.whole(images.read(str(listing.paths[1])))
    )
    assert np.isnan(made.points_xy[1]).all() and np.isfinite(made.points_xy[0]).all()
    assert summary["by_expression"]["fear"] == {
        "images": 2,
        "faces": 2,
        "rejected": 0,
        "taken_whole": 1,
    }
    assert rejected(tmp_path / "out") == []


def test_without_a_face_the_work_ends_on_demand(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="id1: no face found"):
        prepare(photographs(tmp_path / "in"), tmp_path / "out", cutter(no_face="error"))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    with pytest.raises(UsageError, match="unknown no-face policy 'skp'; did you mean 'skip'"):
        cutter(no_face="skp")


def test_no_face_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no face is left of 2 images: id0: no face found"):
        prepare(photographs(tmp_path / "in", (0, 0)), tmp_path / "out", cutter())
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_two_images_of_one_id_are_refused(tmp_path: Path) -> None:
    listing = photographs(tmp_path / "in", source_id=np.array(["a", "b", "a", "c", "d"]))
    with pytest.raises(DataError, match="two images have the id 'a'"):
        prepare(listing, tmp_path / "out", cutter())


def test_the_face_at_the_sets_box_is_meant(tmp_path: Path) -> None:
    boxes = np.array([[0, 8, 26, 38], [np.nan] * 4, [0, 0, 5, 5]], np.float32)
    listing = photographs(tmp_path / "in", (3, 3, 3), box_xyxy=boxes)
    made, _ = prepare(listing, tmp_path / "out", cutter(BOX))
    assert made.source_id.tolist() == ["id0", "id1"]
    for row, box in enumerate([(0.0, 8.0, 22.0, 38.0), (8.0, 8.0, 38.0, 38.0)]):
        expected = BOX.cut(images.read(str(listing.paths[row])), POINTS, box)
        np.testing.assert_array_equal(made.images[row], expected)


def test_faces_taken_whole_are_those_in_their_boxes(tmp_path: Path) -> None:
    boxes = np.array([[0, 8, 26, 38], [np.nan] * 4, [20, 20, 40, 40]], np.float32)
    points = np.stack([POINTS] * 3)
    listing = photographs(tmp_path / "in", (0, 0, 0), box_xyxy=boxes, points_xy=points)
    made, _ = prepare(listing, tmp_path / "out", Cutter(BOX, FaceFinder("whole")))
    first = images.read(str(listing.paths[0]))[8:39, :27]
    np.testing.assert_array_equal(made.images[0], images.resize(first, (16, 16)))
    assert made.points_xy is not None
    moved = geometry.apply(geometry.scaling((31, 27), (16, 16)), POINTS - np.float32([0, 8]))
    np.testing.assert_allclose(made.points_xy[0], moved, atol=1e-4)
    wanted, _ = prepare(listing, tmp_path / "want", cutter(BOX, no_face="whole"))
    np.testing.assert_array_equal(wanted.images, made.images)


def test_a_stopped_preparation_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops, "BLOCK", 2)
    listing = photographs(tmp_path / "in", (1, 0, 1, 1, 1, 0, 1))
    whole, _ = prepare(listing, tmp_path / "whole", cutter())

    with pytest.raises(KeyboardInterrupt):
        prepare(listing, tmp_path / "out", cutter(), each=stopped)
    assert not (tmp_path / "out").exists()
    again = cutter()
    made, summary = prepare(listing, tmp_path / "out", again)
    assert [Path(path).stem for path in again.finder.read_paths] == ["4", "5", "6"]  # type: ignore
    assert same(made, whole)
    assert summary["rejected"] == 2
    assert [row["source_id"] for row in rejected(tmp_path / "out")] == ["id1", "id5"]


def stopped(work: Any, rows: Any) -> Any:
    for row in rows:
        if row == 5:
            raise KeyboardInterrupt
        yield work(row)


@pytest.mark.parametrize("kind", ["moved", "changed", "faces"])
def test_other_pictures_are_not_mixed_with_unfinished_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(crops, "BLOCK", 2)
    first: Listing | FaceTable = photographs(tmp_path / "one", (1,) * 7)
    cut = Cutter(BOX, FaceFinder("whole")) if kind == "faces" else cutter()
    if kind == "faces":
        first = table(7)
    with pytest.raises(KeyboardInterrupt):
        prepare(first, tmp_path / "out", cut, each=stopped)
    if isinstance(first, FaceTable):
        first = replace(first, images=255 - first.images)
    elif kind == "moved":
        shutil.copytree(tmp_path / "one", tmp_path / "two")  # which keeps the dates
        paths = [path.replace("one", "two") for path in first.paths.tolist()]
        first = replace(first, paths=np.array(paths))
    else:
        os.utime(str(first.paths[6]), ns=(1, 1))
    with pytest.raises(OutputError, match="data differ"):
        prepare(first, tmp_path / "out", cut)


def test_threads_give_the_same_table(tmp_path: Path) -> None:
    listing = photographs(tmp_path / "in")
    one, _ = prepare(listing, tmp_path / "one", cutter())
    with ThreadPoolExecutor(3) as pool:
        many, _ = prepare(listing, tmp_path / "many", cutter(), each=pool.map)
    assert same(one, many)


def test_faces_are_taken_whole_with_the_points_they_have(tmp_path: Path) -> None:
    faces = table(5, votes=None)
    made, _ = prepare(faces, tmp_path / "out", Cutter(BOX, FaceFinder("whole")))
    assert made.images.shape == (5, 16, 16)
    np.testing.assert_array_equal(made.images[2], images.resize(faces.images[2], (16, 16)))
    assert made.points_xy is not None and faces.points_xy is not None
    scaled = geometry.apply(geometry.scaling((8, 10), (16, 16)), faces.points_xy)
    np.testing.assert_allclose(made.points_xy, scaled, atol=1e-4)
    bare, _ = prepare(
        replace(faces, points_xy=None), tmp_path / "bare", Cutter(BOX, FaceFinder("whole"))
    )
    assert bare.points_xy is None


def test_points_of_faces_taken_whole_are_used_and_found_where_they_are_missing(
    tmp_path: Path, landmarks_path: Path
) -> None:
    level = Preparation(size_hw=(16, 16), align="eyes", crop="eyes-chin")
    points = np.stack([models.face_points(48)] * 2)
    points[1] = np.nan
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, 48, 48), dtype=np.uint8)
    faces = table(2, images=pixels, points_xy=points, votes=None)
    finder = FaceFinder("whole", points=True, landmarks=landmarks_path, threads=1)
    made, _ = prepare(faces, tmp_path / "out", Cutter(level, finder))
    assert made.points_xy is not None and np.isfinite(made.points_xy).all()
    np.testing.assert_array_equal(made.images[0], level.whole(pixels[0], points[0]))
    found = finder.find(pixels[1])[0].points_xy
    np.testing.assert_array_equal(made.images[1], level.whole(pixels[1], found))


def test_a_face_that_cannot_be_cut_is_rejected(tmp_path: Path) -> None:
    class Flat(Finder):
        def find(self, image: images.Image) -> list[Face]:
            return [Face((8.0, 8.0, 38.0, 38.0), 1.0, points_xy=np.ones((68, 2), np.float32))]

    listing = photographs(tmp_path / "in", (1, 1))
    with pytest.raises(DataError, match="points to align must be finite"):
        prepare(listing, tmp_path / "out", Cutter(TEMPLATE, Flat()))  # type: ignore[arg-type]


def test_the_photograph_path_finds_the_portrait(
    tmp_path: Path, portrait_path: Path, landmarks_path: Path
) -> None:
    listing = photographs(tmp_path / "in", (0, 0), paths=np.array([str(portrait_path)] * 2))
    finder = FaceFinder(landmarks=landmarks_path, threads=1)
    made, _ = prepare(listing, tmp_path / "out", Cutter(TEMPLATE, finder))
    assert isinstance(made, FaceTable) and len(made) == 2
    assert made.points_xy is not None
    template = np.array(TEMPLATE.template_xy)
    np.testing.assert_allclose(made.points_xy[0], template, atol=0.5)


@pytest.mark.parametrize("split", ["train", "test"])
def test_statistics_are_those_of_the_faces_that_train(tmp_path: Path, split: str) -> None:
    listing = photographs(tmp_path / "in", (1, 1, 1, 1))
    listing = replace(listing, split=np.array([split, "test", split, "test"]))
    wanted = Preparation(size_hw=(16, 16), normalize="data-set")
    made, summary = prepare(listing, tmp_path / "out", cutter(wanted))
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == json.loads(
        json.dumps(summary)
    )
    steps = Preparation.from_json(summary["preparation"])
    assert steps.is_fitted == (split == "train")
    if steps.is_fitted:
        trained = made.images[[0, 2]]
        assert steps.mean == pytest.approx((trained.mean(),))
        assert steps.std == pytest.approx((trained.std(),))
