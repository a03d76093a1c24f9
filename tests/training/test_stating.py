from pathlib import Path

import pytest

from mien.training.recipe import read_recipe
from mien.training.settings import DataSettings, NetworkSettings, Optimizer, Recipe
from mien.training.stating import differing, naming, toml, words

RECIPE = Recipe(
    name='a "quoted" näme',
    task="labels",
    precision="float32",
    mirror=True,
    data=DataSettings(dataset="ckplus", expressions=("fear", "anger")),
    network=NetworkSettings(widths=(8, 16), blocks=(1, 1)),
    optimizer=Optimizer(learning_rate=1e-5),
)


def test_only_what_differs_is_told() -> None:
    told = {name: (here, usual) for name, here, usual in differing(RECIPE)}
    assert told["optimizer.learning_rate"] == (1e-5, 0.12)
    assert told["task"] == ("labels", None)
    assert told["precision"] == ("float32", "bfloat16")
    assert "optimizer.momentum" not in told and "seed" not in told


@pytest.mark.parametrize("recipe", [RECIPE, Recipe(name="plain", task="expression")])
def test_a_recipe_is_read_back_from_what_is_told(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(toml(recipe), encoding="utf-8")
    assert read_recipe(path) == recipe


def test_values_are_words() -> None:
    assert words((1, "two", None)) == "1, two, "
    assert words({"torch": "2.13", "sides": [4, 8]}) == "torch 2.13, sides 4, 8"
    assert words(None) == "" and words(True) == "True"


def test_what_finds_the_faces_again_is_named_as_options() -> None:
    stated = {"table": "jaffe", "options": ["rule=argmax", "a=b c"], "points_file": "p.npz"}
    parted = {"splits_file": "s.json", "fold": "fold 2", "data_set": None}
    options = ' --table jaffe --option rule=argmax --option "a=b c" --points p.npz'
    assert naming({**stated, **parted}) == f'{options} --splits s.json --fold "fold 2"'
    assert naming({"data_set": "jaffe", "fold": "hold-out"}) == naming({}) == ""
