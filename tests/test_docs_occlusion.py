"""What docs/occlusion.md says of the files of `mien occlude` is what they have."""

from pathlib import Path

import pytest

from mien.data.growing import COLUMNS, MANIFEST, REJECTED, SETTINGS
from mien.data.occluded import Hiding

TEXT = (Path(__file__).parents[1] / "docs" / "occlusion.md").read_text("utf-8")


@pytest.mark.parametrize("name", [MANIFEST, REJECTED, SETTINGS, *COLUMNS, "masks/OCCLUDER/NAME"])
def test_every_file_and_column_is_described(name: str) -> None:
    assert f"`{name}" in TEXT


def test_every_setting_is_described() -> None:
    for name in Hiding(("eyes",)).settings({"detector": "whole"}):
        assert f"`{name}`" in TEXT
