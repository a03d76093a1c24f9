"""What the rectangle shows is what the network gets, and what is kept."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import images
from mien.errors import OutputError
from mien.images import Image
from mien.images.overlay import RED
from mien.live.capture import NO_FACE, Capture, edges, keep, sentence, square
from mien.records import Prediction

SIZE_HW = (480, 640)


class Asked:
    """A recognizer that keeps what it is asked."""

    def __init__(self, answer: list[Prediction]) -> None:
        self.answer, self.asked = answer, []

    def __call__(self, image: Image) -> list[Prediction]:
        self.asked.append(image.copy())
        return self.answer


@pytest.fixture
def picture(rng: np.random.Generator) -> Image:
    """No pixel of it is red."""
    return rng.integers(0, 200, (*SIZE_HW, 3), dtype=np.uint8)


@pytest.fixture
def asked(predicted: Callable[..., Prediction]) -> Asked:
    return Asked([predicted()])


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def scene(camera: Any, asked: Asked, picture: Image, said: list[str]) -> Capture:
    camera.give(0, 0.0, picture)
    return Capture(camera, asked, mirrored=True, say=said.append)  # type: ignore[arg-type]


def test_the_network_gets_exactly_what_the_line_encloses(scene: Capture, asked: Asked) -> None:
    shown = scene.next([])
    red = np.argwhere((shown == RED).all(axis=2))
    (top, left), (bottom, right) = red.min(axis=0), red.max(axis=0)
    inside = shown[top + 3 : bottom - 2, left + 3 : right - 2]
    assert not (inside == RED).all(axis=2).any()
    scene.next(["space"])
    (crop,) = asked.asked
    assert (inside[:, ::-1] == crop).all()


@pytest.mark.parametrize("size_hw", [(480, 640), (481, 641), (480, 641), (641, 480), (50, 50)])
def test_the_square_is_its_own_mirror_image(size_hw: tuple[int, int]) -> None:
    left, top, side = square(np.zeros((*size_hw, 3), np.uint8))
    assert left == size_hw[1] - (left + side)
    assert 0.75 * min(size_hw) < side < min(size_hw)
    assert top + side < size_hw[0]
    assert edges((left, top, side)) == (left, top, left + side - 1, top + side - 1)


def test_the_picture_is_the_one_that_was_on_screen(
    scene: Capture, camera: Any, asked: Asked, picture: Image
) -> None:
    scene.next([])
    camera.give(1, 0.04, 255 - picture)
    scene.next(["space"])
    left, top, side = square(picture)
    assert (asked.asked[0] == picture[top : top + side, left : left + side]).all()


def test_any_key_goes_on_and_the_answer_stays_till_then(
    scene: Capture, camera: Any, picture: Image
) -> None:
    scene.next([])
    assert scene.next(["space"]) is not None
    camera.give(1, 0.04, picture)
    assert scene.next([]) is None
    assert scene.next(["x"]) is None
    assert scene.next([]) is not None
    assert not scene.ended and scene.count == 1


@pytest.mark.parametrize("key", ["q", "Escape"])
@pytest.mark.parametrize("taken", [False, True])
def test_a_key_ends_it(scene: Capture, key: str, taken: bool) -> None:
    scene.next([])
    scene.next(["space"] if taken else [])
    scene.next([key])
    assert scene.ended


def test_an_answer_outlasts_the_video(scene: Capture, camera: Any) -> None:
    scene.next([])
    scene.next(["space"])
    camera.ended = True
    assert not scene.ended
    scene.next(["x"])
    assert scene.ended


def test_the_answer_is_told_in_a_sentence(scene: Capture, said: list[str]) -> None:
    scene.next([])
    scene.next(["space"])
    assert said == ["Your face shows happiness (70%) ... and a bit of neutral (20%)"]


def test_a_picture_without_a_face_is_told(scene: Capture, asked: Asked, said: list[str]) -> None:
    asked.answer = []
    scene.next([])
    assert scene.next(["space"]) is not None
    assert said == [" ".join(NO_FACE)]


def test_doubt_and_what_is_hidden_are_told(predicted: Callable[..., Prediction]) -> None:
    shares = {"neutral": 0.998, "fear": 0.002}
    lines = sentence(predicted(shares, certain=False, hidden=("mouth",)))
    assert lines == ("Your face may show", "neutral (>99%)", "... and no other", "(mouth hidden)")


def test_kept_are_the_whole_picture_and_the_square_in_two_sizes(
    camera: Any, asked: Asked, picture: Image, said: list[str], tmp_path: Path
) -> None:
    camera.give(0, 0.0, picture)
    scene = Capture(camera, asked, mirrored=True, folder=tmp_path / "kept", say=said.append)  # type: ignore[arg-type]
    scene.next([])
    scene.next(["space"])
    (folder,) = (tmp_path / "kept").iterdir()
    assert said[-1] == f"kept in {folder}"
    assert (images.read(folder / "original.png") == picture).all()
    for side in (48, 96):
        kept = images.read(folder / f"{side}.png")
        assert kept.shape == (side, side)
        average = images.to_grey(asked.asked[0]).reshape(48, 8, 48, 8).mean(axis=(1, 3))
        assert side != 48 or np.abs(kept - average).max() <= 0.5 + 1e-9


def test_nothing_is_kept_unasked(
    scene: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for keys in itertools.islice(itertools.cycle([[], ["space"], ["x"]]), 9):
        scene.next(keys)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_an_error(picture: Image, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        keep(tmp_path / "file" / "below", picture, picture)
