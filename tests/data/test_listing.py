from typing import Any

import numpy as np
import pytest

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


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="paths must be text of shape"):
        listing(paths=np.array(["a.png"]))
    with pytest.raises(DataError, match="label 2"):
        listing(labels=np.array([0, 1, 2]))
