"""What is shipped, as the command tells it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import models
from mien import weights
from tiny_fer import tiny_fer


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that ships one tiny model."""
    fields = models.expression_metadata()
    fields["results"] = {"public": {"accuracy": 0.875}}
    path = models.expression_model(tmp_path / "tiny.onnx", fields=fields)
    entry = {
        "file": "tiny.onnx",
        "kind": "expression",
        "sha256": weights.sha256_file(path),
        "bytes": path.stat().st_size,
        "licence": "MIT",
        "description": "A tiny model",
        "default": True,
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"tiny": entry}))
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "MANIFEST", tmp_path / "manifest.json")
    weights.entries.cache_clear()
    yield path
    weights.entries.cache_clear()


def test_json_tells_all_of_a_model(shelf: Path, mien: Callable) -> None:
    done = mien("models", "--format", "json")
    (model,) = json.loads(done.out)
    assert done.code == 0
    assert model["sha256"] == weights.sha256_file(shelf)
    assert model["bytes"] == shelf.stat().st_size
    assert (model["name"], model["kind"], model["default"]) == ("tiny", "expression", True)
    assert model["licence"] == "MIT"
    assert model["results"] == {"public": {"accuracy": 0.875}}
    assert model["trained_on"][0]["licence"] == "none"


def test_the_table_names_size_hash_licence_and_results(shelf: Path, mien: Callable) -> None:
    out = mien("models").out
    assert weights.sha256_file(shelf) in out
    assert "MIT" in out and "0.875" in out and "MB" in out and "tiny" in out


def test_a_changed_file_is_an_error(shelf: Path, mien: Callable) -> None:
    shelf.write_bytes(shelf.read_bytes() + b" ")
    done = mien("models")
    assert done.code == 5
    assert "must have SHA-256" in done.err


def test_the_shipped_models_are_listed(shipped_models: None, mien: Callable) -> None:
    listed = json.loads(mien("models", "--format", "json").out)
    assert {model["kind"] for model in listed} == {"detector", "expression", "landmarks"}
    assert all(model["results"] for model in listed if model["kind"] != "detector")


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for models of one's own."""
    folder = tmp_path / "own"
    monkeypatch.setenv("MIEN_MODELS", str(folder))
    return folder


def test_an_added_model_is_used_by_its_name(
    own_folder: Path, expression_path: Path, photographs: Path, mien: Callable
) -> None:
    added = mien("models", "add", expression_path, "--name", "mine")
    assert added.code == 0 and "--model mine" in added.err
    by_name = mien("predict", photographs, "--model", "mine", "--detector", "whole")
    by_path = mien("predict", photographs, "--model", expression_path, "--detector", "whole")
    assert by_name[:2] == by_path[:2] and by_name.code == 0
    listed = json.loads(mien("models", "list", "--format", "json").out)
    (own,) = [model for model in listed if model["name"] == "mine"]
    assert own["file"] == str(own_folder / "mine.onnx")
    assert own["sha256"] == weights.sha256_file(expression_path)
    assert own["default"] is False


def test_a_model_is_called_as_its_file_says_unless_named(
    own_folder: Path, tmp_path: Path, mien: Callable
) -> None:
    fields = models.expression_metadata() | {"name": "from-the-file"}
    model = models.expression_model(tmp_path / "model.onnx", fields=fields)
    assert mien("models", "add", model).code == 0
    assert (own_folder / "from-the-file.onnx").is_file()


def test_a_removed_model_is_gone(own_folder: Path, expression_path: Path, mien: Callable) -> None:
    mien("models", "add", expression_path, "--name", "mine")
    assert mien("models", "remove", "mine").code == 0
    assert not (own_folder / "mine.onnx").exists()
    again = mien("models", "remove", "mine")
    assert again.code == 5 and "unknown added model 'mine'; there is none" in again.err


def test_an_added_file_that_was_changed_is_refused(
    own_folder: Path, expression_path: Path, photographs: Path, mien: Callable
) -> None:
    mien("models", "add", expression_path, "--name", "mine")
    with (own_folder / "mine.onnx").open("ab") as file:
        file.write(b" ")
    done = mien("predict", photographs, "--model", "mine", "--detector", "whole")
    assert done.code == 5 and "must have SHA-256" in done.err


