"""Folds and seeds as one job that goes on where it was stopped."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mien.data import splits as dealing
from mien.errors import DataError, UsageError
from mien.training import jobs
from mien.training.jobs import train_all
from mien.training.material import DataSource
from mien.training.settings import DataSettings, NetworkSettings, Optimizer, Recipe
from tiny_runs import done
from tiny_tables import table

RECIPE = Recipe(name="tiny", task="labels", seed=3)


@dataclass
class Runs:
    """Stands for `run`: keeps what it was called with, and leaves what a run leaves."""

    made: list[tuple[Recipe, DataSource, Path]] = field(default_factory=list)
    stop_at: Path | None = None
    tests: bool = True
    faces: str = "as they are"

    def __call__(self, recipe: Recipe, source: DataSource, out: Path, **how: Any) -> Path:
        if out == self.stop_at:
            raise KeyboardInterrupt
        self.made.append((recipe, source, out))
        out.mkdir(parents=True)
        run = done(int(source.fold), recipe.seed, [1, 1, 0, 1], ("a", "b", "c", "d"))
        if self.tests:
            run.receipt.save(out / "test.json")
        lines = [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0, "accuracy": 0.75}]
        (out / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (out / "summary.json").write_text(json.dumps(run.about))
        (out / "index.html").write_text("done")
        return out / "tiny.onnx"

    @property
    def folders(self) -> list[str]:
        return ["/".join(out.parts[-2:]) for _, _, out in self.made]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    pytest.importorskip("matplotlib")
    found = Runs()
    monkeypatch.setattr(jobs, "run", found)
    monkeypatch.setattr(jobs, "faces_sha256", lambda *given: found.faces)
    return found


def test_every_fold_is_trained_with_every_seed(runs: Runs, tmp_path: Path) -> None:
    page = train_all(RECIPE, DataSource(), tmp_path, folds=2, seeds=2, quiet=True)
    assert runs.folders == ["fold-1/seed-3", "fold-2/seed-3", "fold-1/seed-4", "fold-2/seed-4"]
    assert [(recipe.seed, source.fold) for recipe, source, _ in runs.made] == [
        (3, 0),
        (3, 1),
        (4, 0),
        (4, 1),
    ]
    assert page == tmp_path / "index.html" and "2 folds, 2 seeds" in page.read_text()


def test_folds_are_dealt_by_subject_unless_the_recipe_says_otherwise(
    runs: Runs, tmp_path: Path
) -> None:
    other = replace(RECIPE, data=DataSettings(protocol="random-images"))
    train_all(RECIPE, DataSource(), tmp_path / "a", folds=2, quiet=True)
    train_all(other, DataSource(), tmp_path / "b", folds=3, quiet=True)
    dealt = {(recipe.data.protocol, recipe.data.folds) for recipe, _, _ in runs.made}
    assert dealt == {("by-subject", 2), ("random-images", 3)}


@pytest.mark.parametrize("protocol", ["official", "hold-out", "leave-one-subject-out"])
def test_a_protocol_that_deals_other_folds_is_refused(
    protocol: str, runs: Runs, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, data=DataSettings(protocol=protocol))
    with pytest.raises(UsageError, match=rf"'{protocol}' does not deal 4 folds"):
        train_all(recipe, DataSource(), tmp_path, folds=4, quiet=True)
    assert not runs.made


def test_a_job_that_was_stopped_repeats_nothing(runs: Runs, tmp_path: Path) -> None:
    runs.stop_at = tmp_path / "fold-2" / "seed-3"
    with pytest.raises(KeyboardInterrupt):
        train_all(RECIPE, DataSource(), tmp_path, folds=3, quiet=True)
    runs.stop_at = None
    train_all(RECIPE, DataSource(), tmp_path, folds=3, quiet=True)
    assert runs.folders == ["fold-1/seed-3", "fold-2/seed-3", "fold-3/seed-3"]


def test_more_seeds_may_follow(runs: Runs, tmp_path: Path) -> None:
    for seeds in (1, 2):
        train_all(RECIPE, DataSource(), tmp_path, folds=None, seeds=seeds, quiet=True)
    assert [folder.rpartition("/")[2] for folder in runs.folders] == ["seed-3", "seed-4"]
    assert json.loads((tmp_path / "job.json").read_text())["seeds"] == [3, 4]


def test_predictions_may_follow(runs: Runs, tmp_path: Path) -> None:
    for save in (False, True):
        train_all(RECIPE, DataSource(), tmp_path, folds=2, quiet=True, save_predictions=save)
        assert len(runs.made) == 2
    for fold in (1, 2):
        rows = (tmp_path / f"fold-{fold}/seed-3/predictions.csv").read_text().splitlines()
        assert len(rows) == 1 + 4 and rows[0].startswith("source_id,truth,predicted,")


def test_the_record_and_the_rows_say_what_was_found(runs: Runs, tmp_path: Path) -> None:
    train_all(RECIPE, DataSource(), tmp_path, folds=2, seeds=1, quiet=True)
    record = json.loads((tmp_path / "job.json").read_text())
    assert record["schema"] == "mien.job/1" and record["recipe"]["data"]["folds"] == 2
    assert record["accuracy"]["value"] == 0.75 and record["subjects_overlap"] is True
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
    assert [(row["fold"], row["seed"], row["faces"]) for row in rows] == [
        ("1", "3", "4"),
        ("2", "3", "4"),
    ]


def test_the_page_warns_of_people_in_training_and_test(runs: Runs, tmp_path: Path) -> None:
    page = train_all(RECIPE, DataSource(), tmp_path, folds=2, quiet=True).read_text()
    assert "the result is too good" in page and "by-subject, 2 folds" in page
    assert "only 4 people: intervals drawn over people are rough" in page
    assert "mien train tiny.toml --folds 2 --seeds 1" in page
    assert "75.0%" in page and "fold 2, seed 3" in page
    assert page.count("<svg") == 4  # runs, confusion, two measures over the epochs


def test_a_folder_of_another_job_is_refused(runs: Runs, tmp_path: Path) -> None:
    train_all(RECIPE, DataSource(), tmp_path, folds=2, quiet=True)
    with pytest.raises(UsageError, match=r"other settings \(data, epochs, folds differ\)"):
        train_all(replace(RECIPE, epochs=5), DataSource(), tmp_path, folds=3, quiet=True)


def test_a_job_of_before_a_setting_goes_on_with_its_default(runs: Runs, tmp_path: Path) -> None:
    train_all(RECIPE, DataSource(), tmp_path, folds=2, quiet=True)
    plan = json.loads((tmp_path / "plan.json").read_text())
    del plan["data"]["set"], plan["denoise"]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    train_all(RECIPE, DataSource(), tmp_path, folds=2, quiet=True)
    assert len(runs.made) == 2
    with pytest.raises(UsageError, match=r"other settings \(denoise differ\)"):
        train_all(replace(RECIPE, denoise=True), DataSource(), tmp_path, folds=2, quiet=True)


def test_a_file_of_splits_brings_its_folds(runs: Runs, tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    dealing.make(table(), "by-subject", folds=3).save(path)
    source = DataSource(splits=path)
    with pytest.raises(UsageError, match="has 3 folds, got --folds 2"):
        train_all(RECIPE, source, tmp_path / "job", folds=2, quiet=True)
    train_all(RECIPE, source, tmp_path / "job", folds=3, quiet=True)
    assert {recipe.data.protocol for recipe, _, _ in runs.made} == {""}


def test_a_job_does_not_go_on_with_faces_dealt_otherwise(runs: Runs, tmp_path: Path) -> None:
    for seed in (0, 1):
        dealing.make(table(), "by-subject", folds=3, seed=seed).save(tmp_path / f"{seed}.json")
    train_all(RECIPE, DataSource(splits=tmp_path / "0.json"), tmp_path / "job", folds=3, quiet=True)
    with pytest.raises(UsageError, match=r"\(splits differ\)"):
        other = DataSource(splits=tmp_path / "1.json")
        train_all(RECIPE, other, tmp_path / "job", folds=3, quiet=True)
    plan = json.loads((tmp_path / "job" / "plan.json").read_text())
    del plan["faces"]  # as it was before faces and deals were hashed
    plan["splits"] = dealing.Splits.open(tmp_path / "0.json").ids_sha256
    (tmp_path / "job" / "plan.json").write_text(json.dumps(plan))
    train_all(RECIPE, DataSource(splits=tmp_path / "0.json"), tmp_path / "job", folds=3, quiet=True)
    train_all(RECIPE, DataSource(fold="0"), tmp_path / "seeds", folds=None, quiet=True)
    with pytest.raises(UsageError, match=r"\(fold differ\)"):
        train_all(RECIPE, DataSource(fold="1"), tmp_path / "seeds", folds=None, quiet=True)


def test_a_job_does_not_go_on_with_other_faces(runs: Runs, tmp_path: Path) -> None:
    train_all(RECIPE, DataSource(), tmp_path, folds=2, quiet=True)
    runs.faces = "changed"
    with pytest.raises(UsageError, match=r"\(faces differ\)"):
        train_all(RECIPE, DataSource(), tmp_path, folds=2, seeds=2, quiet=True)
    plan = json.loads((tmp_path / "plan.json").read_text())
    del plan["faces"]  # as it was before they were hashed
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    train_all(RECIPE, DataSource(), tmp_path, folds=2, quiet=True)


def test_runs_that_test_nothing_are_no_job(runs: Runs, tmp_path: Path) -> None:
    runs.tests = False
    with pytest.raises(DataError, match=r"no .*test\.json; a job needs faces that test"):
        train_all(RECIPE, DataSource(), tmp_path, folds=2, quiet=True)


def test_only_one_process_of_several_writes(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    train_all(RECIPE, DataSource(), tmp_path, folds=2, quiet=True)
    assert len(runs.made) == 2
    assert not (tmp_path / "plan.json").exists() and not (tmp_path / "index.html").exists()


def test_real_runs_are_joined(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table(48).save(tmp_path / "faces")
    recipe = replace(
        RECIPE,
        side=32,
        epochs=2,
        batch_size=16,
        precision="float32",
        validate_every=1,
        network=NetworkSettings(widths=(4, 8), blocks=(1, 1), dropout=0.0),
        optimizer=Optimizer(learning_rate=0.05, ema=0.0),
    )
    dealing.make(table(48), "by-subject", folds=2).save(tmp_path / "s.json")
    source = DataSource(table=tmp_path / "faces", splits=tmp_path / "s.json")
    out = tmp_path / "job"
    page = train_all(recipe, source, out, folds=2, quiet=True, save_predictions=True)
    record = json.loads((out / "job.json").read_text())
    assert record["faces"] == 48 and record["subjects"] == 6
    assert record["subjects_overlap"] is False and record["interval_over"] in ("people", "faces")
    assert record["protocol"]["splits"] == "by-subject, 2 folds, seed 0"
    tables = [(out / f"fold-{n}/seed-3/predictions.csv").read_text() for n in (1, 2)]
    assert sum(len(text.splitlines()) - 1 for text in tables) == 48
    told = "mien train tiny.toml --table faces --splits s.json"
    assert "by-subject, 2 folds" in page.read_text()
    assert f"{told} --folds 2 --seeds 1" in page.read_text()
    fold = (out / "fold-1/seed-3/index.html").read_text()
    assert f"{told} --fold &quot;fold 1&quot; with" in fold
