"""Programs that watch trainings: TensorBoard and MLflow, where they are asked for and installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mien.errors import UsageError, unknown_name

if TYPE_CHECKING:  # reading a log needs no PyTorch
    from mien.training.settings import Recipe

RUN_ID = "mlflow-run"  # file that lets a training that goes on find its run again


class Tracker(Protocol):
    """What is told of each epoch."""

    name: str

    def write(self, epoch: int, figures: Mapping[str, float]) -> None: ...
    def close(self) -> None: ...


class TensorBoard:
    """Writes the events that `tensorboard --logdir` shows into the folder `tensorboard`."""

    name = "tensorboard"

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise _lacking(self.name, "tensorboard") from error
        writer: Any = SummaryWriter
        self._writer = writer(log_dir=str(folder / self.name))
        self._writer.add_text("recipe", _as_text(recipe))

    def write(self, epoch: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class Mlflow:
    """Logs to the server or file that MLflow's own variables name; a run for each folder."""

    name = "mlflow"

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        try:
            import mlflow
        except ImportError as error:
            raise _lacking(self.name, "mlflow") from error
        self._mlflow: Any = mlflow
        known = folder / RUN_ID
        try:
            self._start(known, recipe)
        except mlflow.exceptions.MlflowException as error:
            again = f"remove {known} to start another run there, " if known.is_file() else ""
            raise UsageError(
                f"MLflow must take the run, but says: {error}; let MLFLOW_TRACKING_URI name where"
                f" its runs are, such as sqlite:///mlflow.db, {again}or leave --mlflow out"
            ) from error

    def _start(self, known: Path, recipe: Recipe) -> None:
        if known.is_file():
            self._mlflow.start_run(run_id=known.read_text(encoding="utf-8"))
            return
        run = self._mlflow.start_run(run_name=recipe.name)
        self._mlflow.log_params(_flat(recipe.to_dict()))
        known.write_text(run.info.run_id, encoding="utf-8")

    def write(self, epoch: int, figures: Mapping[str, float]) -> None:
        self._mlflow.log_metrics(dict(figures), step=epoch)

    def close(self) -> None:
        self._mlflow.end_run()


TRACKERS: dict[str, Callable[[Path, Recipe], Tracker]] = {
    TensorBoard.name: TensorBoard,
    Mlflow.name: Mlflow,
}


def open_trackers(names: Iterable[str], folder: Path, recipe: Recipe) -> list[Tracker]:
    """Open the trackers of these names for the run in a folder; one that lacks is an error."""
    asked = list(dict.fromkeys(names))
    for name in asked:
        if name not in TRACKERS:
            raise UsageError(unknown_name("tracker", name, TRACKERS))
    folder.mkdir(parents=True, exist_ok=True)
    return [TRACKERS[name](folder, recipe) for name in asked]


def _lacking(name: str, package: str) -> UsageError:
    return UsageError(
        f"--{name} needs the package {package}, which is not installed: pip install {package}, or"
        f" leave --{name} out; log.csv has the same figures"
    )


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Name the settings of tables with a dot."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[before + name] = value
    return found


def _as_text(recipe: Recipe) -> str:
    return "\n".join(f"    {name} = {value!r}" for name, value in _flat(recipe.to_dict()).items())
