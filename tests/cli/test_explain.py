"""Explanations from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
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
    assert "a: " in done.out and "points lost" in done.out and "log-odds lost" in done.out


def test_folders_are_read_and_names_that_clash_are_numbered(
    explain: Callable, photographs: Path, tmp_path: Path
) -> None:
    (photographs / "more").mkdir()
    image = images.read(photographs / "a.png")
    for name in ("a.bmp", "b-2.png", "b.png"):
        images.write(photographs / "more" / name, image)
    done = explain(photographs, "--detector", "whole", "--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    names = [one["name"].partition(":")[0] for one in found["explanations"]]
    assert names == ["a", "b", "c", "a-2", "b-2", "b-3"]
    sources = [Path(one["source"]).name for one in found["explanations"]]
    assert sources == ["a.png", "b.png", "c.png", "a.bmp", "b-2.png", "b.png"]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {*found["files"], "index.html", "explanations.json"}
    assert len(found["files"]) == 18 and not any(name.startswith(".") for name in written)


def test_the_folder_has_what_this_run_wrote_and_what_others_wrote(
    explain: Callable, photographs: Path, tmp_path: Path
) -> None:
    assert explain(photographs, "--detector", "whole").code == 0
    old = json.loads((tmp_path / "out" / "explanations.json").read_text())["files"]
    changed = next(name for name in old if name.startswith("b"))
    (tmp_path / "out" / changed).write_text("mine")
    (tmp_path / "out" / "notes.png").write_text("mine")
    done = explain(photographs / "c.png", "--detector", "whole", "--format", "json")
    written = {path.name for path in (tmp_path / "out").iterdir()}
    own = {*json.loads(done.out)["files"], "index.html", "explanations.json"}
    assert written == {*own, changed, "notes.png"}
    assert "1</b>face<" in (tmp_path / "out" / "index.html").read_text()


def test_photographs_without_a_face_are_left_out_and_broken_ones_make_the_code_3(
    explain: Callable, shipped_models: None, portrait_path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "portrait.png").write_bytes(portrait_path.read_bytes())
    images.write(folder / "grey.png", np.full((64, 64), 128, np.uint8))
    done = explain(folder)
    assert done.code == 0 and "left out: " in done.err and "grey.png: no face found" in done.err
    (folder / "broken.png").write_text("no image")
    done = explain(folder)
    assert done.code == 3 and "broken.png" in done.err and "portrait: " in done.out


def test_the_page_says_how_the_faces_were_chosen(explain: Callable, tmp_path: Path) -> None:
    table(8).save(tmp_path / "tiny")
    done = explain("--table", tmp_path / "tiny", "--faces", "3", "--format", "json")
    found = json.loads(done.out)
    assert found["faces"] == "3 an expression at most, drawn with seed 0"
    assert found["points"] == "of the table" and found["test_time_augmentation"] == "none"
    page = (tmp_path / "out" / "index.html").read_text()
    for words in ("duplicates of train", "points", "test time augmentation", "drawn with seed 0"):
        assert words in page


def test_a_model_of_colour_is_explained_beside_a_grey_checkpoint(
    mien: Callable, tmp_path: Path, tiny_weights: None
) -> None:
    pytest.importorskip("captum")
    from tiny_training import save_checkpoint

    table(8).save(tmp_path / "tiny")
    fields = models.metadata(
        "expression",
        24,
        [models.output("expression", "expression", ("anger", "fear", "happiness"))],
    )
    fields["preparation"] |= {"colour": "rgb", "align": "none", "crop": "whole"}
    fields["preparation"]["template_xy"] = None
    weights = {"expression": (np.zeros((24 * 24 * 3, 3)), np.arange(3.0))}
    model = models.write(tmp_path / "rgb.onnx", 24, weights, fields, channels=3)
    words = ("--model", model, "--checkpoint", save_checkpoint(tmp_path / "best.safetensors"))
    done = mien("explain", "--table", tmp_path / "tiny", *words, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "out" / "explanations.json").read_text())
    assert record["grad_cam_layer"] == "stages"
    maps = [images.read(tmp_path / "out" / f"fear-{kind}.png") for kind in ("grad-cam", "sliding")]
    assert maps[0].shape == maps[1].shape


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
