import numpy as np
import pytest

from mien.occlusion.patterns import KINDS, noise, pattern

X, Y = np.meshgrid(np.linspace(-3, 3, 80), np.linspace(-3, 3, 80))
TONES = ((10, 20, 30), (200, 180, 160), (90, 240, 60))


def test_noise_is_smooth_and_lies_between_minus_1_and_1() -> None:
    values = noise(np.random.default_rng(0))(X, Y)
    assert np.abs(values).max() <= 1 and values.std() > 0.2
    assert np.abs(np.diff(values, axis=1)).max() < 0.3
    np.testing.assert_array_equal(values, noise(np.random.default_rng(0))(X, Y))


@pytest.mark.parametrize("kind", KINDS)
def test_a_print_mixes_its_tones(kind: str) -> None:
    colours = pattern(np.random.default_rng(3), TONES, kinds=[kind])(X, Y)
    assert colours.shape == (80, 80, 3)
    assert (colours >= np.min(TONES, 0)).all() and (colours <= np.max(TONES, 0)).all()
    assert (len(np.unique(colours.reshape(-1, 3), axis=0)) > 1) == (kind != "plain")
