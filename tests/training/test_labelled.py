"""The task of labelled faces: targets, judgement, what the file will say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import tiny_tables
from mien import metrics
from mien.data.table import FaceTable
from mien.errors import DataError
from mien.expressions import EXPRESSIONS
from mien.training import distill, loop
from mien.training.augment import Augmentation
from mien.training.faces import View
from mien.training.hiding import Hiding
from mien.training.labelled import LabelledTask, figures
from mien.training.logs import entries
from mien.training.losses import OneForEach
from mien.training.material import DataSource, Material, gather
from mien.training.settings import (
    DataSettings,
    Distillation,
    Losses,
    NetworkSettings,
    Optimizer,
    Recipe,
    Selection,
)

TINY = Recipe(
    name="tiny",
    task="labels",
    side=24,
    epochs=6,
    batch_size=8,
    precision="float32",
    validate_every=2,
    network=NetworkSettings(widths=(8, 16), blocks=(1, 1), dropout=0.0),
    optimizer=Optimizer(learning_rate=0.05, ema=0.5),
    augmentation=Augmentation(shift=0.0, noise_share=0.0, align_share=0.0),
)


@pytest.fixture
def material(tmp_path: Path) -> Material:
    table = tiny_tables.table(48, people=0)
    parts = np.array(["train"] * 24 + ["validation"] * 12 + ["test"] * 12)
    replace(table, split=parts).save(tmp_path / "faces")
    return gather(TINY, DataSource(table=tmp_path / "faces"))


def view(task: LabelledTask, faces: np.ndarray) -> View:
    viewer = task.viewer()
    return viewer.view(faces, 0, *viewer.hide(faces, 0), torch.Generator())


@pytest.mark.parametrize("kind", ["cross-entropy", "binary"])
def test_a_run_learns_labels_and_judges_by_its_metric(
    material: Material, tmp_path: Path, kind: str
) -> None:
    recipe = replace(
        TINY, losses=Losses(kind=kind), selection=Selection("loss"), data=DataSettings(set="C")
    )
    task = LabelledTask(material, recipe)
    best = loop.train(recipe, task, tmp_path / "run", quiet=True)
    from mien.training import checkpoint

    found = checkpoint.load(best)[1]["figures"]
    assert task.selection == "-loss"
    assert found["accuracy"] == found["worst_recall"] == 1.0
    assert -0.5 < found["-loss"] < 0


def test_every_figure_that_can_choose_an_epoch_is_given(rng: np.random.Generator) -> None:
    shares = rng.dirichlet(np.ones(3), 50)
    labels = rng.integers(0, 2, 50)
    found = figures(shares, labels)
    counts = metrics.confusion(labels, shares.argmax(1), 3)
    assert found["accuracy"] == metrics.accuracy(counts)
    assert found["balanced_accuracy"] == metrics.balanced_accuracy(counts)
    assert found["macro_f1"] == metrics.macro_f1(counts)
    assert found["worst_recall"] == np.nanmin(metrics.recalls(counts))
    assert found["-loss"] == pytest.approx(-metrics.nll(shares, labels))


def test_each_metric_of_a_recipe_is_a_figure(material: Material) -> None:
    from mien.training.settings import METRICS

    given = figures(np.full((4, 2), 0.5), np.array([0, 1, 0, 1]))
    for metric in set(METRICS) - {"last"}:
        task = LabelledTask(material, replace(TINY, selection=Selection(metric)))
        assert task.selection in given


def test_binary_outputs_are_shares_where_they_are_judged(material: Material) -> None:
    task = LabelledTask(material, replace(TINY, losses=Losses(kind="binary")))
    network = loop.build_network(task.recipe, task)
    assert isinstance(network, OneForEach)


def test_the_sampler_shows_both_expressions_equally_often(material: Material) -> None:
    rows = np.r_[np.arange(0, 24, 2), 1, 3]
    rare = replace(material, train=material.train[rows])
    order = {}
    for kind in ("none", "sampler"):
        task = LabelledTask(rare, replace(TINY, losses=Losses(class_weights=kind)))
        shown = task.source.originals(task.order(0, np.random.default_rng(0)))
        order[kind] = np.bincount(rare.train.labels[shown])
    assert sorted(order["none"]) == [2, 12]
    assert order["sampler"].sum() == 14 and order["sampler"].min() >= 4


def test_weights_are_those_of_the_faces_that_are_shown(material: Material) -> None:
    weighted = replace(TINY, losses=Losses(class_weights="inverse"), data=DataSettings(set="E"))
    task = LabelledTask(material, weighted)
    # Happiness is mirrored (24), fear is turned and mirrored (72).
    assert len(task.source) == 96
    np.testing.assert_allclose(task.weights, [2.0, 2 / 3], rtol=1e-6)


def test_mixed_faces_have_mixed_labels(material: Material) -> None:
    recipe = replace(
        TINY, augmentation=replace(TINY.augmentation, mixup=0.5), losses=Losses(smoothing=0.0)
    )
    task = LabelledTask(material, recipe)
    faces = np.arange(24)
    shown = view(task, faces)
    assert shown.share is not None and shown.partner is not None
    logits = torch.randn(24, 2, generator=torch.Generator().manual_seed(0))
    own, other = (
        torch.nn.functional.cross_entropy(
            logits, torch.from_numpy(material.train.labels[rows]), reduction="none"
        )
        for rows in (faces, shown.partner)
    )
    share = torch.from_numpy(shown.share)
    expected = (own * share + other * (1 - share)).mean()
    torch.testing.assert_close(task.loss({"expression": logits}, faces, shown), expected)


def voted(material: Material) -> Material:
    votes = np.zeros((len(material.train), 10))
    for name, count in (("happiness", 6), ("fear", 2), ("anger", 2)):
        votes[:, EXPRESSIONS.index(name)] = count
    return replace(material, train=replace(material.train, votes=votes))


def test_votes_teach_their_shares_of_the_expressions_that_are_kept(material: Material) -> None:
    task = LabelledTask(voted(material), replace(TINY, losses=Losses(kind="votes")))
    np.testing.assert_allclose(task.shares, np.tile([0.75, 0.25], (24, 1)))
    with pytest.raises(DataError, match="needs faces with FER\\+ votes"):
        LabelledTask(material, task.recipe)


def test_a_teacher_has_its_part_of_the_loss(material: Material, tmp_path: Path) -> None:
    names, n = material.train.source_id, len(material.train)
    taught = np.random.default_rng(0).dirichlet(np.ones(2), n).astype(np.float32)
    labels = {"expression": material.labels[::-1]}
    path = tmp_path / "teacher.npz"
    distill.Teacher(names[::-1], {"expression": taught}, labels, {}).save(path)
    alone = LabelledTask(material, TINY)
    told = replace(TINY, distillation=Distillation(str(path), weight=0.7, temperature=2.0))
    task = LabelledTask(material, told)
    assert task.taught is not None
    np.testing.assert_allclose(task.taught, taught[::-1, ::-1], atol=1e-3)
    logits = {"expression": torch.randn(n, 2, generator=torch.Generator().manual_seed(0))}
    faces = np.arange(n)
    soft = distill.soft_loss(logits["expression"], torch.from_numpy(task.taught), 2.0).mean()
    expected = 0.7 * soft + 0.3 * alone.loss(logits, faces, view(alone, faces))
    torch.testing.assert_close(task.loss(logits, faces, view(task, faces)), expected)


def test_the_file_says_what_it_answers_and_how_a_face_is_laid_out(material: Material) -> None:
    task = LabelledTask(material, TINY)
    (output,) = task.outputs()
    assert (output.kind, output.labels) == ("expression", ("happiness", "fear"))
    assert task.preparation() == material.preparation
    assert task.trained_on()[0]["data_set"] == "faces"


def test_other_faces_to_choose_on_are_told_apart(material: Material) -> None:
    def besides(held: FaceTable) -> str:
        return LabelledTask(replace(material, validation=held), TINY).fingerprint_besides()

    held = material.validation
    changed = [held, held[::-1], replace(held, labels=1 - held.labels)]
    assert len({besides(one) for one in changed}) == 3 and besides(held[:]) == besides(held)


def test_other_pixels_or_labels_are_other_data(material: Material) -> None:
    def fingerprint(train: FaceTable) -> str:
        return LabelledTask(replace(material, train=train), TINY).fingerprint()

    train = material.train
    changed = train.images.copy()
    changed[3, 4, 5] ^= 1
    prints = [
        fingerprint(train),
        fingerprint(replace(train, images=changed)),
        fingerprint(replace(train, labels=1 - train.labels)),
        fingerprint(train[np.arange(24)[::-1]]),
    ]
    assert len(set(prints)) == 4 and fingerprint(train[:]) == prints[0]


def test_training_faces_are_looked_back_at_as_they_are(material: Material, tmp_path: Path) -> None:
    task = LabelledTask(material, replace(TINY, train_accuracy_faces=9))
    assert task.trained.images.shape == (9, 24, 24)
    assert {*task.trained.source_id} < {*material.train.source_id}
    same = LabelledTask(material, replace(TINY, train_accuracy_faces=9, seed=2)).trained
    assert same.source_id.tolist() == task.trained.source_id.tolist()
    hidden = replace(TINY, epochs=2, hiding=Hiding(blocks=1.0))
    for count in (0, 2000):
        out, recipe = tmp_path / str(count), replace(hidden, train_accuracy_faces=count)
        loop.train(recipe, LabelledTask(material, recipe), out, quiet=True)
    (_, without), (_, told) = (entries(tmp_path / name) for name in ("0", "2000"))
    assert "train_accuracy" not in without and 0 <= told["train_accuracy"] <= 1
    assert without["loss"] == told["loss"]
    assert "train_accuracy" in (tmp_path / "2000" / "log.csv").read_text().splitlines()[0]
