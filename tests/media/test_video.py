"""Frames as they are shown, whatever the file is like."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_videos
from mien import images
from mien.errors import InputError, MissingExtraError, UsageError
from mien.media.sequences import numbered
from mien.media.video import Frame, Video, is_video, open_video, plain_name

pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds at 25 frames a second."""
    path = tmp_path_factory.mktemp("videos") / "clip.mp4"
    return tiny_videos.video(path, tiny_videos.pictures(50))


def frames(source: str | Path, **options: float) -> list[Frame]:
    with open_video(source, **options) as video:  # type: ignore[arg-type]
        return list(video)


def numbers(source: str | Path, **options: float) -> list[int]:
    return [frame.number for frame in frames(source, **options)]


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".mov", ".webm"])
def test_frames_come_in_order_with_their_times_and_colours(tmp_path: Path, suffix: str) -> None:
    drawn = tiny_videos.pictures(10)
    found = frames(tiny_videos.video(tmp_path / f"clip{suffix}", drawn))
    assert [frame.number for frame in found] == list(range(10))
    assert [frame.time_s for frame in found] == pytest.approx([n / 25 for n in range(10)], abs=2e-3)
    for frame, picture in zip(found, drawn, strict=True):
        assert np.abs(frame.image.astype(int) - picture).mean() < 12
        assert frame.image[25, 20 + 2 * frame.number, 0] > 180  # red, not blue


def test_what_is_known_of_a_video_is_told(clip: Path) -> None:
    with open_video(clip) as video:
        info = video.info
    assert (info.width, info.height, info.fps, info.frames, info.damaged) == (128, 96, 25, 50, 0)


def test_every_takes_each_so_many_th_frame(clip: Path) -> None:
    assert numbers(clip, every=20) == [0, 20, 40]


@pytest.mark.parametrize("fps", [1.0, 5.0, 10.0, 25.0, 60.0])
def test_fps_takes_so_many_frames_a_second(clip: Path, fps: float) -> None:
    times = np.array([frame.time_s for frame in frames(clip, fps=fps)])
    assert len(times) == 2 * min(fps, 25)
    assert np.abs(times - np.arange(len(times)) / min(fps, 25)).max() < 0.04


def test_start_and_end_bound_the_times(clip: Path) -> None:
    assert numbers(clip, start_s=0.4, end_s=0.48) == [10, 11, 12]
    assert numbers(clip, start_s=1.9, every=2) == [48]
    assert numbers(clip, start_s=100) == []


def test_frames_behind_a_number_are_the_same_as_in_the_whole(clip: Path) -> None:
    whole = frames(clip, fps=10)
    with open_video(clip, fps=10) as video:
        rest = list(video.after(whole[7].number))
    assert [frame.number for frame in rest] == [frame.number for frame in whole[8:]]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(rest, whole[8:], strict=True))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 50),
        ({"every": 20}, 2),
        ({"fps": 10}, 20),
        ({"fps": 100}, 50),
        ({"start_s": 1, "end_s": 1.4}, 10),
    ],
)
def test_how_many_frames_will_come_is_estimated(
    clip: Path, options: dict[str, float], expected: int
) -> None:
    with open_video(clip, **options) as video:  # type: ignore[arg-type]
        assert video.expected() == expected


def test_a_telephones_turned_video_comes_upright(tmp_path: Path) -> None:
    drawn = tiny_videos.pictures(3)
    path = tiny_videos.turn(tiny_videos.video(tmp_path / "turned.mp4", drawn))
    with open_video(path) as video:
        (first, *_), info = list(video), video.info
    assert (info.width, info.height) == (96, 128)
    assert np.abs(first.image.astype(int) - np.rot90(drawn[0], -1)).mean() < 12


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    path = tiny_videos.video(tmp_path / "slower.mp4", tiny_videos.pictures(20))
    times = [frame.time_s for frame in frames(tiny_videos.slow_down(path, 5))]
    expected = [n / 25 for n in range(11)] + [0.4 + 5 * n / 25 for n in range(1, 10)]
    assert times == pytest.approx(expected, abs=2e-3)
    assert [round(frame.time_s, 1) for frame in frames(path, fps=5)] == [
        *(0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2)
    ]


def test_damaged_frames_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = tiny_videos.video(tmp_path / "clip.avi", tiny_videos.pictures(20))
    tiny_videos.damage(path, [5, 6, 12])
    with open_video(path) as video:
        found = list(video)
    assert [frame.number for frame in found] == [n for n in range(20) if n not in (5, 6, 12)]
    assert found[5].time_s == pytest.approx(7 / 25, abs=1e-3)
    assert video.info.damaged == 3


