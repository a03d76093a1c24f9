from pathlib import Path

import pytest

from mien.errors import UsageError
from mien.training.recipe import lost_restart, read_recipe

RECIPES = Path(__file__).parents[2] / "recipes"
LEAST = 'name = "tiny"\ntask = "expression"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_read(path: Path) -> None:
    assert read_recipe(path).name == path.stem.removesuffix("-second")


def test_overrides_replace_what_the_file_says_and_none_does_not(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST + "epochs = 9\nseed = 4\n")
    recipe = read_recipe(path, epochs=2, seed=None)
    assert (recipe.epochs, recipe.seed) == (2, 4)


def test_the_hash_follows_the_settings(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST)
    assert read_recipe(path).sha256() == read_recipe(path).sha256()
    assert read_recipe(path).sha256() != read_recipe(path, seed=2).sha256()


def test_a_setting_that_says_what_holds_anyway_leaves_the_hash(tmp_path: Path) -> None:
    plain = read_recipe(write(tmp_path, LEAST)).sha256()
    stated = LEAST + "quantize = false\n[hiding]\nmask = 0.0\n"
    assert read_recipe(write(tmp_path, stated)).sha256() == plain
    changed = LEAST + "[hiding]\nmask = 0.1\n"
    assert read_recipe(write(tmp_path, changed)).sha256() != plain


def test_a_restart_beyond_the_epochs_asked_for_is_left_out_and_told(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST + "epochs = 9\n[optimizer]\nrestart_epoch = 4\n")
    short, long = read_recipe(path, epochs=4), read_recipe(path, epochs=5)
    assert (short.epochs, short.optimizer.restart_epoch) == (4, 0)
    assert long.optimizer.restart_epoch == read_recipe(path).optimizer.restart_epoch == 4
    told = lost_restart(path, short)
    assert told == (
        "tiny: optimizer.restart_epoch 4 is left out, for there are 4 epochs; the rate falls once"
    )
    assert lost_restart(path, long) is None
    with pytest.raises(UsageError, match=r"last epoch, 3, got 4; set an earlier one, or 0"):
        read_recipe(path, **{"epochs": 3, "optimizer.restart_epoch": 4})


def test_whether_a_network_is_compiled_leaves_the_hash(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST)
    quicker = read_recipe(path, compile=True)
    assert quicker.compile and quicker.sha256() == read_recipe(path).sha256()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LEAST + "epoch = 3\n", "did you mean 'epochs'"),
        (LEAST + "[optimizer]\nlearning_rat = 1\n", "did you mean 'learning_rate'"),
        (LEAST + 'epochs = "5"\n', "epochs must be int, got '5'"),
        (LEAST + "epochs = true\n", "epochs must be int, got True"),
        (LEAST + "epochs = 0\n", "epochs must be at least 1"),
        (LEAST + "[network]\nwidths = 3\n", "widths must be a list"),
        (LEAST + "[network]\nwidths = [8]\nblocks = [1, 1]\n", "the same length"),
        (LEAST + "network = 3\n", "network must be a table"),
        (LEAST + '[data]\nnormalize = "zero"\n', "normalize must be one of none, unit, .* 'zero'"),
        (
            LEAST + '[data]\nnormalize = "none"\n[network]\nname = "resnet18"\npretrained = true\n',
            "leave out data.normalize",
        ),
        (
            LEAST + '[data]\nprotocol = "all"\n[selection]\nmetric = "last"\n',
            "'expression' has parts of its own",
        ),
        (LEAST + "epochs = 4\n[optimizer]\nrestart_epoch = 4\n", "before the last epoch"),
        (
            LEAST + '[optimizer]\nrestart_epoch = 4\nschedule = "cosine"\n',
            "for the schedule one-cycle",
        ),
        (LEAST + 'precision = "float16"\n[optimizer]\nkind = "sam"\n', "take bfloat16"),
        (LEAST + 'start = "a"\nstart_share = 1.0\n', "start_share must be from 0 to below 1"),
        (LEAST + 'start = "a"\nstart_share = -0.1\n', "from 0 to below 1, got -0.1"),
        (LEAST + "start_share = nan\n", "from 0 to below 1, got nan"),
        (LEAST + "start_share = 0.5\n", "start_share 0.5 needs `start`"),
        (LEAST + "seed = -1\n", "seed must be from 0 to 4294967295, got -1"),
        (LEAST + "[distillation]\nweight = 1.5\n", r"weight must be from 0 to 1, got 1\.5"),
        (LEAST + "[distillation]\ntemperature = 0\n", r"temperature must be at least 0\.01"),
        (LEAST + "[optimizer]\nema = 1.5\n", "optimizer.ema must be from 0 to below 1"),
        (LEAST + "[optimizer]\nmomentum = -1\n", "momentum must be from 0 to below 1, got -1"),
        (LEAST + "[optimizer]\nweight_decay = -1\n", "weight_decay must be at least 0"),
        (LEAST + "[optimizer]\nsam_radius = -1\n", "sam_radius must be at least 0"),
        (LEAST + "[network]\ndropout = 2\n", "network.dropout must be from 0 to below 1"),
        (LEAST + "[network]\npool = 0\n", "network.pool must be at least 1"),
        (LEAST + "[network]\nstem_stride = 0\n", "network.stem_stride must be at least 1"),
        (LEAST + "[network]\nchannels = 2\n", "network.channels must be one of 1, 3, got 2"),
        (LEAST + "[network]\nwidths = []\nblocks = []\n", "numbers of at least 1"),
        (LEAST + "[network]\npretrained = true\n", "network.pretrained needs a network of torch"),
        (LEAST + "[network]\nfrozen = true\n", "frozen needs .* got 'residual'"),
        (LEAST + '[network]\nname = "tiny"\npool = 3\n', "pool is of the network residual"),
        (LEAST + 'precision = "fp8"\n', "precision must be one of"),
        ('name = "x"\ntask = "dance"\n', "task must be one of"),
        ('name = "x"\n', "'task' is missing"),
        ("name = \n", "cannot be read as TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_recipe(write(tmp_path, text))


def test_a_setting_of_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, LEAST + 'network = "small"\n')
    with pytest.raises(UsageError, match="network must be a table, got 'small'"):
        read_recipe(path, **{"network.channels": 3})


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no recipe at .*absent\.toml"):
        read_recipe(tmp_path / "absent.toml")
