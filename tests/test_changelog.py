"""The changelog and the package agree on the version."""

import re
from pathlib import Path

import mien

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def test_the_newest_version_of_the_changelog_is_the_packages() -> None:
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", CHANGELOG.read_text("utf-8"), re.MULTILINE)
    assert versions[0] == mien.__version__
