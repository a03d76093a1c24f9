"""`mien networks`: the architectures that can be trained, and what is in one."""

from collections.abc import Callable

from mien.cli.networks.list import list as list_networks
from mien.cli.networks.show import show

EXAMPLES: dict[Callable[..., None], str] = {
    list_networks: """
        mien networks list
        mien networks list --format json""",
    show: """
        mien networks show multi8
        mien networks show base --side 64 --classes 8 --svg base.svg
        mien networks show timm:convnext_atto --format json""",
}
"""The commands of the group, each with the examples of its help."""
