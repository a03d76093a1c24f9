import numpy as np
import pytest

import models
from mien.errors import UsageError
from mien.occlusion import names
from mien.training import hiding
from mien.training.hiding import Hiding

POINTS = models.face_points(48)


@pytest.mark.parametrize("shape", sorted(hiding.SHAPES))
def test_only_covered_pixels_change(shape: str, rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (48, 48), dtype=np.uint8)
    covered = 0
    for _ in range(20):
        hidden, cover = hiding.hide(image, POINTS, shape, rng)
        assert hidden.dtype == np.uint8
        np.testing.assert_array_equal(hidden[~cover], image[~cover])
        covered += int((hidden != image).sum())
    assert covered > 20


@pytest.mark.parametrize("shape", sorted(hiding.SHAPES))
def test_nothing_shines_through(shape: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    for seed in range(20):
        drawn, cover = hiding.hide(image, POINTS, shape, np.random.default_rng(seed))
        other, _ = hiding.hide(image[::-1], POINTS, shape, np.random.default_rng(seed))
        np.testing.assert_array_equal(drawn[cover], other[cover])


def test_bars_hide_the_eyes_and_masks_the_mouth(rng: np.random.Generator) -> None:
    image = np.zeros((48, 48), dtype=np.uint8)
    for shape, expected in (("eyes", [1, 0]), ("mouth", [0, 1]), ("mask", [0, 1])):
        covers = [hiding.hide(image, POINTS, shape, rng)[1] for _ in range(20)]
        states = np.array([hiding.region_states(cover, POINTS) for cover in covers])
        assert (states == expected).all(1).mean() >= 0.8, shape


def test_rims_of_glasses_hide_nothing(rng: np.random.Generator) -> None:
    image = np.full((48, 48), 128, dtype=np.uint8)
    for settings in (Hiding(glasses=1.0), Hiding(occluders=("glasses",), realistic=1.0)):
        states = [hiding.hide_at_random(image, POINTS, settings, rng)[1] for _ in range(5)]
        np.testing.assert_array_equal(states, np.zeros((5, 2)))


def test_a_half_covered_region_is_neither_hidden_nor_visible() -> None:
    cover = np.zeros((48, 48), dtype=bool)
    eyes = POINTS[36:48]
    cover[:, : int(np.median(eyes[:, 0]))] = True
    assert np.isnan(hiding.region_states(cover, POINTS)[0])


def test_the_share_of_hidden_faces_follows_the_settings(rng: np.random.Generator) -> None:
    image = np.zeros((48, 48), dtype=np.uint8)
    settings = Hiding(eyes=0.3)
    changed = [hiding.hide_at_random(image, POINTS, settings, rng)[0].any() for _ in range(400)]
    assert 0.2 < np.mean(changed) < 0.4


@pytest.mark.parametrize("shape", sorted(hiding.SHAPES))
def test_faces_in_colour_are_hidden_alike(shape: str, rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
    hidden, cover = hiding.hide(image, POINTS, shape, rng)
    assert hidden.shape == image.shape and cover.shape == (48, 48)
    np.testing.assert_array_equal(hidden[~cover], image[~cover])


@pytest.mark.parametrize("colours", [(), (3,)])
def test_named_occluders_are_drawn_on_their_shares(colours: tuple[int, ...]) -> None:
    image = np.full((48, 48, *colours), 128, np.uint8)
    specs = ("eyes", "mouth", "n95", "hand+sunglasses")
    settings = Hiding(occluders=specs, flat=0.3, realistic=0.3)
    assert settings.named("flat") == ("eyes", "mouth")
    assert settings.named("realistic") == ("n95", "hand+sunglasses")
    changed, states = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        drawn, state = hiding.hide_at_random(image, POINTS, settings, rng)
        changed.append((drawn != image).any())
        states.append(state)
    assert 0.4 < np.mean(changed) < 0.62
    assert (np.nansum(states, axis=0) > 20).all()


def test_every_realistic_occluder_can_be_drawn() -> None:
    image = np.full((48, 48), 128, np.uint8)
    for name in names("realistic"):
        settings = Hiding(occluders=(name,), realistic=1.0)
        drawn, _ = hiding.hide_at_random(image, POINTS, settings, np.random.default_rng(0))
        assert (drawn != image).any(), name


def test_a_share_without_an_occluder_of_its_kind_is_refused() -> None:
    with pytest.raises(UsageError, match=r"hiding\.realistic.*names none that is realistic"):
        Hiding(occluders=("eyes",), flat=0.1, realistic=0.1)
    with pytest.raises(UsageError, match=r"hiding\.mask must be a share from 0 to 1, got 2"):
        Hiding(mask=2)
    with pytest.raises(UsageError, match="needs a share"):
        Hiding(occluders=("eyes",))
    with pytest.raises(UsageError, match="unknown occluder 'eye'"):
        Hiding(occluders=("eye",), flat=0.1)
