"""Networks trained on folds of generated faces."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien.data import splits
from mien.errors import DataError, UsageError
from mien.preparation import Preparation
from mien.study.cautions import cautions
from mien.study.cells import Cell, Store
from mien.study.findings import findings
from mien.study.importance import Done, retrain
from mien.study.settings import Training
from tiny_tables import table

torch = pytest.importorskip("torch")

CONDITIONS = ("none", "mouth")
QUICK = Training(
    network="jaffe",
    preparation=Preparation((32, 32), crop="whole", normalize="unit"),
    epochs=3,
    batch_size=8,
    optimizer="adam",
    learning_rate=1e-3,
    weight_decay=0.0,
    bfloat16=False,
    shift_px=1,
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    folder = tmp_path_factory.mktemp("retrain")
    return run(folder), folder


def run(folder: Path, **changes: object) -> Done:
    faces = table()
    folds = splits.make(faces, "by-subject", folds=2)
    wishes = {"seeds": (0, 1), **changes}
    return retrain(faces, folds, CONDITIONS, QUICK, folder, **wishes)  # type: ignore[arg-type]


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
    assert len(found.receipts) == 2 * 2 * 2 * 2  # trained, tested, folds, seeds
    assert all(right.shape == (2, 24) for right in found.outcome.right.values())
    assert sorted(found.faces.source_id) == sorted(table().source_id)
    assert found.confusions["none"].sum() == 2 * 24  # both seeds


def test_a_network_learns_what_it_can_see(done: tuple[Done, Path]) -> None:
    found = findings(done[0].outcome, rounds=50)
    whole, masked = found.effects
    assert whole.accuracy.value > 0.9 > 0.8 > masked.accuracy.value
    assert len(found.matrix) == 2 and whole.p is None


def test_histories_are_kept_by_epoch(done: tuple[Done, Path]) -> None:
    assert set(done[0].histories["mouth"]) == {*("loss", "accuracy", "test_loss", "test_accuracy")}
    assert len(done[0].histories["none"]["loss"]) == 3


def test_nothing_finished_is_trained_again(
    done: tuple[Done, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.study import fitting

    trained = []
    fit = fitting.fit
    monkeypatch.setattr(fitting, "fit", lambda *given: trained.append(1) or fit(*given))
    first, folder = done
    assert run(folder).receipts == first.receipts and not trained
    cell = next(folder.glob("cells/mouth/none/seed-1 fold_2.json"), None)
    cell = cell or next(folder.glob("cells/mouth/none/seed-1*2.json"))
    cell.unlink()
    again = run(folder)
    assert len(trained) == 1
    lost = Cell("mouth", "none", 1, "fold 2")
    assert again.receipts[lost] == first.receipts[lost]  # the same numbers, to the last bit


def test_another_training_needs_another_folder(done: tuple[Done, Path]) -> None:
    with pytest.raises(UsageError, match="drawn differ"):
        run(done[1], drawn={"pad_px": 1})


def test_a_fold_that_trains_on_one_expression_is_refused(tmp_path: Path) -> None:
    labels = np.zeros(24, np.int64)
    labels[table().subject == "s0"] = 1
    faces = replace(table(), labels=labels)
    folds = splits.make(faces, "leave-one-subject-out")
    with pytest.raises(DataError, match="s0 has only happiness to train on"):
        retrain(faces, folds, CONDITIONS, QUICK, tmp_path)


def test_names_and_devices_that_are_not_there_are_named() -> None:
    from mien.study.fitting import Faces, fit

    none = Faces(np.zeros((2, 32, 32), np.uint8), np.zeros(2, np.int64))
    with pytest.raises(UsageError, match="unknown network"):
        fit(none, none, 2, replace(QUICK, network="jafe"), 0)
    with pytest.raises(UsageError, match="unknown optimizer 'adamw'"):
        fit(none, none, 2, replace(QUICK, optimizer="adamw"), 0)
    with pytest.raises(UsageError, match="unknown schedule 'constnt'; did you mean 'constant'"):
        fit(none, none, 2, replace(QUICK, schedule="constnt"), 0)
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="torch finds no CUDA"):
            fit(none, none, 2, QUICK, 0, "cuda")


@pytest.mark.parametrize("network", ["residual", "narrow"])
def test_the_residual_networks_train_too(network: str) -> None:
    from mien.study.fitting import Faces, fit

    steps = Preparation((16, 16), crop="whole", normalize="per-image")
    training = Training(network=network, preparation=steps, epochs=1)
    faces = Faces(table().images[:8, ::2, ::2], table().labels[:8])
    fitted = fit(faces, faces, 2, training, 0)
    assert fitted.probabilities(faces.crops).shape == (8, 2)
    np.testing.assert_allclose(fitted.probabilities(faces.crops).sum(axis=1), 1)
