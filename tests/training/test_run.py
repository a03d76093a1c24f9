"""A run on labelled faces, from a table to a model file, its receipts and its page."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.data.picked import Picked
from mien.errors import DataError, ModelError, UsageError
from mien.evaluation import Receipt
from mien.networks.denoising import Denoise
from mien.recognizer import ExpressionReader
from mien.session import open_model
from mien.training import checkpoint, paying
from mien.training.exporting import export_again
from mien.training.hiding import Hiding
from mien.training.labelled import LabelledTask
from mien.training.loop import train
from mien.training.material import DataSource
from mien.training.run import export_best, prepare, run
from mien.training.settings import DataSettings, Losses, NetworkSettings, Recipe, Selection
from mien.training.summary import UNSCORED
from tiny_training import LABELLED, labelled_faces, save_checkpoint


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    return labelled_faces(tmp_path_factory.mktemp("faces") / "made")


@pytest.mark.parametrize("loss", ["cross-entropy", "binary"])
def test_a_run_leaves_a_model_its_receipts_and_a_page(
    source: DataSource, tmp_path: Path, loss: str
) -> None:
    recipe = replace(LABELLED, losses=Losses(kind=loss), mirror=True)
    path = run(recipe, source, tmp_path, quiet=True, save_predictions=True)
    assert path == tmp_path / "tiny.onnx"
    metadata = open_model(path, kind="expression").metadata
    assert metadata.recipe_sha256 == recipe.sha256()
    assert metadata.output("expression").thresholds["certain"] <= 1.0
    assert metadata.mirror
    receipt = Receipt.open(tmp_path / "test.json")
    assert receipt.result["faces"] == 10
    told = metadata.results["validation part"]["accuracy"]
    assert Receipt.open(tmp_path / "validation.json").result["accuracy"] == pytest.approx(told)
    rows = list(csv.DictReader((tmp_path / "predictions.csv").read_text().splitlines()))
    assert [row["source_id"] for row in rows] == list(receipt.faces)
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["processes"] == 1 and about["data"]["table"] == "made"
    assert "tiny" in (tmp_path / "index.html").read_text()
    assert not (tmp_path / "lock").exists()
    shares = ExpressionReader(path).read(np.zeros((2, 24, 24), np.uint8)).probabilities
    np.testing.assert_allclose(shares.sum(1), 1.0)


def test_a_run_that_is_over_trains_no_more(source: DataSource, tmp_path: Path) -> None:
    path = run(LABELLED, source, tmp_path, quiet=True)
    before = {name: (tmp_path / name).read_bytes() for name in ("log.jsonl", "best.safetensors")}
    assert run(LABELLED, source, tmp_path, quiet=True) == path
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_a_run_that_is_refused_leaves_what_is_there(source: DataSource, tmp_path: Path) -> None:
    run(replace(LABELLED, epochs=1), source, tmp_path, quiet=True)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DataError, match="differs in seed"):
        run(replace(LABELLED, epochs=1, seed=9), source, tmp_path, quiet=True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_checkpoint_is_exported_by_itself(source: DataSource, tmp_path: Path) -> None:
    run(LABELLED, source, tmp_path / "run", quiet=True)
    work = prepare(LABELLED, source)
    assert isinstance(work.task, LabelledTask)
    path = tmp_path / "other.onnx"
    assert export_best(work, tmp_path / "run" / "best.safetensors", path) is None
    first, again = (open_model(p, kind="expression") for p in (tmp_path / "run/tiny.onnx", path))
    inputs = work.task.plain(work.held.images).numpy()
    np.testing.assert_allclose(first.run(inputs)["expression"], again.run(inputs)["expression"])
    assert checkpoint.load(tmp_path / "run" / "best.safetensors")[1]["best_epoch"] in (1, 2)


def test_a_file_appears_when_it_is_calibrated_and_not_before(
    source: DataSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run(replace(LABELLED, epochs=1), source, tmp_path, quiet=True)
    before = {one: one.read_bytes() for one in tmp_path.glob("*.onnx")}
    with monkeypatch.context() as patch:
        patch.setattr(paying, "LEAST_ALIKE", 1.1)
        patch.setattr(paying, "times_as_fast", lambda slow, fast, face: 2.0)
        with pytest.raises(ModelError, match="of the answers must stay"):
            how = {"quantize": True, "always": True}
            export_again([tmp_path / "best.safetensors"], source, path, **how)
    for there in (True, False):
        if not there:
            path.unlink()
        with monkeypatch.context() as patch:
            patch.setattr("mien.training.run.rewrite_metadata", _stop)
            with pytest.raises(KeyboardInterrupt):
                export_again([tmp_path / "best.safetensors"], source, path)
        assert {one: one.read_bytes() for one in tmp_path.glob("*.onnx")} == before
        assert not [*tmp_path.glob(".*")]
        before = {}


def _stop(*given: object) -> None:
    raise KeyboardInterrupt


def test_a_file_takes_the_grain_off_where_the_recipe_says_so(
    source: DataSource, tmp_path: Path
) -> None:
    plain = run(LABELLED, source, tmp_path, quiet=True)
    inputs = prepare(LABELLED, source).task.plain(
        np.random.default_rng(0).integers(0, 256, (4, 24, 24), dtype=np.uint8)
    )
    before = open_model(plain, kind="expression").run(inputs.numpy())["expression"]
    recipe = replace(LABELLED, denoise=True)
    model = open_model(run(recipe, source, tmp_path, quiet=True), kind="expression")
    calm = Denoise()(inputs)
    after = model.run(inputs.numpy())["expression"]
    assert np.abs(after - before).max() > 1e-3
    assert model.metadata.recipe_sha256 == recipe.sha256()
    best = tmp_path / "best.safetensors"
    again = export_again([best], source, tmp_path / "again.onnx", denoise=True)
    np.testing.assert_allclose(
        open_model(again, kind="expression").run(inputs.numpy())["expression"], after, atol=1e-5
    )
    run(LABELLED, source, tmp_path, quiet=True)
    plainly = open_model(plain, kind="expression").run(calm.numpy())["expression"]
    np.testing.assert_allclose(plainly, after, atol=1e-4)


def test_a_run_states_what_integers_gained_and_lost(
    source: DataSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paying, "times_as_fast", lambda slow, fast, face: 1.25)
    path = run(replace(LABELLED, epochs=1, quantize=True), source, tmp_path, quiet=True)
    told = json.loads((tmp_path / "run.json").read_text())["integers"]
    assert (told["kept"], told["times_as_fast"]) == (False, 1.25)
    assert {"points_lost", "same_answers"} < told.keys()
    assert b"QuantizeLinear" not in path.read_bytes()
    assert "times_as_fast 1.25" in (tmp_path / "index.html").read_text()


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, DataSource]:
    recipe = replace(
        LABELLED, data=DataSettings(protocol="all"), selection=Selection("last"), validate_every=2
    )
    return recipe, labelled_faces(tmp_path_factory.mktemp("all") / "made")


def test_a_run_on_every_face_keeps_the_last_epoch_and_tells_no_score(
    everyone: tuple[Recipe, DataSource],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(paying, "times_as_fast", lambda slow, fast, face: 1.25)
    recipe = replace(everyone[0], epochs=3, quantize=True)
    path = run(recipe, everyone[1], tmp_path)
    told = capsys.readouterr().err
    assert UNSCORED in told and "points of training faces" in told
    output = open_model(path, kind="expression").metadata.output("expression")
    assert (output.temperature, output.thresholds) == (1.0, {"certain": 1.0})
    assert open_model(path, kind="expression").metadata.results == {}
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["data"]["faces"] == {"all": 40, "train": 40, "validation": 0, "test": 0}
    assert about["integers"]["judged_on"] == "training faces"
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["best_epoch"] == 3 and summary["figures"].keys() == {"train_accuracy"}
    assert not (tmp_path / "test.json").exists()
    assert "No face was held out" in (tmp_path / "index.html").read_text()
    again = export_again([tmp_path / "best.safetensors"], everyone[1], tmp_path / "b.onnx")
    inputs = np.zeros((1, 1, 24, 24), np.float32)
    both = [open_model(one, kind="expression").run(inputs)["expression"] for one in (path, again)]
    np.testing.assert_array_equal(*both)


def test_integers_of_a_run_on_every_face_are_judged_where_its_log_told_of_none(
    everyone: tuple[Recipe, DataSource], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = replace(everyone[0], epochs=1, train_accuracy_faces=0)
    path = run(recipe, everyone[1], tmp_path, quiet=True)
    best = path.with_name("best.safetensors")
    export_again([best], everyone[1], path, quantize=True, quiet=False)
    assert "points of training faces" in capsys.readouterr().err


def test_every_face_trains_whatever_the_fold(everyone: tuple[Recipe, DataSource]) -> None:
    with pytest.raises(UsageError, match="leave --splits and --fold out"):
        prepare(everyone[0], replace(everyone[1], fold=1))


@pytest.mark.parametrize("side", [24, 12])
def test_a_table_that_stays_on_disk_gives_the_same_file(
    source: DataSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int
) -> None:
    recipe = replace(LABELLED, epochs=1, side=side, hiding=Hiding(blocks=0.5), batch_size=7)
    run(recipe, source, tmp_path / "memory", quiet=True)
    on_disk, held = replace(recipe, memory_share=0.0), []
    monkeypatch.setattr(
        "mien.training.run.train",
        lambda recipe, task, *a, **k: (
            held.append(task.source.images) or train(recipe, task, *a, **k)
        ),
    )
    run(on_disk, source, tmp_path / "disk", quiet=True)
    assert isinstance(held[0], Picked)
    files = [(tmp_path / at / "tiny.onnx").read_bytes() for at in ("memory", "disk")]
    assert files[0] == files[1]
    kept = [checkpoint.load(tmp_path / at / "last.safetensors") for at in ("memory", "disk")]
    assert kept[0][1]["fingerprint"] == kept[1][1]["fingerprint"]
    torch.testing.assert_close(kept[0][0], kept[1][0], atol=0, rtol=0)
    receipts = [Receipt.open(tmp_path / at / "test.json") for at in ("memory", "disk")]
    np.testing.assert_array_equal(*(one.probabilities for one in receipts))


def test_a_task_of_fer2013_needs_its_folder(source: DataSource, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name it by --data"):
        run(replace(LABELLED, task="expression"), source, tmp_path, quiet=True)


@pytest.mark.parametrize("turned", [False, True])
def test_several_runs_become_one_model_that_answers_their_mean(
    source: DataSource, tmp_path: Path, turned: bool
) -> None:
    recipes = [replace(LABELLED, seed=seed, mirror=True, epochs=1) for seed in (1, 2, 3)]
    alone = [run(one, source, tmp_path / str(one.seed), quiet=True) for one in recipes]
    best = [path.with_name("best.safetensors") for path in alone]
    path = export_again(best, source, tmp_path / "all.onnx", turned=turned)
    model = open_model(path, kind="expression")
    assert model.metadata.mirror is not turned
    hashes = [one.sha256() for one in recipes]
    assert model.metadata.extra["ensemble"] == hashes
    inputs = np.random.default_rng(0).normal(0, 1, (4, 1, 24, 24)).astype(np.float32)
    said = [
        open_model(one, kind="expression").run(inputs[..., ::-1] if turned and at == 1 else inputs)
        for at, one in enumerate(alone)
    ]
    mean = np.mean([one["expression"] for one in said], axis=0)
    np.testing.assert_allclose(model.run(inputs)["expression"], mean, atol=1e-4)


def test_an_ensemble_joins_other_losses_but_not_other_layouts(
    source: DataSource, tmp_path: Path
) -> None:
    recipes = [
        replace(LABELLED, epochs=1),
        replace(LABELLED, epochs=1, losses=Losses("binary", class_weights="inverse")),
        replace(LABELLED, epochs=1, network=NetworkSettings("simple")),
    ]
    alone = [run(one, source, tmp_path / str(at), quiet=True) for at, one in enumerate(recipes)]
    best = [path.with_name("best.safetensors") for path in alone]
    joined = open_model(export_again(best[:2], source, tmp_path / "all.onnx"), kind="expression")
    inputs = np.random.default_rng(0).normal(0, 1, (4, 1, 24, 24)).astype(np.float32)
    said = [open_model(one, kind="expression").run(inputs)["expression"] for one in alone[:2]]
    np.testing.assert_allclose(joined.run(inputs)["expression"], np.mean(said, axis=0), atol=1e-4)
    with pytest.raises(UsageError, match="differs from tiny in normalisation"):
        export_again([best[0], best[2]], source, tmp_path / "wrong.onnx")


def test_the_mirror_image_is_of_no_use_to_landmarks(tmp_path: Path) -> None:
    both = [save_checkpoint(tmp_path / f"{at}.safetensors", task="landmarks") for at in "ab"]
    with pytest.raises(UsageError, match="points lie elsewhere"):
        export_again(both, DataSource(), tmp_path / "all.onnx", turned=True)


def test_runs_on_other_faces_become_no_ensemble(source: DataSource, tmp_path: Path) -> None:
    one = run(replace(LABELLED, epochs=1), source, tmp_path / "one", quiet=True)
    other = replace(LABELLED, epochs=1, data=replace(LABELLED.data, without_duplicates=True))
    two = run(other, source, tmp_path / "two", quiet=True)
    best = [path.with_name("best.safetensors") for path in (one, two)]
    with pytest.raises(UsageError, match=r"differs from .* in data"):
        export_again(best, source, tmp_path / "all.onnx")
    with pytest.raises(UsageError, match="twice"):
        export_again(best[:1] * 2, source, tmp_path / "all.onnx")
    assert not (tmp_path / "all.onnx").exists()
