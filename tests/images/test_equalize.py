import numpy as np
import pytest

from mien.images import equalize


@pytest.fixture
def pattern():
    y, x = np.mgrid[:16, :16]
    return ((x * x * 3 + y * 11 + x * y) % 97 + 40).astype(np.uint8)


def test_histogram_gives_what_opencv_gives(pattern):
    # Row 5 of cv2.equalizeHist (OpenCV 5.0).
    expected = [147, 167, 206, 0, 69, 156, 255, 114, 249, 138, 47, 222, 164, 121, 90, 77]
    assert equalize.histogram(pattern)[5].tolist() == expected


def test_clahe_gives_what_opencv_gives(pattern):
    # Rows 5 and 12 of cv2.createCLAHE(2.0, (8, 8)).apply (OpenCV 5.0).
    expected = [
        [191, 255, 223, 64, 96, 255, 255, 128, 223, 128, 32, 191, 160, 191, 160, 191],
        [128, 223, 223, 32, 80, 223, 64, 191, 80, 255, 191, 160, 112, 64, 48, 96],
    ]
    assert equalize.clahe(pattern)[[5, 12]].tolist() == expected


def test_a_flat_image_stays_flat():
    flat = np.full((48, 48), 7, np.uint8)
    assert np.array_equal(equalize.histogram(flat), flat)
    assert equalize.clahe(flat).std() == 0


@pytest.mark.parametrize("shape", [(1, 1), (13, 50), (3, 9)])
def test_clahe_takes_sizes_that_tiles_do_not_divide(shape, rng):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    assert equalize.clahe(image).shape == shape
