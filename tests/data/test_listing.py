from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import images
from mien.data.listing import Listing
from mien.errors import DataError


def listing(**changes: Any) -> Listing:
    fields: dict[str, Any] = {
        "paths": np.array(["a.png", "b.png", "c.png"]),
        "labels": np.array([1, 0, -1]),
        "expressions": ("fear", "neutral"),
        "subject": np.array(["KA", "KA", "TM"]),
        "sequence": np.full(3, ""),
        "source_id": np.array(["1", "2", "3"]),
        "split": np.full(3, ""),
    }
    return Listing(**{**fields, **changes})


def test_selecting_is_indexing() -> None:
    part = listing()[listing().subject == "KA"]
    assert part.paths.tolist() == ["a.png", "b.png"]
    assert part.labels.tolist() == [1, 0]


def test_a_photograph_is_read_as_far_as_its_box_goes(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)
    images.write(tmp_path / "a.png", image)
    boxes = np.array([[10, 20, 29, 59], [np.nan] * 4, [0, 0, 1, 1]])
    rows = listing(paths=np.full(3, str(tmp_path / "a.png")), box_xyxy=boxes)
    np.testing.assert_array_equal(rows.read(0, least_side=30), image[20:60, 10:30])
    np.testing.assert_array_equal(rows.read(1), image)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="paths must be text of shape"):
        listing(paths=np.array(["a.png"]))
    with pytest.raises(DataError, match="label 2"):
        listing(labels=np.array([0, 1, 2]))
