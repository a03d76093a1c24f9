"""The commands and the snippet of docs/evaluation.md run, in their order, on a tiny data set."""

import json
import re
import shlex
from pathlib import Path

import pytest

import models
from mien.cli import main
from mien.data.readers.fer2013 import read
from tiny_fer import tiny_fer
from tiny_receipts import tiny_receipt
from tiny_runs import done

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def workspace(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expression_path: Path,
    landmarks_path: Path,
    tiny_weights: None,
) -> Path:
    """A folder with all that the page names."""
    monkeypatch.chdir(tmp_path)
    faces = tiny_fer()
    faces.write(tmp_path / "data" / "fer2013.csv")
    faces.write_votes(tmp_path / "data" / "fer2013new.csv")
    faces.write_points(tmp_path / "data" / "landmarks68.npz", [True] * 12)
    read(tmp_path / "data").save(tmp_path / "tables" / "mine")
    for seed, name in enumerate("ab"):
        models.expression_model(tmp_path / f"{name}.onnx", seed=seed)
        (tmp_path / "runs" / name).mkdir(parents=True)
        entry = json.dumps({"epoch": 1, "loss": 1.0})
        (tmp_path / "runs" / name / "log.jsonl").write_text(entry)
        folder = tmp_path / "jobs" / name
        done(0, 1, [1, 0, seed]).receipt.save(folder / "fold-1" / "seed-1" / "test.json")
        (folder / "job.json").write_text(json.dumps({"runs": [{"fold": 1, "seed": 1}]}))
    for model in ("one", "two"):
        for data in ("x", "y"):
            receipt = tiny_receipt([0, 1, 2], [0, 1, 1], model=model, data=data)
            receipt.save(tmp_path / f"{model}-on-{data}.json")
    return tmp_path


def test_every_command_of_the_page_runs(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) > 9
    for line in lines:
        assert main(shlex.split(line)[1:]) == 0, f"{line}\n{capsys.readouterr().err}"
    assert (workspace / "report" / "index.html").is_file()
    assert (workspace / "compared.svg").is_file()


def test_the_snippet_of_the_page_runs(workspace: Path) -> None:
    for text in blocks("python"):
        exec(compile(text, "docs/evaluation.md", "exec"), {"__name__": "__main__"})
    assert (workspace / "whole.json").is_file()


def test_the_page_names_every_key_of_a_result() -> None:
    from dataclasses import fields

    from mien.evaluation import Result

    named = set(re.findall(r"`([a-z0-9_]+)`", PAGE))
    assert {field.name for field in fields(Result)} - {"recall"} <= named
