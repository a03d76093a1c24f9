import pytest

from mien.errors import UsageError
from mien.study.settings import PRESETS, checked, phrase, preset_named


@pytest.mark.parametrize("conditions", [[], [""], ["none"], [" "]])
def test_an_empty_list_of_conditions_is_refused(conditions: list[str]) -> None:
    with pytest.raises(UsageError, match="at least one condition that hides something"):
        checked(conditions)


def test_an_unknown_occluder_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'mouth'"):
        checked(["moth"])


def test_the_whole_face_comes_first_and_nothing_twice() -> None:
    assert checked(["mouth", "eyes", "none", "mouth"]) == ("none", "mouth", "eyes")


def test_presets_have_the_name_of_their_system_too() -> None:
    assert preset_named("system0") is PRESETS["eyes-or-mouth"]
    assert preset_named("masked-faces") is preset_named("system1")
    with pytest.raises(UsageError, match="did you mean 'system0'"):
        preset_named("sytem0")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("none", "showing the whole face"),
        ("eyes+mouth", "hiding the eyes and the mouth"),
        ("upper", "hiding the upper half"),
        ("eyes+surgical", "the occluder eyes+surgical"),
    ],
)
def test_a_condition_has_words(condition: str, words: str) -> None:
    assert phrase(condition) == words
