"""What `make reproduce` calls, without the hours it takes."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tiny_fer import tiny_fer

ROOT = Path(__file__).parents[1]
QUICK = (
    "--epochs 1 --batch-size 16 --quiet --set network.widths=4,8 --set network.blocks=1,1"
    " --set precision=float32"
)

pytestmark = pytest.mark.skipif(
    not shutil.which("make") or os.name == "nt", reason="needs make and a shell"
)


def make(*words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    known = {name: value for name, value in os.environ.items() if name != "MIEN_DATA"}
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=ROOT,
        env={**known, **(environment or {})},
        capture_output=True,
        text=True,
    )


def command(*words: str, environment: dict[str, str] | None = None) -> list[str]:
    """Give the words after `mien` that would be called."""
    done = make("-n", "reproduce", *words, environment=environment)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "/bin/mien train" in line]
    return shlex.split(line)[1:]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    faces = tiny_fer(per_split=16)
    faces.write(tmp_path / "data" / "fer2013.csv")
    faces.write_votes(tmp_path / "data" / "fer2013new.csv")
    faces.write_points(tmp_path / "data" / "landmarks68.npz", [True] * 48)
    return tmp_path / "data"


def test_the_shipped_recipe_is_trained_into_a_folder_that_git_ignores(tmp_path: Path) -> None:
    words = command(f"DATA={tmp_path}")
    out = "runs/shipped/expression"
    assert words == ["train", "expression", "--data", str(tmp_path), "--out", out]
    assert "/runs/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert command(environment={"MIEN_DATA": str(tmp_path)}) == words


def test_it_says_that_it_takes_hours_and_where_the_file_is(tmp_path: Path) -> None:
    told = make("-n", "reproduce", f"DATA={tmp_path}").stdout
    assert "hours; after a stop the same command goes on" in told
    assert "runs/shipped/expression/expression.onnx" in told


@pytest.mark.parametrize("words", [(), ("DATA=/nowhere",)])
def test_a_folder_that_lacks_is_named_before_anything_is_installed(words: tuple[str, ...]) -> None:
    done = make("reproduce", "VENV=/nowhere/venv", *words)
    assert done.returncode != 0
    assert "expected the folder with fer2013.csv" in done.stderr
    assert "name it: make reproduce DATA=data" in done.stderr
    assert "installing" not in done.stdout


def test_the_command_trains_and_goes_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    from mien.cli import main
    from mien.session import open_model
    from mien.training import paying

    monkeypatch.setattr(paying, "times_as_fast", lambda slow, fast, face: 2.0)
    monkeypatch.chdir(tmp_path)
    words = command(f"DATA={data}", f"TRAIN_FLAGS={QUICK}")
    for _ in range(2):
        assert main(words) == 0
        path = Path(capsys.readouterr().out.strip())
        assert path == Path("runs/shipped/expression/expression.onnx")
        assert open_model(path, kind="expression").metadata.mirror
    log = (path.parent / "log.jsonl").read_text().splitlines()
    assert len(log) == 1
