"""Images of which rows are picked and cut without reading them."""

from pathlib import Path

import numpy as np
import pytest

from mien.data import picked
from mien.data.picked import Picked


def test_rows_are_those_of_an_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picked, "AT_ONCE", 2)
    np.save(tmp_path / "images.npy", np.arange(7 * 6, dtype=np.uint8).reshape(7, 2, 3))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    some = Picked(images).pick(np.array([5, 1, 1, 6, 0])).pick(slice(1, None))
    expected = images[[1, 1, 6, 0]]
    assert (some.shape, some.ndim, len(some), some.nbytes) == ((4, 2, 3), 3, 4, 24)
    for index in (2, -1, slice(1, 3), np.array([3, 0]), expected[:, 0, 0] > 5, slice(0, 0)):
        np.testing.assert_array_equal(some[index], expected[index])
    np.testing.assert_array_equal(np.asarray(some), expected)
    np.testing.assert_array_equal(np.stack(list(some)), expected)
    cut = some.through(lambda image: image[:, :2] + 1, (2, 2)).pick(np.array([True, False] * 2))
    np.testing.assert_array_equal(np.asarray(cut), expected[::2, :, :2] + 1)
    assert cut[:0].shape == (0, 2, 2)


def test_a_container_has_less_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picked, "LIMIT", tmp_path / "memory.max")
    whole = picked.memory_bytes()
    for text, found in (("max\n", whole), ("1000\n", 1000)):
        (tmp_path / "memory.max").write_text(text)
        assert picked.memory_bytes() == found
