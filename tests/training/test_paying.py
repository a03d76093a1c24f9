"""Whether a file keeps 8-bit integers; how fast they are is given, for tests time nothing."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import models
from mien.errors import ModelError
from mien.session import Model, open_model
from mien.training import paying
from mien.training.paying import Trial, quantize_if_it_pays, times_as_fast

FACES = np.random.default_rng(0).normal(size=(20, 1, 48, 48)).astype(np.float32)


@pytest.fixture
def floats(tmp_path: Path) -> Model:
    return open_model(models.expression_model(tmp_path / "model.onnx"), kind="expression")


def quantized(
    monkeypatch: pytest.MonkeyPatch,
    floats: Model,
    *,
    faster: float = 2.0,
    lost: float = 0.0,
    seed: int = 0,
    always: bool = False,
) -> tuple[Model, Trial]:
    """Go through the choice with integers that are a file of another name, or of another seed."""

    def integers(model: Model, examples: object) -> Model:
        fields = models.expression_metadata() | {"name": "integers"}
        made = models.expression_model(model.path.with_name("made.onnx"), seed=seed, fields=fields)
        shutil.move(made, model.path)
        return open_model(model.path, kind="expression")

    monkeypatch.setattr(paying, "quantize", integers)
    monkeypatch.setattr(paying, "times_as_fast", lambda slow, fast, face: faster)

    def worth(model: Model) -> float:
        return 0.75 - (lost if model.metadata.name == "integers" else 0.0)

    return quantize_if_it_pays(floats, FACES, FACES, worth, always=always)


@pytest.mark.parametrize(
    ("faster", "lost", "kept"),
    [(1.5, 0.0, True), (1.49, 0.0, False), (2.0, 0.0029, True), (2.0, 0.0031, False)],
)
def test_integers_are_kept_where_they_pay(
    faster: float, lost: float, kept: bool, floats: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = floats.path.read_bytes()
    model, found = quantized(monkeypatch, floats, faster=faster, lost=lost)
    assert found.kept is kept
    assert (model.metadata.name == "integers") is kept
    assert (model.path.read_bytes() == before) is not kept
    assert list(model.path.parent.iterdir()) == [model.path]


def test_both_figures_are_told(floats: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = quantized(monkeypatch, floats, faster=1.2, lost=0.001)
    assert str(found) == (
        "8-bit integers are 1.20 times as fast as floats and lose 0.10 points, 100.0% of the"
        " answers are the same: the file stays in floats, for 1.5 times and under 0.3 points are"
        " asked"
    )
    told = {"kept": False, "times_as_fast": 1.2, "points_lost": 0.1, "same_answers": 1.0}
    assert found.to_dict() == told


def test_integers_that_answer_otherwise_are_not_kept(
    floats: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = floats.path.read_bytes()
    model, found = quantized(monkeypatch, floats, seed=1)
    assert found.alike < 0.9 and not found.kept
    assert model.path.read_bytes() == before


def test_integers_that_must_be_are_kept_whatever_they_gain(
    floats: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, found = quantized(monkeypatch, floats, faster=0.5, lost=0.2, always=True)
    assert found.kept and str(found).endswith("the same: kept")
    assert model.metadata.name == "integers"


def test_integers_that_must_be_but_answer_otherwise_are_refused(
    floats: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = floats.path.read_bytes()
    with pytest.raises(ModelError, match=r"90% of the answers must stay, .*quantize = false"):
        quantized(monkeypatch, floats, seed=1, always=True)
    assert floats.path.read_bytes() == before


def test_the_times_are_of_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        takes = 3.0

        def run(self, face: np.ndarray) -> None:
            now[0] += self.takes

    class Fast(Slow):
        takes = 1.5

    now = [0.0]
    monkeypatch.setattr(paying.time, "perf_counter", lambda: now[0])
    assert times_as_fast(Slow(), Fast(), FACES[:1]) == pytest.approx(2.0)  # type: ignore[arg-type]
