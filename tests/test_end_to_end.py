"""From a data set on disk to a model file that predicts, in one go, on made faces."""

import json
from pathlib import Path

import numpy as np
import pytest

from mien.errors import DataError
from mien.faces.landmarks import Landmarker
from mien.recognizer import ExpressionReader
from mien.session import open_model
from mien.training.material import DataSource
from mien.training.recipe import read_recipe
from mien.training.run import run
from mien.training.settings import Recipe
from tiny_fer import tiny_fer

NETWORK = """
epochs = 2
batch_size = 16
precision = "float32"
validate_every = 1
[network]
widths = [8, 16]
blocks = [1, 1]
stem_stride = 2
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fer")
    made = tiny_fer(per_split=16)
    made.votes[-17, :] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 9]  # a public row that shows no face
    made.write(root / "fer2013.csv")
    made.write_votes(root / "fer2013new.csv")
    made.write_points(root / "landmarks68.npz", [row % 5 != 4 for row in range(48)])
    return root


def recipe(folder: Path, task: str, more: str = "") -> Recipe:
    path = folder / f"{task}.toml"
    path.write_text(f'name = "{task}"\ntask = "{task}"\n{NETWORK}{more}')
    return read_recipe(path)


def test_an_expression_model_trains_exports_and_predicts(data: Path, tmp_path: Path) -> None:
    path = run(recipe(tmp_path, "expression"), DataSource(root=data), tmp_path / "out", quiet=True)
    metadata = open_model(path, kind="expression").metadata
    names = " ".join(record["data_set"] for record in metadata.trained_on)
    assert "FER-2013" in names and "FER+" in names
    assert metadata.extra["rights"]["redistribution"] == "forbidden"
    assert all(0 <= share <= 1 for share in metadata.results["FER-2013 PublicTest"].values())
    assert json.loads((tmp_path / "out" / "run.json").read_text())["recipe"]["epochs"] == 2
    reader = ExpressionReader(path)
    readings = reader.read(np.zeros((3, 48, 48), dtype=np.uint8))
    assert readings.probabilities.shape == (3, 8)
    np.testing.assert_allclose(readings.probabilities.sum(1), 1.0)
    assert ExpressionReader(path, labels="fer2013").read(
        np.zeros((1, 48, 48), dtype=np.uint8)
    ).probabilities.shape == (1, 7)


def test_a_landmark_model_trains_exports_and_locates(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.training.landmarks.BANK", 6)
    more = "pool = 3\n"
    source = DataSource(root=data)
    path = run(recipe(tmp_path, "landmarks", more), source, tmp_path / "out", quiet=True)
    points, faceness = Landmarker(path).from_whole(np.zeros((2, 48, 48), dtype=np.uint8))
    assert points.shape == (2, 68, 2) and np.isfinite(points).all()
    assert faceness.shape == (2,)


def test_data_without_points_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "fer2013.csv").write_bytes((data / "fer2013.csv").read_bytes())
    with pytest.raises(DataError, match=r"landmarks68\.npz"):
        source = DataSource(root=tmp_path / "part")
        run(recipe(tmp_path, "expression"), source, tmp_path / "o", quiet=True)
