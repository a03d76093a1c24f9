"""Explanations from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import images
from tiny_tables import table


@pytest.fixture
def explain(
    mien: Callable, tmp_path: Path, expression_path: Path, tiny_weights: None
) -> Callable[..., Any]:
    def run(*words: str | Path) -> Any:
        return mien("explain", "--model", expression_path, "--out", tmp_path / "out", *words)

    return run


def test_the_expressions_of_a_table_are_explained_on_their_mean_face(
    explain: Callable, tmp_path: Path
) -> None:
    table(8).save(tmp_path / "tiny")
    done = explain("--table", tmp_path / "tiny", "--faces", "3", "--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)["explanations"]
    assert [(one["name"], one["faces"]) for one in found] == [("happiness", 3), ("fear", 3)]
    assert set(found[0]["regions"]) >= {"eyes", "mouth"}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"fear-sliding.png", "fear-regions.png", "index.html", "explanations.json"} <= names
    assert images.read(tmp_path / "out" / "fear-regions.png").ndim == 3


def test_photographs_are_explained_one_by_one(explain: Callable, photographs: Path) -> None:
    done = explain(photographs / "a.png", photographs / "b.png", "--detector", "whole")
    assert done.code == 0, done.err
    assert done.out.count("\n") == 3 and "a: " in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "either photographs, or --dataset or --table"),
        (["photo.png", "--table", "t"], "either photographs, or --dataset or --table"),
        (["photo.png", "--expression", "fear"], "leave it out for photographs"),
    ],
)
def test_what_cannot_be_meant_is_named(words: list[str], said: str, explain: Callable) -> None:
    done = explain(*words)
    assert done.code == 2 and said in done.err


def test_an_expression_nobody_shows_gets_a_suggestion(explain: Callable, tmp_path: Path) -> None:
    table(8).save(tmp_path / "tiny")
    done = explain("--table", tmp_path / "tiny", "--expression", "feer")
    assert done.code == 2 and "did you mean 'fear'?" in done.err


def test_a_photograph_without_a_face_is_named(explain: Callable, tmp_path: Path) -> None:
    images.write(tmp_path / "grey.png", np.full((64, 64), 128, np.uint8))
    done = explain(tmp_path / "grey.png")
    assert done.code == 3 and "grey" in done.err and "no face" in done.err