def test_an_added_file_that_is_gone_is_named(
    own_folder: Path, expression_path: Path, photographs: Path, mien: Callable
) -> None:
    mien("models", "add", expression_path, "--name", "mine")
    (own_folder / "mine.onnx").unlink()
    done = mien("predict", photographs, "--model", "mine")
    assert done.code == 5 and "mien models remove mine" in done.err


def test_an_added_model_that_is_broken_leaves_the_others_listed(
    own_folder: Path, expression_path: Path, mien: Callable
) -> None:
    for name in ("mine", "other"):
        mien("models", "add", expression_path, "--name", name)
    (own_folder / "mine.onnx").unlink()
    listed = {one["name"]: one for one in json.loads(mien("models", "--format", "json").out)}
    assert "mien models remove mine" in listed["mine"].pop("error")
    assert listed["mine"].keys() == listed["other"].keys()
    done = mien("models")
    assert done.code == 0 and "found none: add it again" in done.out and "other: " in done.out


def test_landmarks_are_added_for_their_own_option_and_detectors_for_none(
    own_folder: Path, landmarks_path: Path, mien: Callable
) -> None:
    done = mien("models", "add", landmarks_path, "--kind", "landmarks", "--name", "mine")
    assert done.code == 0 and "use it as --landmarks mine" in done.err
    refused = mien("models", "add", weights.path_of("centerface"), "--kind", "detector")
    assert refused.code == 2 and "unknown kind 'detector'" in refused.err


def test_an_option_before_the_command_is_refused(mien: Callable) -> None:
    for option in (("--format", "json"), ("--quiet",)):
        done = mien("models", *option, "list")
        assert done.code == 2 and "mien models list --format json" in done.err


def test_who_has_no_home_has_no_added_models(
    expression_path: Path, mien: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    for name in ("MIEN_MODELS", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert weights.added() == {} and weights.expected_sha256(expression_path) is None
    done = mien("models", "add", expression_path)
    assert done.code == 6 and "MIEN_MODELS" in done.err


@pytest.mark.parametrize(
    ("name", "message"),
    [("expression", "ships"), ("../x", "letters, digits"), ("taken", "another model 'taken'")],
)
def test_a_name_that_cannot_be_used_is_refused(
    name: str, message: str, own_folder: Path, expression_path: Path, tmp_path: Path, mien: Callable
) -> None:
    fields = models.expression_metadata() | {"recipe_sha256": "other"}
    other = models.expression_model(tmp_path / "other.onnx", fields=fields)
    mien("models", "add", other, "--name", "taken")
    done = mien("models", "add", expression_path, "--name", name)
    assert done.code == 2 and message in done.err


def test_only_a_model_file_can_be_added(own_folder: Path, tmp_path: Path, mien: Callable) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no model")
    assert mien("models", "add", tmp_path / "a.onnx").code == 5
    none = mien("models", "add", tmp_path / "b.onnx")
    assert none.code == 5 and "found none at" in none.err
    assert not own_folder.exists()


def test_a_broken_list_of_added_models_leaves_the_shipped_ones_usable(
    own_folder: Path, shipped_models: None, mien: Callable
) -> None:
    own_folder.mkdir()
    (own_folder / "manifest.json").write_text("{")
    assert weights.path_of(weights.default("expression")).is_file()
    done = mien("models")
    assert done.code == 5 and "add the models again" in done.err


def test_the_folder_is_where_the_system_keeps_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIEN_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setattr("sys.platform", "linux")
    assert weights.added_folder() == Path("/data/mien/models")
    monkeypatch.setattr("sys.platform", "darwin")
    assert weights.added_folder().parts[-4:-2] == ("Library", "Application Support")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert weights.added_folder() == Path("/local/mien/models")


def test_an_added_model_is_compared_by_its_name(
    own_folder: Path, expression_path: Path, tmp_path: Path, mien: Callable
) -> None:
    tiny_fer().write(tmp_path / "fer2013.csv")
    for name in ("one", "two"):
        mien("models", "add", expression_path, "--name", name)
    words = ("--dataset", "fer2013", "--root", tmp_path, "--labels", "fer2013", "--quiet")
    done = mien("compare", "one", "two", *words)
    assert done.code == 0 and "one" in done.out
    assert mien("evaluate", "--model", "two", *words).code == 0
