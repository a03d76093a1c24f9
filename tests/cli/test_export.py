"""The command that exports a checkpoint again: what it gives equals the run's own file."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from mien.session import open_model
from tiny_tables import table


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of faces of eight people."""
    folder = tmp_path_factory.mktemp("data") / "faces"
    table(48, people=8).save(folder)
    return folder


@pytest.fixture(scope="module")
def run(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is over, of the second fold by subject."""
    pytest.importorskip("torch")
    from mien.cli import main

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    words = ["--network", "residual", "--set", "network.widths=4,8", "--set", "network.blocks=1,1"]
    words += ["--set", "side=32", "--set", "data.folds=4", "--fold", "1", "--epochs", "1"]
    words += ["--set", "precision=float32", "--save-predictions", "--quiet"]
    assert main(["train", "--table", str(faces), "--out", str(folder), *words]) == 0
    return folder


def test_a_run_is_exported_again(run: Path, faces: Path, tmp_path: Path, mien: Callable) -> None:
    out = tmp_path / "new" / "again.onnx"
    done = mien("export", run, "--table", faces, "--out", out, "--quiet")
    assert done[:2] == (0, f"{out}\n")
    inputs = np.random.default_rng(0).normal(0, 1, (3, 1, 32, 32)).astype(np.float32)
    again = open_model(out, kind="expression")
    first = open_model(run / "tiny.onnx", kind="expression")
    assert again.metadata == first.metadata
    for name, logits in first.run(inputs).items():
        np.testing.assert_allclose(again.run(inputs)[name], logits, atol=1e-5)


def test_grain_is_taken_off_as_the_run_or_the_option_says(
    run: Path, faces: Path, tmp_path: Path, mien: Callable
) -> None:
    grainy = np.random.default_rng(0).normal(0, 1, (3, 1, 32, 32)).astype(np.float32)
    own = tmp_path / "run"
    own.mkdir()
    for path in run.iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    stated = json.loads((own / "run.json").read_text())
    answers = {}
    for said in (False, True):
        stated["recipe"]["denoise"] = said
        (own / "run.json").write_text(json.dumps(stated))
        for option in ((), ("--denoise",), ("--no-denoise",)):
            out = tmp_path / "out.onnx"
            done = mien("export", own, "--table", faces, "--out", out, "--quiet", *option)
            assert done.code == 0, done.err
            model = open_model(out, kind="expression")
            answers[said, option] = next(iter(model.run(grainy).values()))
            denoises = option == ("--denoise",) or (said and not option)
            assert model.metadata.extra.get("denoise", False) is denoises
    for said in (False, True):
        calm, plain = answers[said, ("--denoise",)], answers[said, ("--no-denoise",)]
        assert np.abs(calm - plain).max() > 1e-4
        np.testing.assert_allclose(answers[said, ()], calm if said else plain, atol=1e-6)


@pytest.mark.parametrize(
    ("option", "faster", "said", "whole"),
    [
        ("--quantize", 9.0, "kept", True),
        ("--quantize", 1.0, "1.00 times as fast", False),
        ("--quantize-always", 1.0, "kept", True),
    ],
)
def test_a_file_computes_in_whole_numbers_where_that_pays(
    option: str,
    faster: float,
    said: str,
    whole: bool,
    run: Path,
    faces: Path,
    tmp_path: Path,
    mien: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mien.training import paying

    monkeypatch.setattr(paying, "times_as_fast", lambda slow, fast, face: faster)
    monkeypatch.setattr(paying, "MOST_LOST", 1.1)  # a network this small has no margin
    monkeypatch.setattr(paying, "LEAST_ALIKE", 0.0)
    out = tmp_path / "int8.onnx"
    best = run / "best.safetensors"
    done = mien("export", best, "--table", faces, "--out", out, option)
    assert done.code == 0, done.err
    assert said in done.err
    assert open_model(out, kind="expression").sha256 != ""
    stored = onnx.load(out).graph.initializer
    assert any(one.data_type == onnx.TensorProto.INT8 for one in stored) is whole


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["last.safetensors"], "export best.safetensors"),
        (["none.safetensors"], "no checkpoint at"),
        (["log.jsonl"], "must be a checkpoint of this program"),
    ],
)
def test_what_is_no_finished_network_is_named(
    words: list[str], message: str, run: Path, faces: Path, tmp_path: Path, mien: Callable
) -> None:
    named = [run / words[0], *words[1:]]
    done = mien("export", *named, "--table", faces, "--out", tmp_path / "a.onnx")
    assert done.code == 4 and message in done.err


def test_other_faces_than_those_of_the_run_are_refused(
    run: Path, faces: Path, tmp_path: Path, mien: Callable
) -> None:
    done = mien("export", run, "--table", faces, "--fold", "2", "--out", tmp_path / "a.onnx")
    assert done.code == 4 and "was trained on other faces" in done.err


def test_a_model_that_was_trained_is_used_by_name(
    run: Path, photographs: Path, mien: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path / "own"))
    assert mien("models", "add", run / "tiny.onnx").code == 0
    done = mien("predict", photographs, "--model", "tiny", "--detector", "whole")
    assert done.code == 0
    record = json.loads(done.out.splitlines()[0])
    assert set(record["probabilities"]) == {"happiness", "fear"}


def test_one_run_cannot_take_turns(run: Path, faces: Path, tmp_path: Path, mien: Callable) -> None:
    done = mien("export", run, "--table", faces, "--turned", "--out", tmp_path / "a.onnx")
    assert done.code == 2 and "name several runs" in done.err
