"""The public names: few, listed once, and all there."""

import types

import mien


def test_every_listed_name_is_there_and_nothing_else_is() -> None:
    there = {
        name
        for name, value in vars(mien).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert there | {"__version__"} == set(mien.__all__)


def test_the_list_is_short() -> None:
    assert len(mien.__all__) <= 15
