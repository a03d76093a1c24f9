"""A training's figures read back from TensorBoard's and MLflow's own files, where they are."""

from pathlib import Path
from typing import Any

import pytest

from mien.errors import UsageError
from mien.training import loop
from mien.training.logs import Logs, entries
from mien.training.trackers import RUN_ID, open_trackers
from tiny_training import TINY, BrightOrDark

FIGURES = ("loss", "accuracy")

# Theirs, of the packages they use.
pytestmark = pytest.mark.filterwarnings("ignore")


def trained(folder: Path, tracker: str) -> dict[str, list[tuple[int, float]]]:
    """Train under a tracker; give what the log says of each figure: epoch and value."""
    watching = open_trackers([tracker], folder, TINY)
    logs = Logs(folder, epochs=TINY.epochs, quiet=True, trackers=watching)
    loop.train(TINY, BrightOrDark(), folder, quiet=True, logs=logs)
    log = entries(folder)
    assert len(log) == TINY.epochs
    return {name: [(int(of["epoch"]), of[name]) for of in log] for name in FIGURES}


def close_to(figures: list[tuple[int, float]]) -> Any:
    return [(epoch, pytest.approx(value, rel=1e-5)) for epoch, value in figures]


def test_tensorboard_reads_its_events(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logged = trained(tmp_path, "tensorboard")
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    for name, figures in logged.items():
        assert [(of.step, of.value) for of in events.Scalars(name)] == close_to(figures)
    assert events.Tags()["tensors"] == ["recipe/text_summary"]


def test_mlflow_reads_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")  # the small package has none
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    folder = tmp_path / "run"
    logged = trained(folder, "mlflow")
    client, name = mlflow.MlflowClient(), (folder / RUN_ID).read_text()
    run = client.get_run(name)
    assert (run.info.run_name, run.info.status) == ("tiny", "FINISHED")
    assert run.data.params["optimizer.learning_rate"] == "0.05"
    for figure, values in logged.items():
        history = client.get_metric_history(name, figure)
        assert [(of.step, of.value) for of in history] == close_to(values)
    for tracker in open_trackers(["mlflow"], folder, TINY):
        tracker.close()
    assert (folder / RUN_ID).read_text() == name
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "elsewhere").as_uri())
    with pytest.raises(UsageError, match="MLFLOW_TRACKING_URI"):
        open_trackers(["mlflow"], folder, TINY)
