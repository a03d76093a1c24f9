"""The real data sets, read once."""

from pathlib import Path

import pytest

from mien.data.readers.ferplus import read_ferplus
from mien.data.table import FaceTable


@pytest.fixture(scope="session")
def real_new(mien_data: Path) -> FaceTable:
    return read_ferplus(mien_data, "new")


@pytest.fixture(scope="session")
def real_official(mien_data: Path) -> FaceTable:
    return read_ferplus(mien_data)
