"""TensorBoard and MLflow as they are called, and what is said where they are not installed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mien.errors import UsageError
from mien.training.settings import Recipe
from mien.training.trackers import open_trackers

RECIPE = Recipe(name="tiny", task="labels")


class Calls:
    """An object whose every method keeps what it was called with."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self.made = [("", args, named)]

    def __getattr__(self, name: str) -> Any:
        def called(*args: Any, **named: Any) -> Any:
            self.made.append((name, args, named))
            return SimpleNamespace(info=SimpleNamespace(run_id="run-7"))

        return called

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [args for called, args, _ in self.made if called == name]


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls = Calls()
    module = ModuleType("mlflow")
    module.__getattr__ = calls.__getattr__  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "mlflow", module)
    return calls


@pytest.fixture
def tensorboard(monkeypatch: pytest.MonkeyPatch) -> list[Calls]:
    opened: list[Calls] = []

    def writer(**named: Any) -> Calls:
        opened.append(Calls(**named))
        return opened[-1]

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    return opened


def test_tensorboard_gets_a_number_a_figure_and_epoch(
    tmp_path: Path, tensorboard: list[Calls]
) -> None:
    (tracker,) = open_trackers(["tensorboard"], tmp_path, RECIPE)
    tracker.write(3, {"loss": 0.5, "accuracy": 0.75})
    tracker.close()
    (writer,) = tensorboard
    assert writer.made[0][2] == {"log_dir": str(tmp_path / "tensorboard")}
    assert writer.of("add_scalar") == [("loss", 0.5, 3), ("accuracy", 0.75, 3)]
    assert "optimizer.learning_rate = 0.12" in writer.of("add_text")[0][1]
    assert writer.of("close") == [()]


def test_mlflow_gets_the_recipe_and_the_figures(tmp_path: Path, mlflow: Calls) -> None:
    (tracker,) = open_trackers(["mlflow"], tmp_path, RECIPE)
    tracker.write(3, {"loss": 0.5})
    tracker.close()
    (settings,) = mlflow.of("log_params")[0]
    assert settings["name"] == "tiny" and settings["optimizer.learning_rate"] == 0.12
    assert ("log_metrics", ({"loss": 0.5},), {"step": 3}) in mlflow.made
    assert mlflow.of("end_run") == [()]


def test_a_run_that_goes_on_is_the_same_run_for_mlflow(tmp_path: Path, mlflow: Calls) -> None:
    for _ in range(2):
        open_trackers(["mlflow"], tmp_path, RECIPE)
    starts = [named for name, _, named in mlflow.made if name == "start_run"]
    assert starts == [{"run_name": "tiny"}, {"run_id": "run-7"}]
    assert len(mlflow.of("log_params")) == 1


@pytest.mark.parametrize("known", [False, True])
def test_what_mlflow_refuses_is_told(
    known: bool, tmp_path: Path, mlflow: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    if known:
        (tmp_path / "mlflow-run").write_text("run-7")

    def refuse(**_: Any) -> None:
        raise LookupError("Run with id=run-7 not found")

    made = sys.modules["mlflow"]
    monkeypatch.setattr(made, "start_run", refuse, raising=False)
    monkeypatch.setattr(
        made, "exceptions", SimpleNamespace(MlflowException=LookupError), raising=False
    )
    with pytest.raises(UsageError, match="not found; let MLFLOW_TRACKING_URI name") as found:
        open_trackers(["mlflow"], tmp_path, RECIPE)
    assert (f"remove {tmp_path / 'mlflow-run'}" in str(found.value)) is known


@pytest.mark.parametrize(
    ("name", "module"), [("tensorboard", "torch.utils.tensorboard"), ("mlflow", "mlflow")]
)
def test_a_tracker_that_is_not_installed_is_named(
    name: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=rf"--{name} needs the package {name}.*pip install {name}"):
        open_trackers([name], tmp_path, RECIPE)


def test_an_unknown_tracker_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'mlflow'"):
        open_trackers(["mlflo"], tmp_path, RECIPE)
