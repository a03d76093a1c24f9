"""Views of training faces: what is shown of which face, and how it is normalised."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import models
from mien.data import augmented
from mien.data.table import FaceTable
from mien.errors import UsageError
from mien.expressions import EXPRESSIONS_7
from mien.preparation import Preparation
from mien.training import hiding, sampling
from mien.training.augment import Augmentation
from mien.training.faces import Faces, Source, View, Viewer, plain_view
from mien.training.hiding import Hiding
from mien.training.settings import Recipe

SIDE = 48
STILL = Augmentation(
    flip=0,
    rotate_degrees=0,
    scale=0,
    shift=0,
    brightness=0,
    contrast=0,
    gamma=0,
    blur_share=0,
    noise_share=0,
    padding="border",
)
LEVELS = Preparation((SIDE, SIDE))


def source(n: int, shape: tuple[int, ...] = (SIDE, SIDE)) -> Source:
    """Make soft pictures, whose levels turning changes little, with points near a mean face's."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: shape[0], : shape[1]] / SIDE
    waves = rng.uniform(1, 4, (n, 2))
    soft = [127 + 100 * np.sin(a * rows + b * columns * 2) for a, b in waves]
    images = np.stack(soft).astype(np.uint8)
    if len(shape) == 3:
        images = np.repeat(images[..., None], 3, axis=3)
    points = models.face_points(SIDE) + rng.normal(0, 1, (n, 68, 2))
    return Source(images, points.astype(np.float32), np.ones(n, dtype=bool))


def recipe(augmentation: Augmentation = STILL, hiding: Hiding | None = None) -> Recipe:
    return Recipe(
        name="tiny",
        task="labels",
        side=SIDE,
        augmentation=augmentation,
        hiding=hiding or Hiding(),
    )


def view(viewer: Viewer, faces: Faces, epoch: int = 0) -> View:
    images, states = viewer.hide(faces, epoch)
    return viewer.view(faces, epoch, images, states, torch.Generator().manual_seed(5 + epoch))


@pytest.mark.parametrize(
    ("task", "side", "expected", "points"),
    [
        ("expression", 48, [-0.77745, 0.6378, 0.04538, 0.92451], 43227.2),
        ("landmarks", 40, [0.06245, 0.942, -0.1039, -1.23755], 35886.67),
    ],
)
def test_the_views_of_the_shipped_models_are_what_they_were(
    task: str, side: int, expected: list[float], points: float
) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, SIDE, SIDE), dtype=np.uint8)
    near = [models.face_points(SIDE) + rng.normal(0, 1, (68, 2)) for _ in range(12)]
    made = Source(images, np.stack(near).astype(np.float32), np.arange(12) % 4 != 0)
    shares: dict[str, Any] = dict.fromkeys(set(hiding.SHAPES) - {"half"}, 0.2)
    settings = Recipe(
        name="x",
        task=task,
        side=side,
        seed=3,
        augmentation=Augmentation(
            align_share=0.4, noise_share=0.3, wide_share=0.2, wide_degrees=40.0
        ),
        hiding=replace(Hiding(half=0.1), **shares),
    )
    for _ in range(3 if task == "landmarks" else 0):
        rng.permutation(12)
    rng.permutation(12)
    faces = rng.permutation(12)
    viewer = Viewer(made, settings)
    hidden, states = viewer.hide(faces, 1)
    counts = (hidden.sum(), np.nansum(states), np.isnan(states).sum())
    assert list(map(int, counts)) == [3707696, 8, 5]
    found = viewer.view(faces, 1, hidden, states, torch.Generator().manual_seed(6))
    np.testing.assert_allclose(found.images[3, 0, 20, ::12].numpy(), expected, atol=1e-4)
    assert found.points_xy.sum() == pytest.approx(points, abs=0.1)


@pytest.mark.parametrize("name", ["B", "C", "D", "E"])
def test_a_set_shows_what_its_table_would(name: str) -> None:
    made = source(6)
    labels = np.array([1, 5, 5, 0, 4, 1])
    empty = np.full(6, "")
    table = FaceTable(
        images=made.images,
        labels=labels,
        expressions=EXPRESSIONS_7,
        points_xy=made.points_xy,
        subject=empty,
        sequence=empty,
        source_id=np.array([f"face-{row}" for row in range(6)]),
        split=empty,
    )
    expected = augmented.augmented(table, name)
    copies = sampling.copies(labels, EXPRESSIONS_7, name)
    viewer = Viewer(replace(made, copies=copies), recipe(), LEVELS)
    found = view(viewer, np.arange(len(viewer.source)))
    assert len(found.images) == len(expected)
    np.testing.assert_allclose(found.images[:, 0].numpy(), expected.images, atol=5)
    assert expected.points_xy is not None
    np.testing.assert_allclose(found.points_xy, expected.points_xy, atol=0.01)


