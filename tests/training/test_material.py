"""The parts of a run's faces: who trains, who chooses, who tests, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
import tiny_tables
from mien import images
from mien.data import rights, splits
from mien.data.summaries import SUMMARY
from mien.data.table import FaceTable
from mien.errors import DataError, MienError, UsageError
from mien.preparation import Preparation
from mien.training.augment import Augmentation
from mien.training.material import DataSource, Material, faces_sha256, gather
from mien.training.settings import DataSettings, NetworkSettings, Recipe
from tiny_fer import tiny_fer

SIDE = 24


def recipe(side: int = SIDE, network: NetworkSettings | None = None, **data: Any) -> Recipe:
    settings = DataSettings(**data)
    return Recipe(
        name="tiny",
        task="labels",
        side=side,
        data=settings,
        network=network or NetworkSettings(),
        augmentation=Augmentation(align_share=0.0),
    )


def saved(folder: Path, table: FaceTable) -> DataSource:
    table.save(folder / "faces")
    return DataSource(table=folder / "faces")


def official(test: int = 8) -> FaceTable:
    table = tiny_tables.table(24 + test, people=0)
    parts = np.array(["train"] * 16 + ["validation"] * 8 + ["test"] * test)
    return replace(table, split=parts)


def ids(material: Material) -> list[set[str]]:
    assert material.test is not None
    parts = (material.train, material.validation, material.test)
    return [set(part.source_id.tolist()) for part in parts]


def test_the_sets_own_parts_are_taken_and_labels_count_in_canonical_order(tmp_path: Path) -> None:
    table = replace(official(), expressions=("fear", "happiness"))
    found = gather(recipe(), saved(tmp_path, table))
    assert found.labels == ("happiness", "fear")
    assert list(map(len, ids(found))) == [16, 8, 8]
    assert found.stated["splits"] == "official, 1 fold"
    assert found.stated["validation"] == "the set's own part"
    assert found.train.images.shape == (16, SIDE, SIDE)
    np.testing.assert_array_equal(found.train.expression_names(), table[:16].expression_names())
    assert found.train.expressions == found.labels


def test_folds_are_by_subject_and_so_is_the_part_to_choose_on(tmp_path: Path) -> None:
    table = tiny_tables.table(48, people=12)
    source = saved(tmp_path, table)
    tested: set[str] = set()
    for fold in range(3):
        found = gather(recipe(folds=3, validation_share=0.25), replace(source, fold=fold))
        assert found.test is not None
        subjects = [set(p.subject.tolist()) for p in (found.train, found.validation, found.test)]
        assert all(
            a.isdisjoint(b) for a, b in ((subjects[0], subjects[1]), (subjects[1], subjects[2]))
        )
        assert subjects[0].isdisjoint(subjects[2])
        tested |= ids(found)[2]
    assert tested == set(table.source_id.tolist())
    assert found.stated["fold"] == "fold 3"
    assert found.stated["validation"] == "8 of 32 training faces, by subject"


def test_a_file_of_splits_says_who_trains(tmp_path: Path) -> None:
    table = tiny_tables.table(24)
    made = splits.make(table, "by-subject", folds=2, seed=3)
    made.save(tmp_path / "splits.json")
    source = replace(saved(tmp_path, table), splits=tmp_path / "splits.json", fold="1")
    found = gather(recipe(), source)
    assert ids(found)[2] == set(made.folds[1].test)
    assert found.stated["splits_ids_sha256"] == made.ids_sha256


def test_faces_of_the_splits_that_have_no_label_are_left_out(tmp_path: Path) -> None:
    table = tiny_tables.table(24)
    splits.make(table, "by-subject", folds=2, seed=3).save(tmp_path / "splits.json")
    labels = table.labels.copy()
    labels[:3] = -1
    source = saved(tmp_path, replace(table, labels=labels))
    found = gather(recipe(), replace(source, splits=tmp_path / "splits.json"))
    assert set().union(*ids(found)) == set(table.source_id[3:].tolist())
    assert found.stated["without_label"] == found.stated["left_out_of_the_splits"] == 3
    table[2:].save(tmp_path / "fewer")
    with pytest.raises(DataError, match=r"the data lack \d of the \d+ faces of the splits"):
        for fold in range(2):
            other = DataSource(table=tmp_path / "fewer", splits=tmp_path / "splits.json", fold=fold)
            gather(recipe(expressions=tiny_tables.EXPRESSIONS), other)


def test_the_hash_of_the_faces_follows_them(tmp_path: Path) -> None:
    table = tiny_tables.table(24)
    made = [table, replace(table, labels=1 - table.labels), replace(table, subject=table.source_id)]
    found = []
    for number, faces in enumerate(made):
        faces.save(tmp_path / str(number))
        found.append(faces_sha256(recipe(), DataSource(table=tmp_path / str(number))))
    assert len(set(found)) == 3


def test_faces_that_equal_a_training_face_do_not_test(tmp_path: Path) -> None:
    table = official()
    copied = table.images.copy()
    copied[24], copied[16] = copied[0], copied[1]
    source = saved(tmp_path, replace(table, images=copied))
    assert list(map(len, ids(gather(recipe(), source)))) == [16, 8, 8]
    found = gather(recipe(without_duplicates=True), source)
    assert list(map(len, ids(found))) == [16, 7, 7]
    assert found.stated["duplicates_of_train"] == "left out"


def test_other_expressions_are_left_out_and_counted(tmp_path: Path) -> None:
    table = official()
    labels = table.labels.copy()
    labels[::4] = 2
    table = replace(table, labels=labels, expressions=(*table.expressions, "anger"))
    found = gather(recipe(expressions=("fear", "happiness")), saved(tmp_path, table))
    assert found.labels == ("happiness", "fear")
    assert found.stated["other_expressions"] == 8
    assert found.stated["training_faces"] == {"happiness": 4, "fear": 8}


def test_an_expression_that_no_training_face_shows_is_named(tmp_path: Path) -> None:
    table = official()
    source = saved(tmp_path, table)
    with pytest.raises(DataError, match=r"names anger, which no training face of faces shows"):
        gather(recipe(expressions=("fear", "happiness", "anger")), source)
    labels = table.labels.copy()
    labels[-1] = 2
    strange = replace(table, labels=labels, expressions=(*table.expressions, "anger"))
    strange.save(tmp_path / "strange")
    with pytest.raises(DataError, match=r"test part of strange shows anger, which no training"):
        gather(recipe(), DataSource(table=tmp_path / "strange"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"expressions": ("happines",)}, "unknown expression 'happines'; did you mean 'happiness'"),
        ({"set": "F"}, "unknown augmentation set 'F'"),
        ({"protocol": "by-subjects"}, "unknown protocol 'by-subjects'; did you mean 'by-subject'"),
        ({"preparation": "system9"}, "unknown preparation 'system9'"),
    ],
)
def test_wrong_names_are_found_before_anything_is_read(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        gather(recipe(**wrong), DataSource(table=Path("nowhere")))


def test_an_empty_part_is_named(tmp_path: Path) -> None:
    table = official()
    table = replace(table, images=np.tile(table.images[:2], (16, 1, 1)))
    with pytest.raises(DataError, match=r"the validation part of faces has no face"):
        gather(recipe(without_duplicates=True), saved(tmp_path, table))


def test_statistics_come_from_the_training_part_alone(tmp_path: Path) -> None:
    table = official()
    pixels = table.images.copy()
    pixels[16:] = 255 - pixels[16:] // 2
    network = NetworkSettings(name="two-layer-32")
    found = gather(recipe(32, network), saved(tmp_path, replace(table, images=pixels)))
    assert found.preparation.normalize == "data-set"
    assert found.preparation.mean == pytest.approx((pixels[:16].mean(),))
    assert found.preparation.std == pytest.approx((pixels[:16].std(),))
    coloured = NetworkSettings(name="two-layer-32", channels=3)
    mean = gather(recipe(40, coloured), DataSource(table=tmp_path / "faces")).preparation.mean
    assert mean == (found.preparation.mean or ()) * 3


def test_another_normalisation_may_be_asked_for(tmp_path: Path) -> None:
    source = saved(tmp_path, official())
    for kind in ("unit", "symmetric", "data-set"):
        found = gather(recipe(normalize=kind), source).preparation
        assert found.normalize == kind and (found.mean is not None) == (kind == "data-set")


def test_a_file_states_the_framing_of_faces_that_came_cut(tmp_path: Path) -> None:
    found = gather(recipe(16), saved(tmp_path, official())).preparation
    assert (found.align, found.crop, found.size_hw) == ("similarity-68", "template", (16, 16))
    scaled = (models.face_points(32) + 0.5) / 2 - 0.5
    np.testing.assert_allclose(np.array(found.template_xy), scaled, atol=1e-3)


def test_points_are_found_where_a_set_brings_none(
    tmp_path: Path, landmarks_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.weights.default", lambda kind: landmarks_path)
    found = gather(recipe(), saved(tmp_path, replace(official(), points_xy=None)))
    assert found.preparation.crop == "template" and found.train.points_xy is None
    hidden = replace(recipe(), hiding=replace(recipe().hiding, eyes=0.5))
    train = gather(hidden, DataSource(table=tmp_path / "faces")).train
    assert train.points_xy is not None and np.isfinite(train.points_xy).all()


def test_a_prepared_table_says_how_it_was_cut(tmp_path: Path) -> None:
    source = saved(tmp_path, official())
    cut = Preparation((32, 32), align="eyes", crop="eyes-chin", normalize="symmetric")
    assert gather(recipe(), source).rights["data_set"] == "faces"
    about = {"preparation": cut.to_json(), "rights": rights.record("jaffe")}
    (tmp_path / "faces" / SUMMARY).write_text(json.dumps(about))
    found = gather(recipe(), source)
    assert found.preparation == replace(cut, size_hw=(SIDE, SIDE))
    assert found.rights["data_set"] == "JAFFE"
    (tmp_path / "faces" / SUMMARY).write_text('{"images": 32}')
    with pytest.raises(DataError, match=r"cannot read .*summary\.json"):
        gather(recipe(), source)


def test_a_preset_is_sized_and_coloured_as_the_network_takes_it(tmp_path: Path) -> None:
    source = saved(tmp_path, official())
    network = NetworkSettings(name="jaffe", channels=3)
    found = gather(recipe(20, network, preparation="system2"), source)
    assert found.preparation.normalize == "symmetric" and found.preparation.align == "eyes"
    assert (found.preparation.size_hw, found.preparation.colour) == ((20, 20), "rgb")
    assert found.train.images.shape == (16, 20, 20)
    assert found.validation.images.shape == (8, 20, 20, 3)
    pretrained = NetworkSettings(name="resnet18", pretrained=True)
    assert (
        gather(recipe(network=pretrained, preparation="system2"), source).preparation.normalize
        == "unit"
    )


def test_small_faces_that_train_stay_small_in_memory(tmp_path: Path) -> None:
    network = NetworkSettings(name="alexnet", channels=3)
    found = gather(recipe(224, network), saved(tmp_path, official()))
    assert found.train.images.shape == (16, 32, 32)
    assert found.validation.images.shape == (8, 224, 224, 3)
    assert found.preparation.size_hw == (224, 224)
    assert found.preparation.interpolation == "bilinear"
    scaled = (models.face_points(32) + 0.5) * 7 - 0.5
    np.testing.assert_allclose(np.array(found.preparation.template_xy), scaled, atol=1e-3)


def test_photographs_are_cut_by_the_preparation(tmp_path: Path, rng: np.random.Generator) -> None:
    for row in range(24):
        name = "happy" if row % 2 else "sad"
        path = tmp_path / name / f"{row}.png"
        path.parent.mkdir(exist_ok=True)
        images.write(path, rng.integers(0, 256, (40, 30, 3), dtype=np.uint8))
    found = gather(recipe(dataset="folders", folds=3), DataSource(root=tmp_path))
    assert found.train.images.shape[1:] == (SIDE, SIDE)
    assert found.preparation.crop == "whole"
    assert found.stated["splits"] == "stratified, 3 folds, seed 0"
    assert found.stated["faces"]["all"] == 24


def test_ferplus_takes_its_labels_by_the_recipes_rule(tmp_path: Path) -> None:
    fer = tiny_fer(per_split=32)
    fer.write(tmp_path / "fer2013.csv")
    fer.write_votes(tmp_path / "fer2013new.csv")
    fer.write_points(tmp_path / "points.npz", [True] * 96)
    source = DataSource(root=tmp_path, points_file=tmp_path / "points.npz")
    found = gather(recipe(dataset="ferplus", rule="argmax"), source)
    assert len(found.labels) == 8 and found.stated["rule"] == "argmax"
    assert list(map(len, ids(found))) == [32, 32, 32]
    seven = gather(recipe(dataset="fer2013"), source)
    assert len(seven.labels) == 7 and seven.stated["rule"] is None


def test_a_set_is_read_once_for_all_folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mien.evaluation.selection import Choice

    reads = []
    original = Choice.read

    def counted(self: Choice, *given: Any, **named: Any) -> Any:
        reads.append(self)
        return original(self, *given, **named)

    monkeypatch.setattr(Choice, "read", counted)
    source = saved(tmp_path, tiny_tables.table(24))
    for fold in range(3):
        gather(recipe(folds=3), replace(source, fold=fold))
    assert len(reads) == 1


def test_what_changed_on_disk_is_read_again(tmp_path: Path) -> None:
    source = saved(tmp_path, official())
    first = gather(recipe(), source).train.images[0].copy()
    changed = np.load(tmp_path / "faces" / "images.npy")
    np.save(tmp_path / "faces" / "images.npy", 255 - changed)
    assert (gather(recipe(), source).train.images[0] != first).any()


def test_a_fold_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MienError, match="no fold 7"):
        gather(recipe(folds=3), replace(saved(tmp_path, tiny_tables.table(24)), fold="7"))
