"""The live picture: faces framed where they are, text that reads from left to right."""

from collections.abc import Callable

import numpy as np
import pytest

from mien.images.overlay import (
    FOOT,
    GREEN,
    PANEL,
    RED,
    TRACKS,
    Look,
    Mark,
    answer,
    guide,
    notice,
    overlay,
)
from mien.records import Face, Prediction

LINES = {"left": "left", "right": "right"}
SHARES = {
    name: share
    for name, share in zip(
        "neutral happiness surprise sadness anger disgust fear contempt".split(),
        (0.1, 0.5, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05),
        strict=True,
    )
}
GREY = np.full((480, 640, 3), 90, np.uint8)


@pytest.fixture
def face() -> Callable[..., Mark]:
    def made(
        box_xyxy: tuple[float, float, float, float] = (200, 120, 320, 280),
        track: int = 1,
        **fields: object,
    ) -> Mark:
        options = {"certain": True, "hidden": (), **fields}
        found = Prediction(Face(box_xyxy, 0.9), "happiness", 0.5, SHARES, **options)  # type: ignore[arg-type]
        return Mark(found, track)

    return made


def where(picture: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Bound the pixels of a colour: left, top, right, bottom."""
    rows, columns = np.nonzero((picture == colour).all(axis=2))
    return columns.min(), rows.min(), columns.max(), rows.max()


def test_the_picture_is_framed_and_lined_and_the_image_left_alone(
    face: Callable[..., Mark],
) -> None:
    before = GREY.copy()
    shown = overlay(GREY, [face()], Look(), **LINES)
    assert shown.shape == (480 + FOOT, 640 + PANEL, 3)
    assert (before == GREY).all()
    assert (shown[400:480, :640] == 90).all()
    assert (shown[200, 200:203] == TRACKS[1]).all()


def test_without_bars_the_panel_is_gone(face: Callable[..., Mark]) -> None:
    assert overlay(GREY, [face()], Look(bars=False), **LINES).shape == (480 + FOOT, 640, 3)


def test_a_mirror_turns_the_picture_and_no_text(
    face: Callable[..., Mark], rng: np.random.Generator
) -> None:
    image = rng.integers(0, 256, GREY.shape, dtype=np.uint8)
    mark = face((200, 120, 320, 280), hidden=("mouth",))
    turned = face((640 - 1 - 320, 120, 640 - 1 - 200, 280), hidden=("mouth",))
    mirrored = overlay(image, [mark], Look(mirrored=True), **LINES)
    plain = overlay(np.ascontiguousarray(image[:, ::-1]), [turned], Look(), **LINES)
    assert (mirrored == plain).all()


def test_green_frames_all_faces_alike(face: Callable[..., Mark]) -> None:
    marks = [face((60, 80, 160, 200), track=1), face((400, 100, 520, 260), track=2)]
    shown = overlay(GREY, marks, Look(green=True, bars=False), **LINES)
    assert where(shown, GREEN) == (60, 80, 520, 260)
    for track in (1, 2):
        assert not (shown == TRACKS[track]).all(axis=2).any()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 9, 30])
@pytest.mark.parametrize("look", [Look(), Look(green=True, mirrored=True)])
def test_any_number_of_faces_fits(count: int, look: Look, face: Callable[..., Mark]) -> None:
    marks = [face((10.0 * n, 5.0 * n, 10.0 * n + 60, 5.0 * n + 70), n) for n in range(count)]
    shown = overlay(GREY, marks, look, **LINES)
    assert shown.shape == (480 + FOOT, 640 + PANEL, 3)


@pytest.mark.parametrize("box", [(-40, -30, 30, 50), (600, 440, 700, 520), (-9, -9, 700, 500)])
def test_a_face_at_the_edge_is_labelled_within_the_picture(
    box: tuple[float, float, float, float], face: Callable[..., Mark]
) -> None:
    shown = overlay(GREY, [face(box, hidden=("eyes", "mouth"), certain=False)], Look(), **LINES)
    white = (shown[:480, :640] == 255).all(axis=2)
    assert white.sum() > 50


@pytest.mark.parametrize(
    ("size_hw", "shown_hw"),
    [
        ((240, 320), (480, 640)),
        ((1080, 1920), (540, 960)),
        ((640, 480), (720, 540)),
        ((480, 640), (480, 640)),
    ],
)
def test_pictures_come_at_a_size_to_look_at(
    size_hw: tuple[int, int], shown_hw: tuple[int, int], face: Callable[..., Mark]
) -> None:
    height, width = size_hw
    mark = face((width * 0.25, height * 0.25, width * 0.5, height * 0.75))
    look = Look(bars=False, green=True)
    shown = overlay(np.full((*size_hw, 3), 90, np.uint8), [mark], look, **LINES)
    assert shown.shape[:2] == (shown_hw[0] + FOOT, shown_hw[1])
    expected = np.array(
        [shown_hw[1] * 0.25, shown_hw[0] * 0.25, shown_hw[1] / 2, shown_hw[0] * 0.75]
    )
    assert np.abs(np.array(where(shown, GREEN)) - expected).max() <= 2


def test_the_guide_lies_outside_of_its_box() -> None:
    shown = guide(GREY, (128, 48, 511, 431), mirrored=True, **LINES)
    assert (shown[48:432, 128:512] == 90).all()
    assert where(shown, RED) == (125, 45, 514, 434)


def test_the_answer_shows_the_square_and_its_lines(face: Callable[..., Mark]) -> None:
    crop = np.full((384, 384, 3), (10, 200, 30), np.uint8)
    lines = ("Your face shows", "happiness (50%)", "... and a bit of neutral (10%)")
    shown = answer(crop, lines, face().prediction, (480, 720))
    assert shown.shape == (480 + FOOT, 720, 3)
    left, top, right, bottom = where(shown, (10, 200, 30))
    assert right - left == bottom - top and right < 360
    without = answer(crop, ("No face", "Try again", "..."), None, (480, 720))
    assert (shown != without).any()


def test_a_notice_wraps_its_words() -> None:
    shown = notice(["Title", "word " * 60], (420, 640), **LINES)
    dark = np.nonzero((shown[:420] < 100).all(axis=2))
    assert dark[1].max() < 640 - 30 and dark[0].max() > 150