def test_a_set_hides_a_face_before_it_turns_it() -> None:
    made = source(4)
    copies = sampling.copies(np.full(4, 5), EXPRESSIONS_7, "C")
    viewer = Viewer(replace(made, copies=copies), recipe(hiding=Hiding(eyes=1.0)), LEVELS)
    found = view(viewer, np.arange(4, 8))
    images, _ = viewer.hide(np.arange(4, 8), 0)
    np.testing.assert_allclose(found.images[:, 0].numpy(), images[:, :, ::-1], atol=0.1)
    np.testing.assert_array_equal(found.hidden, np.tile([1.0, 0.0], (4, 1)))


def test_a_number_beyond_the_set_is_the_same_face_seen_otherwise() -> None:
    viewer = Viewer(source(4), recipe(Augmentation(noise_share=0.0)), LEVELS)
    np.testing.assert_array_equal(viewer.source.originals(np.array([1, 5, 9])), [1, 1, 1])
    once, again = view(viewer, np.array([1, 5])).images
    assert not torch.allclose(once, again, atol=5)


@pytest.mark.parametrize("normalize", ["none", "unit", "symmetric", "per-image", "data-set"])
@pytest.mark.parametrize("colour", ["grey", "rgb"])
def test_views_are_normalised_as_a_prediction_is(normalize: str, colour: str) -> None:
    channels = 1 if colour == "grey" else 3
    levels: dict[str, Any] = {"mean": (100.0,) * channels, "std": (40.0,) * channels}
    steps = Preparation(
        (SIDE, SIDE),
        colour=colour,
        normalize=normalize,
        **(levels if normalize == "data-set" else {}),
    )
    made = source(3, (SIDE, SIDE) if colour == "grey" else (SIDE, SIDE, 3))
    expected = steps.normalized(made.images)
    np.testing.assert_allclose(plain_view(made.images, SIDE, steps), expected, atol=1e-5)
    still = view(Viewer(made, recipe(), steps), np.arange(3))
    np.testing.assert_allclose(still.images, expected, atol=0.05, rtol=1e-3)


def test_small_grey_faces_are_enlarged_and_coloured_as_the_file_says() -> None:
    made = source(3)
    steps = Preparation(
        (120, 120), crop="whole", colour="rgb", normalize="unit", interpolation="bilinear"
    )
    expected = steps.normalized(np.stack([steps.whole(image) for image in made.images]))
    found = plain_view(made.images, 120, steps)
    np.testing.assert_allclose(found, expected, atol=1.5 / 255)
    shown = view(Viewer(made, replace(recipe(), side=120), steps), np.arange(3))
    np.testing.assert_allclose(shown.images, expected, atol=1.5 / 255)


def test_mixed_faces_name_their_partner_and_their_share() -> None:
    made, mixing = source(6), replace(STILL, mixup=0.4, mixup_share=0.7)
    faces = np.array([4, 0, 3, 5, 1, 2])
    alone = view(Viewer(made, recipe(), LEVELS), np.arange(6)).images
    found = view(Viewer(made, recipe(mixing), LEVELS), faces)
    assert found.partner is not None and found.share is not None
    assert (found.share >= 0.5).all() and (found.share < 1).any()
    share = torch.from_numpy(found.share)[:, None, None, None]
    expected = alone[faces] * share + alone[found.partner] * (1 - share)
    torch.testing.assert_close(found.images, expected, atol=1e-3, rtol=0)


def test_only_faces_with_labels_can_be_mixed() -> None:
    with pytest.raises(UsageError, match="for the task labels"):
        Viewer(source(2), replace(recipe(replace(STILL, mixup=0.2)), task="expression"))


def test_a_square_is_cut_out_of_the_chosen_faces() -> None:
    made = source(40)
    plain = view(Viewer(made, recipe(), LEVELS), np.arange(40)).images
    cutting = replace(STILL, cutout_share=0.5, cutout=0.25)
    found = view(Viewer(made, recipe(cutting), LEVELS), np.arange(40)).images
    changed = (found != plain)[:, 0]
    chosen = changed.flatten(1).any(1)
    assert 10 < chosen.sum() < 30
    for row in torch.nonzero(chosen)[:, 0].tolist():
        rows, columns = torch.nonzero(changed[row]).T
        assert (rows.max() - rows.min()).item() <= 12 and (columns.max() - columns.min()) <= 12
        levels = found[row, 0][changed[row]]
        torch.testing.assert_close(levels, plain[row].mean().expand_as(levels), atol=0.01, rtol=0)


def test_nothing_is_drawn_where_nothing_hides() -> None:
    made = Source(np.zeros((2, 8, 8), np.uint8), np.full((2, 68, 2), np.nan), np.zeros(2, bool))
    images, states = Viewer(made, replace(recipe(), side=8)).hide(np.array([1, 0]), 0)
    assert not images.any() and not states.any()