class Failing:
    """A decoder that fails twice before frame 3; frames 4 and 5 are those that are missing."""

    def __init__(self, shown: Sequence[int | None]) -> None:
        self._shown, self._at = list(shown), -1

    def grab(self) -> bool:
        self._at += 1
        return self._at < len(self._shown) and self._shown[self._at] is not None

    def get(self, _: int) -> float:
        number = self._shown[self._at]
        assert number is not None
        return 1000 * number / 25

    def release(self) -> None:
        pass


@pytest.mark.parametrize(
    "shown",
    [[0, 1, 2, None, None, 3, 6, 7], [0, None, None, 3, 4], [None, 1, 2], [None, 0, 2, None, 3, 5]],
)
def test_a_frame_keeps_its_number_where_later_ones_are_damaged(
    clip: Path, shown: list[int | None]
) -> None:
    with open_video(clip) as video:
        capture: Any = video._reader
        capture._capture.release()
        capture._capture, capture._patience = Failing(shown), 3
        found = []
        while capture.advance():
            found.append((capture.number, round(25 * capture.time_s)))
    assert found == [(number, number) for number in shown if number is not None]


def test_an_empty_file_is_named_so(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(InputError, match="it is empty"):
        open_video(tmp_path / "a.mp4")


def test_a_video_that_was_cut_short_gives_what_it_has(tmp_path: Path) -> None:
    path = tiny_videos.video(tmp_path / "clip.avi", tiny_videos.pictures(20))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 3 < len(frames(path)) < 20


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """A folder of five numbered images, of which the third is none."""
    for number, picture in enumerate(tiny_videos.pictures(5), start=9):
        images.write(tmp_path / f"img{number:02d}.png", picture)
    (tmp_path / "img11.png").write_bytes(b"no image")
    return tmp_path


@pytest.mark.parametrize("pattern", ["img%02d.png", "img%d.png", ""])
def test_an_image_sequence_is_a_video(sequence: Path, pattern: str) -> None:
    with open_video(sequence / pattern, fps=10) as video:
        found = list(video)
    assert [(frame.number, frame.time_s) for frame in found] == [
        (0, 0),
        (1, 0.1),
        (3, 0.3),
        (4, 0.4),
    ]
    assert np.array_equal(found[0].image, tiny_videos.pictures(5)[0])
    assert (video.info.frames, video.info.damaged) == (5, 1)


def test_numbers_in_the_names_of_a_folder_are_taken_as_numbers(tmp_path: Path) -> None:
    names = ["a2b10.png", "frame1.png", "frame2.png", "frame10.png", "frame010.png"]
    for name in names:
        (tmp_path / name).touch()
    found = [path.name for path in numbered(tmp_path)]
    assert found == ["a2b10.png", "frame1.png", "frame2.png", "frame010.png", "frame10.png"]
    assert [path.name for path in numbered(tmp_path / "frame%d.png")] == found[1:]


def test_a_sequence_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image fits"):
        open_video(tmp_path / "img%d.png")
    (tmp_path / "img1.png").touch()
    with pytest.raises(InputError, match="can be read"):
        open_video(tmp_path / "img%d.png")


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_video(tmp_path / "gone.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(InputError, match="no video that OpenCV can read"):
        open_video(tmp_path / "text.mp4")


@pytest.mark.parametrize(
    "options",
    [
        {"every": 0},
        {"fps": 0},
        {"fps": math.nan},
        {"start_s": -1},
        {"end_s": 0},
        {"start_s": 2, "end_s": 1},
    ],
)
def test_what_cannot_be_meant_is_refused(clip: Path, options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        open_video(clip, **options)  # type: ignore[arg-type]


def test_names_tell_videos() -> None:
    videos = ["a.mp4", "A.MOV", "rtsp://host/live", "https://host/x", "shots/img%04d.png"]
    assert all(map(is_video, videos))
    assert not any(map(is_video, ["a.jpg", "photos", "100%d", "*.png", "C:/photos"]))


def test_an_address_is_named_without_its_password() -> None:
    assert plain_name("rtsp://me:secret@host/live") == "rtsp://host/live"
    assert plain_name("a@b.mp4") == "a@b.mp4"


def test_without_opencv_the_extra_is_named(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"mien\[video\]"):
        open_video(clip)


def test_a_video_is_a_context(clip: Path) -> None:
    with open_video(clip) as video:
        assert isinstance(video, Video)
