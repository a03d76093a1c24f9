"""`mien study`: experiments of many cells, and the reports they end in."""

from collections.abc import Callable

from mien.cli.study.importance import importance

EXAMPLES: dict[Callable[..., None], str] = {
    importance: """
        mien study importance --sweep --dataset ferplus --root data --out studies/ferplus
        mien study importance --sweep --preset system1 --dataset fer2013 --root data --out masks
        mien study importance --retrain --preset system0 --table tables/jaffe --out jaffe""",
}
"""The commands of the group, each with the examples of its help."""
