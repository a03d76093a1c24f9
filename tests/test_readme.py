"""Every command and every Python snippet of the README exists and runs.

What a command names is made first: a photograph under an image's name, a folder of them under a
folder's, a tiny FER-2013 under `--root`. A training is not run, nor what needs one or a screen, nor
what does not end: options are looked up.
"""

import ast
import io
import re
import shlex
import shutil
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

import tiny_videos
from mien import images, weights
from mien.data.readers.fer2013 import read_fer2013
from tiny_fer import tiny_fer

ROOT = Path(__file__).parents[1]
SHELLS = {"", "sh", "bash", "shell", "console"}
# What a reader types beside our own commands.
OTHERS = {"cd", "git", "source", "ls", "find", "python", "pip", "make"}
# Commands whose first word, if it is none of our options, is a photograph or a folder of them.
TAKE_A_PHOTOGRAPH = {"occlude", "explain"}
# Commands that take hours, or the folder of a run that did, and those that end when they are told.
LONG = {"train", "export", "distill", "live", "serve"}
# The options of `mien predict` whose value names no photograph.
VALUED = {"--format", "--draw", "--model", "--detector", "--labels", "--min-face", "--jobs"}
VALUED |= {"--provider", "--threads", "--out", "--events", "--timeline"}

Words = tuple[str, ...]


class Block(NamedTuple):
    """A fenced block of the README: its line, language and text."""

    line: int
    language: str
    text: str


