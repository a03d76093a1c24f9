"""The training command: what it hands on, and how it ends."""

import dataclasses
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSource:
    """As the real one names what it is given."""

    root: Path | None
    table: Path | None = None
    options: dict[str, str] = dataclasses.field(default_factory=dict)
    points_file: Path | None = None
    fold: int | str = "0"
    splits: Path | None = None


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Put a training in place that only notes what it is called with."""
    pytest.importorskip("torch")
    calls: list[dict[str, Any]] = []

    def noting(name: str) -> Callable[..., Path]:
        def run(recipe: Any, source: DataSource, out: Path, **named: Any) -> Path:
            calls.append({"by": name, "recipe": recipe, "source": source, "out": out, **named})
            return out / "model.onnx"

        return run

    for module, names in (
        ("run", {"run": noting("run")}),
        ("jobs", {"train_all": noting("train_all"), "PLAN": "plan.json"}),
        ("material", {"DataSource": DataSource}),
    ):
        made = types.ModuleType(f"mien.training.{module}")
        vars(made).update(names)
        monkeypatch.setitem(sys.modules, made.__name__, made)
    monkeypatch.delenv("MIEN_DATA", raising=False)
    yield calls


def test_a_recipe_is_run_and_the_model_named(training: list[Any], mien: Callable) -> None:
    recipe = ROOT / "recipes" / "landmarks.toml"
    done = mien("train", recipe, "--data", "data", "--out", "here", "--quiet")
    assert done[:2] == (0, "here/model.onnx\n")
    (call,) = training
    assert call["by"] == "run" and call["quiet"] and call["device"] == "cpu"
    assert (call["recipe"].name, call["recipe"].epochs) == ("landmarks", 30)
    assert call["source"] == DataSource(root=Path("data"))
    assert call["trackers"] == [] and call["save_predictions"] is False


def test_a_recipe_that_ships_is_found_by_its_name(training: list[Any], mien: Callable) -> None:
    assert mien("train", "expression", "--data", "data").code == 0
    assert training[0]["recipe"].name == "expression"
    assert training[0]["out"] == Path("runs/expression")


def test_fewer_epochs_than_the_restart_are_trained_without_one(
    training: list[Any], mien: Callable
) -> None:
    done = mien("train", "expression", "--data", "data", "--epochs", "3")
    assert done.code == 0
    assert "optimizer.restart_epoch 100 is left out" in done.err
    recipe = training[0]["recipe"]
    assert (recipe.epochs, recipe.optimizer.restart_epoch) == (3, 0)
    assert mien("train", "expression", "--data", "data", "--epochs", "3", "--quiet").err == ""


def test_options_replace_the_recipes_settings(training: list[Any], mien: Callable) -> None:
    words = ("--epochs", "3", "--seed", "7", "--batch-size", "9", "--momentum", "0.5")
    more = ("--learning-rate", "1", "--set", "optimizer.weight_decay=1e-4", "--set", "side=40")
    given = ("--set", "network.widths=8,16", "--set", "network.blocks=[1, 1]", "--start", "a.x")
    assert mien("train", "landmarks", "--data", "d", *words, *more, *given).code == 0
    recipe = training[0]["recipe"]
    optimizer = recipe.optimizer
    assert (recipe.epochs, recipe.seed, recipe.batch_size, recipe.start) == (3, 7, 9, "a.x")
    assert (optimizer.momentum, optimizer.learning_rate, optimizer.weight_decay) == (0.5, 1.0, 1e-4)
    assert recipe.side == 40
    assert (recipe.network.widths, recipe.network.blocks) == ((8, 16), (1, 1))
    assert recipe.losses.points == 10.0


def test_names_in_a_list_need_no_quotes(training: list[Any], mien: Callable) -> None:
    for text in ("anger, fear", '["anger", "fear"]'):
        mien("train", "--table", "t", "--set", f"data.expressions={text}")
    assert [call["recipe"].data.expressions for call in training] == [("anger", "fear")] * 2


def test_options_alone_make_a_recipe(training: list[Any], mien: Callable) -> None:
    done = mien("train", "--dataset", "fer2013", "--data", "d", "--network", "multi5", "--out", "a")
    assert done.code == 0
    call = training[0]
    assert (call["recipe"].name, call["recipe"].task) == ("a", "labels")
    assert (call["recipe"].network.name, call["recipe"].data.dataset) == ("multi5", "fer2013")


def test_without_a_folder_the_run_is_called_as_its_network(
    training: list[Any], mien: Callable
) -> None:
    mien("train", "--table", "t", "--network", "torchvision:resnet18", "--pretrained")
    call = training[0]
    assert call["out"] == Path("runs/torchvision-resnet18")
    assert call["recipe"].network.pretrained
    assert call["source"] == DataSource(root=None, table=Path("t"))


def test_a_network_without_a_recipe_gets_its_own_side(training: list[Any], mien: Callable) -> None:
    for name in ("jaffe", "small", "vgg19"):
        mien("train", "--table", "t", "--network", name)
    mien("train", "--table", "t", "--network", "jaffe", "--set", "side=64")
    assert [call["recipe"].side for call in training] == [128, 48, 48, 64]


def test_augmentation_is_switched_off_and_on(training: list[Any], mien: Callable) -> None:
    base = ("train", "--table", "t", "--set", "data.set=E")
    for word in ("--no-augment", "--augment"):
        assert mien(*base, word, "--set", "augmentation.noise=3").code == 0
    off, on = (call["recipe"] for call in training)
    kept = {n: v for n, v in dataclasses.asdict(off.augmentation).items() if n != "noise"}
    assert not any(value for value in kept.values() if isinstance(value, float))
    assert off.augmentation.noise == on.augmentation.noise == 3
    assert off.data.set == "E"
    assert on.augmentation.flip == 0.5


def test_many_folds_and_seeds_are_one_job(training: list[Any], mien: Callable) -> None:
    words = ("--dataset", "jaffe", "--data", "d", "--folds", "10", "--seeds", "3")
    assert mien("train", *words, "--group", "subject").code == 0
    assert mien("train", *words, "--group", "none").code == 0
    first, second = training
    assert (first["by"], first["folds"], first["seeds"]) == ("train_all", 10, 3)
    assert first["recipe"].data.folds == 10
    assert first["recipe"].data.protocol == "by-subject"
    assert second["recipe"].data.protocol == "random-images"


def test_one_fold_is_taken_of_given_splits(training: list[Any], mien: Callable) -> None:
    words = ("--table", "t", "--splits", "s.json", "--fold", "2", "--option", "rule=argmax")
    assert mien("train", *words).code == 0
    source = training[0]["source"]
    assert (source.splits, source.fold) == (Path("s.json"), "2")
    assert source.options == {"rule": "argmax"}


def test_what_watches_and_what_is_kept_is_handed_on(training: list[Any], mien: Callable) -> None:
    mien("train", "--table", "t", "--tensorboard", "--mlflow", "--save-predictions")
    call = training[0]
    assert call["trackers"] == ["tensorboard", "mlflow"] and call["save_predictions"]


def test_data_is_found_by_the_variable(
    training: list[Any], mien: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_DATA", "/somewhere")
    mien("train", "landmarks")
    assert training[0]["source"].root == Path("/somewhere")


ALL = ["--table", "t", "--set", "data.protocol=all", "--set", "selection.metric=last"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["landmarks"], "--data"),
        (["landmark", "--data", "d"], "did you mean 'landmarks'"),
        (["a/none.toml", "--data", "d"], "no recipe at"),
        (["--data", "d"], "--dataset"),
        (["landmarks", "--data", "d", "--dataset", "jaffe"], "leave --dataset"),
        (["landmarks", "--data", "d", "--set", "epoch=3"], "did you mean 'epochs'"),
        (
            ["landmarks", "--data", "d", "--set", "weight_decay=3"],
            "did you mean 'optimizer.weight_decay'",
        ),
        (
            ["landmarks", "--data", "d", "--set", "optimiser.clip=3"],
            "did you mean 'optimizer.clip'",
        ),
        (["landmarks", "--data", "d", "--set", "epochs"], "--set NAME=VALUE"),
        (["landmarks", "--data", "d", "--set", "epochs=many"], "epochs must be int, got 'many'"),
        (["landmarks", "--data", "d", "--set", "optimizer.kind=sdg"], "must be one of"),
        (["landmarks", "--data", "d", "--device", "gpu"], "expected cpu, cuda"),
        (["landmarks", "--data", "d", "--resume", "--out", "none"], "no run in none"),
        (["landmarks", "--data", "d", "--resume", "--out", "."], "no run in . to resume"),
        (["--table", "t", "--seeds", "2", "--resume", "--out", "."], "no run in . to resume"),
        (["landmarks", "--data", "d", "--splits", "s", "--fold", "1"], "--splits and --fold out"),
        (["expression", "--data", "d", "--option", "a=b"], "leave --option out"),
        (["expression", "--data", "d", "--set", "data.set=E"], "leave the settings data.* out"),
        (["expression", "--data", "d", "--save-predictions"], "leave --save-predictions out"),
        (["--table", "t", "--network", "small", "--set", "network.pool=2"], "of the network resid"),
        (["--table", "t", "--pretrained"], "needs a network of torchvision or timm, got 'base'"),
        (
            ["--table", "t", "--set", "data.protocol=all"],
            "no face to choose an epoch by acc",
        ),
        ([*ALL, "--seeds", "2"], "data.protocol all has no folds"),
        ([*ALL, "--save-predictions"], "tests no faces"),
        ([*ALL, "--set", "selection.patience=2"], "follow a figure"),
        ([*ALL, "--set", "optimizer.schedule=plateau"], "follow a figure"),
        (["--table", "t", "--seed", "-1"], "seed must be from 0"),
        (["--table", "t", "--momentum", "-1"], "momentum must be from 0"),
        (["--table", "t", "--device", "cuda:-1"], "unknown device 'cuda:-1'"),
        (["landmarks", "--data", "d", "--group", "subject"], "with --folds"),
        (["landmarks", "--data", "d", "--folds", "5", "--group", "people"], "subject or none"),
        (["landmarks", "--data", "d", "--folds", "1"], "--folds"),
        (["landmarks", "--data", "d", "--folds", "5"], "has no folds"),
        (["expression", "--data", "d", "--seeds", "2"], "use --seed and one --out folder each"),
        (["--table", "t", "--folds", "5", "--fold", "0"], "leave --fold 0 out"),
        (["landmarks", "--data", "d", "--learning-rat", "1"], "--learning-rate"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_work(
    words: list[str], message: str, training: list[Any], mien: Callable
) -> None:
    done = mien("train", *words)
    assert done.code == 2 and message in done.err
    assert not training


def test_cuda_that_is_not_there_is_named(
    training: list[Any], mien: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = mien("train", "landmarks", "--data", "d", "--device", "cuda")
    assert done.code == 2 and "finds no CUDA" in done.err
    assert mien("train", "landmarks", "--data", "d", "--device", "auto").code == 0
    assert training[0]["device"] == "cpu"


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        ("torch", ["train", "a.toml", "--data", "data"]),
        ("safetensors", ["train", "a.toml", "--data", "data"]),
        ("torch", ["export", "runs/a", "--data", "data", "--out", "a.onnx"]),
        ("torch", ["distill", "a.onnx", "--data", "data", "--out", "a.npz"]),
    ],
)
def test_without_its_extra_training_says_how_to_install_it(
    absent: str, words: list[str], fresh_python: Callable[[str], str]
) -> None:
    code = f"""
import contextlib, sys
sys.modules[{absent!r}] = None
from mien.cli import main
with contextlib.redirect_stderr(sys.stdout):
    print(main({words!r}))
"""
    said = "error: training needs PyTorch: pip install 'mien[train]' (in a clone: '.[train]')\n7\n"
    assert fresh_python(code) == said


def test_every_option_that_is_a_setting_is_one() -> None:
    pytest.importorskip("torch")
    from mien.cli import _recipe

    assert {*_recipe.FLAGS.values(), *_recipe.USUAL} <= set(_recipe.kinds())
