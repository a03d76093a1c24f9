"""Errors a user can cause: one family, an exit code each."""

import pytest

from mien import errors

CODES = {
    "MienError": 1,
    "UsageError": 2,
    "InputError": 3,
    "DataError": 4,
    "ModelError": 5,
    "OutputError": 6,
    "MissingExtraError": 7,
}


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_each_error_has_its_own_exit_code(name: str, code: int) -> None:
    assert getattr(errors, name).exit_code == code
    assert issubclass(getattr(errors, name), errors.MienError)


def test_the_table_above_is_complete() -> None:
    family = {errors.MienError, *errors.MienError.__subclasses__()}
    own = {error.__name__ for error in family if error.__module__ == errors.__name__}
    assert own == set(CODES)


def test_a_missing_extra_says_how_to_install_it() -> None:
    error = errors.MissingExtraError("training", "PyTorch", "train")
    assert (
        str(error) == "training needs PyTorch: pip install 'mien[train]' (in a clone: '.[train]')"
    )
    either = str(errors.MissingExtraError("tracking", "SciPy", "video", "serve"))
    assert "pip install 'mien[video]' or 'mien[serve]' (in a clone: '.[video]' or" in either


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sunglass", "unknown occluder 'sunglass'; did you mean 'sunglasses'? (eyes, sunglasses)"),
        ("qqq", "unknown occluder 'qqq'; expected one of (eyes, sunglasses)"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(name: str, message: str) -> None:
    assert errors.unknown_name("occluder", name, ["sunglasses", "eyes"]) == message


def test_an_unknown_name_where_none_is_known_is_not_answered_with_an_empty_list() -> None:
    assert errors.unknown_name("added model", "x", []) == "unknown added model 'x'; there is none"