def blocks() -> list[Block]:
    text = (ROOT / "README.md").read_text("utf-8")
    return [
        Block(text[: found.start()].count("\n") + 1, found[1].strip(), found[2])
        for found in re.finditer(r"^```(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)
    ]


def commands() -> list[Words]:
    """List what the shell blocks call, in order; in a `console` block what follows a `$`."""
    return [
        part
        for block in blocks()
        if block.language in SHELLS
        for line in block.text.replace("\\\n", " ").splitlines()
        if block.language != "console" or line.startswith("$ ")
        for part in calls(line.removeprefix("$ "))
    ]


def calls(line: str) -> list[Words]:
    """Split a line into the programs it calls, without a comment or a redirection."""
    words = shlex.split(line, comments=True)
    words = words[: words.index(">")] if ">" in words else words
    found: list[list[str]] = [[]]
    for word in words:
        if word in ("|", "&&", ";"):
            found.append([])
        else:
            found[-1].append(word)
    return [(Path(call[0]).name, *call[1:]) for call in found if call]


def called(program: str) -> list[Words]:
    """List the distinct argument lists that a program is called with."""
    return list(dict.fromkeys(words[1:] for words in commands() if words[0] == program))


def snippets() -> list[Block]:
    return [block for block in blocks() if block.language == "python"]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with the project's recipes."""
    monkeypatch.chdir(tmp_path)
    if (ROOT / "recipes").is_dir():
        shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    return tmp_path


def make_image(name: str) -> None:
    """Put the sample portrait where an image, a glob or a folder of images is named."""
    path = Path(name.replace("*", "portrait"))
    path = path if path.suffix in images.SUFFIXES else path / "portrait.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, images.read(weights.sample_portrait()))


def make_video(name: str) -> None:
    pytest.importorskip("cv2")
    tiny_videos.video(Path(name), tiny_videos.pictures(3))


def make_option(name: str, path: Path) -> None:
    """Make the file or folder that an option names."""
    faces = tiny_fer()
    path.parent.mkdir(parents=True, exist_ok=True)
    if name == "--root":
        faces.write(path / "fer2013.csv")
        faces.write_votes(path / "fer2013new.csv")
        faces.write_official(path / "ferplus-official")
    elif name == "--points":
        faces.write_points(path, [True] * len(faces.labels))
    elif name == "--list":
        tested = [
            face
            for face, split in zip(faces.names, faces.splits, strict=True)
            if split == "private"
        ]
        path.write_text("".join(f"0_{face} 8\n" for face in tested))
    elif name == "--table":
        read_fer2013(faces.write(path.parent / "fer2013.csv")).save(path)
    elif name == "--model":
        shutil.copyfile(weights.path_of(weights.default("expression")), path)


def prepare(command: str, arguments: Words) -> None:
    """Make what the arguments name, where it is not there yet."""
    for before, word in pairwise(("", *arguments)):
        valued = before.startswith("--") and (command != "predict" or before in VALUED)
        if word.startswith("-") or Path(word).exists():
            continue
        if valued:
            make_option(before, Path(word))
        elif word.endswith(".mp4"):
            make_video(word)
        elif command == "predict" or (command in TAKE_A_PHOTOGRAPH and word == arguments[0]):
            make_image(word)
        elif command == "verify" and word == arguments[0]:
            make_receipt(Path(word), arguments[arguments.index("--root") + 1])


def make_receipt(path: Path, root: str) -> None:
    """Evaluate the faces under a root, made first, for something to verify."""
    make_option("--root", Path(root))
    words = ("--dataset", "fer2013", "--root", root, "--receipt", str(path), "--quiet")
    assert run("evaluate", *words) == 0


def run(*words: str) -> int:
    from mien.cli import main

    return main(list(words))


@pytest.mark.parametrize("words", called("mien"), ids=shlex.join)
def test_a_command_of_the_readme_runs(
    words: Words,
    workspace: Path,
    shipped_models: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if words[0] in LONG:
        check_long(words, capsys)
        return
    prepare(words[0], words[1:])
    if "-" in words:
        make_image("listed.jpg")
        monkeypatch.setattr(sys, "stdin", io.StringIO("listed.jpg\n"))
    assert run(*words) == 0, capsys.readouterr().err


def check_long(words: Words, capsys: pytest.CaptureFixture[str]) -> None:
    """Look up a command's options, and the recipe of a training."""
    assert run(words[0], "--help") == 0
    known = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known
    if words[0] == "train" and not words[1].startswith("--"):
        from mien.training.shipped import recipe_path

        assert recipe_path(words[1]).is_file(), f"no recipe {words[1]}"


def image_names(source: str) -> list[str]:
    """List the strings of a snippet that name images."""
    strings = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    suffixes = tuple(images.SUFFIXES)
    return [text for text in strings if isinstance(text, str) and text.endswith(suffixes)]


@pytest.mark.parametrize("block", snippets(), ids=lambda block: f"line {block.line}")
def test_a_snippet_of_the_readme_runs(block: Block, workspace: Path, shipped_models: None) -> None:
    for name in image_names(block.text):
        make_image(name)
    exec(compile(block.text, f"README.md:{block.line}", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("words", called("make"), ids=shlex.join)
def test_a_make_target_of_the_readme_exists(words: Words) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {word for word in words if "=" not in word} <= set(targets)


@pytest.mark.parametrize("words", called("pip"), ids=shlex.join)
def test_an_extra_of_the_readme_exists(words: Words) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = ",".join(re.findall(r"\[([a-z0-9,]+)\]", " ".join(words)))
    assert set(filter(None, asked.split(","))) <= set(project["optional-dependencies"])


def test_every_program_of_the_readme_is_known() -> None:
    assert {words[0] for words in commands()} <= {"mien", *OTHERS}


def test_demo_and_test_are_the_first_two_commands() -> None:
    found = [words for words in commands() if words[0] not in {"git", "cd"}]
    assert found[:2] == [("make", "demo"), ("make", "test")]


def test_every_command_of_the_program_is_in_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    folder = ROOT / "src" / "mien" / "cli"
    names = {path.stem for path in folder.iterdir() if not path.stem.startswith("_")}
    assert run("--help") == 0
    shown = capsys.readouterr().out
    offered = {name for name in names if re.search(rf"\b{name}\b", shown)}
    assert offered <= {words[0] for words in called("mien")}
