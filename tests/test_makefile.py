"""What `make reproduce` calls, without the hours it takes."""

import os
import shlex
import shutil
import subprocess
import tomllib
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


def commands(*words: str, environment: dict[str, str] | None = None) -> list[list[str]]:
    """Give the words after `mien` of all that would be called in a fresh clone."""
    done = make("-n", "reproduce", *words, environment=environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.replace("\\\n", "").splitlines()
    return [shlex.split(line.partition("/bin/mien ")[2]) for line in lines if "/bin/mien " in line]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    faces = tiny_fer(per_split=16)
    faces.write(tmp_path / "data" / "fer2013.csv")
    faces.write_votes(tmp_path / "data" / "fer2013new.csv")
    faces.write_points(tmp_path / "data" / "landmarks68.npz", [True] * 48)
    return tmp_path / "data"


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A venv whose `mien` notes its words and leaves the files of a run; it stops where told."""
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    mien = f"""#!/bin/sh
        echo "$*" >> '{tmp_path}/calls'
        while [ "$1" != --out ]; do shift; done
        case $2 in
            *.npz) touch "$2" ;;
            *) mkdir -p "$2"; touch "$2/last.safetensors"
               case "$2" in *"$STOP") exit 130 ;; esac
               touch "$2/index.html" ;;
        esac
    """
    for name, script in (("mien", mien), ("python", "#!/bin/sh\n")):
        (folder / "bin" / name).write_text(script)
        (folder / "bin" / name).chmod(0o755)
    (folder / "dev").touch()
    return folder


def test_both_stages_are_trained_into_folders_that_git_ignores(tmp_path: Path) -> None:
    data, out = ["--data", str(tmp_path)], "runs/shipped/expression"
    answers = f"{out}/answers.npz"
    start = ["--start", f"{out}/best.safetensors", "--set", f"distillation.file={answers}"]
    called = commands(f"DATA={tmp_path}")
    assert called == [
        ["train", "expression", *data, "--out", out],
        ["distill", f"{out}/expression.onnx", *data, "--views", "4", "--out", answers],
        ["train", "expression-second", *data, "--out", f"{out}-second", *start],
    ]
    assert "/runs/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert commands(environment={"MIEN_DATA": str(tmp_path)}) == called


def test_the_second_recipe_names_what_the_first_stage_leaves(tmp_path: Path) -> None:
    second = tomllib.loads((ROOT / "recipes" / "expression-second.toml").read_text("utf-8"))
    words = commands(f"DATA={tmp_path}")[2]
    assert second["start"] in words
    assert f"distillation.file={second['distillation']['file']}" in words
    assert second["name"] == "expression"


def test_a_recipe_of_one_stage_is_trained_once(tmp_path: Path) -> None:
    (words,) = commands(f"DATA={tmp_path}", "RECIPE=landmarks", "TRAIN_FLAGS=--device cuda")
    out = ["--out", "runs/shipped/landmarks", "--device", "cuda"]
    assert words == ["train", "landmarks", "--data", str(tmp_path), *out]
    told = make("-n", "reproduce", f"DATA={tmp_path}", "RECIPE=landmarks").stdout
    assert "made again: runs/shipped/landmarks/landmarks.onnx" in told


@pytest.mark.parametrize(
    ("stop", "repeated"),
    [("/run", ["train", "distill", "train"]), ("/run-second", ["train"]), ("", ["train"])],
)
def test_after_a_stop_the_same_command_does_what_is_left(
    venv: Path, tmp_path: Path, stop: str, repeated: list[str]
) -> None:
    words = (f"VENV={venv}", f"DATA={tmp_path}", f"RUN={tmp_path}/run", "TRAIN_FLAGS=--seed 5")
    first = make("reproduce", *words, environment={"STOP": stop or "/none"})
    assert (first.returncode != 0) == bool(stop)
    before = (tmp_path / "calls").read_text().splitlines()
    again = make("reproduce", *words, environment={"STOP": "/none"})
    assert again.returncode == 0, again.stderr
    assert f"its second stage: {tmp_path}/run-second/expression.onnx" in again.stdout
    called = (tmp_path / "calls").read_text().splitlines()[len(before) :]
    assert [line.split()[0] for line in called] == repeated
    assert called[-1].startswith("train expression-second") and "--seed 5" in called[-1]


def test_it_says_that_it_takes_hours_and_where_the_file_is(tmp_path: Path) -> None:
    told = make("-n", "reproduce", f"DATA={tmp_path}").stdout
    assert "hours; after a stop the same command goes on" in told
    assert "made again: runs/shipped/expression/expression.onnx" in told
    assert "its second stage: runs/shipped/expression-second/expression.onnx" in told


@pytest.mark.parametrize("words", [(), ("DATA=/nowhere",)])
def test_a_folder_that_lacks_is_named_before_anything_is_installed(words: tuple[str, ...]) -> None:
    done = make("reproduce", "VENV=/nowhere/venv", *words)
    assert done.returncode != 0
    assert "expected the folder with fer2013.csv" in done.stderr
    assert "name it: make reproduce DATA=data" in done.stderr
    assert "installing" not in done.stdout


def test_the_commands_train_both_stages(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    from mien.cli import main
    from mien.session import open_model
    from mien.training import paying

    monkeypatch.setattr(paying, "times_as_fast", lambda slow, fast, face: 2.0)
    monkeypatch.chdir(tmp_path)
    for words in commands(f"DATA={data}", f"TRAIN_FLAGS={QUICK}"):
        assert main(words) == 0
    out = Path("runs/shipped/expression-second")
    assert Path(capsys.readouterr().out.splitlines()[-1]) == out / "expression.onnx"
    metadata = open_model(out / "expression.onnx", kind="expression").metadata
    assert metadata.mirror and metadata.name == "expression"
    assert (out / "mixed.safetensors").is_file()
    assert len((out / "log.jsonl").read_text().splitlines()) == 1
    assert str(tmp_path) not in (out / "run.json").read_text()
