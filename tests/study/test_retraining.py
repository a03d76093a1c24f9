"""Networks trained on folds of generated faces."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.data import splits
from mien.errors import DataError, UsageError
from mien.evaluation import Choice, Receipt, verifying
from mien.recognizer import ExpressionReader
from mien.study.cautions import cautions
from mien.study.cells import Cell, Store
from mien.study.findings import findings
from mien.study.importance import Done, retrain
from mien.study.settings import USUAL
from tiny_tables import table

pytest.importorskip("torch")
pytest.importorskip("onnx")

from mien.study import retraining
from mien.study.retraining import training_of
from mien.training.material import DataSource
from mien.training.recipe import read_recipe

CONDITIONS = ("none", "mouth")
QUICK: dict[str, Any] = {
    **USUAL,
    "name": "quick",
    "side": 32,
    "network.name": "jaffe",
    "epochs": 8,
    "batch_size": 8,
    "precision": "float32",
    "optimizer.kind": "adam",
    "optimizer.learning_rate": 1e-3,
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    folder = tmp_path_factory.mktemp("retrain")
    return run(folder), folder


def run(folder: Path, **changes: Any) -> Done:
    faces = table()
    if not (folder / "tiny").exists():
        faces.save(folder / "tiny")
    folds = splits.make(faces, "by-subject", folds=2)
    training = training_of(read_recipe(None, **QUICK), DataSource(table=folder / "tiny"))
    wishes = {"stated": {"table": "tiny"}, **changes}
    return retrain(faces, folds, CONDITIONS, training, folder, **wishes)


def test_cells_of_other_folds_are_other_files(tmp_path: Path) -> None:
    names = ("S.1", "S_1", "jaffe/KA", "jaffe_KA", "é", "fold 1")
    store = Store(tmp_path, {})
    paths = {store.path(Cell("none", "eyes+mouth", 0, name)) for name in names}
    assert len(paths) == 6 and {path.parent.name for path in paths} == {"eyes+mouth"}


def test_no_copies_are_told_of_where_there_are_none(done: tuple[Done, Path]) -> None:
    parts = replace(done[0].faces, split=np.full(24, "test"))
    kept = replace(done[0], faces=parts, stated={**done[0].stated, "duplicates_of_train": "kept"})
    said = " ".join(cautions(kept, findings(kept.outcome, rounds=20)))
    assert "--without-duplicates" not in said


def test_every_condition_is_trained_on_and_tested_on(done: tuple[Done, Path]) -> None:
    found = done[0]
    assert len(found.receipts) == 2 * 2 * 2  # trained, tested, folds
    assert all(right.shape == (1, 24) for right in found.outcome.right.values())
    assert sorted(found.faces.source_id) == sorted(table().source_id)
    assert found.confusions["none"].sum() == 24


def test_a_network_learns_what_it_can_see(done: tuple[Done, Path]) -> None:
    found = findings(done[0].outcome, rounds=50)
    whole, masked = found.effects
    assert whole.accuracy.value > 0.9 > 0.8 > masked.accuracy.value
    assert len(found.matrix) == 2


def test_histories_are_kept_by_epoch(done: tuple[Done, Path]) -> None:
    assert set(done[0].histories["mouth"]) == {"loss", "test_loss", "test_accuracy"}
    assert len(done[0].histories["none"]["loss"]) == 8
    (lost,) = {min(done[0].histories["none"]["test_loss"])} - {None}
    assert lost > 0


def test_nothing_finished_is_trained_again(
    done: tuple[Done, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retraining, "train", lambda *_, **__: pytest.fail("trained again"))
    first, folder = done
    cell = next(folder.glob("cells/mouth/none/seed-0*2.json"))
    cell.unlink()
    assert run(folder).receipts == first.receipts  # tested anew by the network that was kept


def test_a_cell_can_be_verified_by_the_network_that_was_kept(done: tuple[Done, Path]) -> None:
    _, folder = done
    receipt = Receipt.open(next(folder.glob("cells/none/mouth/seed-0*1.json")))
    (training,) = folder.glob("trainings/none/seed-0*1")
    assert {path.name for path in training.iterdir()} == {"model.onnx", "log.jsonl", "log.csv"}
    reader = ExpressionReader(training / "model.onnx")
    checks = verifying.verify(receipt, reader, Choice(table=folder / "tiny"))
    assert all(check.holds for check in checks) and len(checks) > 5
    assert receipt.data["trained_on"] == "none" and receipt.data["training_seed"] == 1


def test_the_last_epoch_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mien.training import checkpoint

    kept: list[Any] = []

    def ended(task: Any, weights: Any, *_: Any) -> None:
        groups, state = checkpoint.load(next(tmp_path.rglob("last.safetensors")))
        kept.append((weights, groups["network"], state["epoch"]))
        raise KeyboardInterrupt

    monkeypatch.setattr(retraining, "export_plain", ended)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    ((weights, last, epoch),) = kept
    assert epoch == 8 and all(bool((weights[name] == last[name]).all()) for name in last)


def test_another_training_needs_another_folder(done: tuple[Done, Path]) -> None:
    with pytest.raises(UsageError, match="drawn differ"):
        run(done[1], drawn={"pad_px": 1})


def test_a_fold_that_trains_on_one_expression_is_refused(tmp_path: Path) -> None:
    labels = np.zeros(24, np.int64)
    labels[table().subject == "s0"] = 1
    faces = replace(table(), labels=labels)
    folds = splits.make(faces, "leave-one-subject-out")
    faces.save(tmp_path / "tiny")
    training = training_of(read_recipe(None, **QUICK), DataSource(table=tmp_path / "tiny"))
    with pytest.raises(DataError, match="s0 has only happiness to train on"):
        retrain(faces, folds, CONDITIONS, training, tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "expression"}, "has 'expression'; name another"),
        ({"hiding.mask": 0.2}, "sets hiding, but in a study the conditions say what is hidden"),
        ({"selection.patience": 2}, "the last epoch counts"),
        ({"optimizer.schedule": "plateau"}, "a plateau is seen on the faces that test"),
        ({"start": "a.safetensors", "start_share": 0.5}, "nothing is mixed"),
        ({"quantize": True}, "files stay in floats"),
    ],
)
def test_recipes_that_would_undo_the_comparison_are_refused(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    recipe = read_recipe(None, **{**QUICK, **changes})
    with pytest.raises(UsageError, match=said):
        training_of(recipe, DataSource(table=tmp_path))


def test_every_network_and_setting_of_a_recipe_can_be_meant(tmp_path: Path) -> None:
    table().save(tmp_path / "tiny")
    own = {"network.name": "mini-xception", "side": 64, "data.normalize": "data-set"}
    recipe = read_recipe(None, **{**QUICK, **own})
    training = training_of(recipe, DataSource(table=tmp_path / "tiny"))
    said = training.stated()
    assert said["network"] == "mini-xception" and said["epochs"] == 8
    assert said["preparation"] == "64x64, grey, levels data-set"
    assert said["settings"]["optimizer.kind"] == "adam" and training.given
