"""Videos that are written, whatever their frames and the disk are like."""

from pathlib import Path

import numpy as np
import pytest

import tiny_videos
from mien.errors import OutputError, UsageError
from mien.images import Image
from mien.media.video import open_video
from mien.media.writing import write_video

pytest.importorskip("cv2")


def shown(path: Path) -> list[Image]:
    with open_video(path) as video:
        return [frame.image for frame in video]


def test_a_written_video_keeps_time_when_frames_are_missing(tmp_path: Path) -> None:
    drawn = tiny_videos.pictures(41)[::20]
    with write_video(tmp_path / "out.mp4", (96, 128), 10) as writer:
        for picture, time_s in zip(drawn, (7.0, 7.1, 7.5), strict=True):
            writer.write(picture, time_s)
    levels = [image[-1, 0, 0].item() for image in shown(tmp_path / "out.mp4")]
    assert np.round(np.array(levels) / 80).tolist() == [0, 1, 1, 1, 1, 2]


def test_odd_sizes_and_unknown_kinds(tmp_path: Path) -> None:
    with write_video(tmp_path / "odd.mp4", (97, 129), 10) as writer:
        writer.write(np.zeros((97, 129, 3), np.uint8), 0)
    assert shown(tmp_path / "odd.mp4")[0].shape == (96, 128, 3)
    with pytest.raises(UsageError, match="suffix"), write_video(tmp_path / "a.gif", (96, 96), 10):
        pass
    with pytest.raises(OutputError), write_video(tmp_path / "none" / "a.mp4", (96, 96), 10):
        pass


@pytest.mark.parametrize("shape", [(96, 32), (48, 64), (192, 256)])
def test_a_frame_of_another_size_is_made_to_fit(tmp_path: Path, shape: tuple[int, int]) -> None:
    with write_video(tmp_path / "out.mp4", (96, 128), 10) as writer:
        writer.write(np.zeros((96, 128, 3), np.uint8), 0)
        writer.write(np.full((*shape, 3), 255, np.uint8), 0.1)
    _, second = shown(tmp_path / "out.mp4")
    assert second.shape == (96, 128, 3)
    assert second[:, 54:74].min() > 200  # the middle
    border = second[:, :40]
    assert border.max() < 60 if shape[1] == 32 else border.min() > 200


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi"])
def test_a_full_disk_leaves_the_old_video_and_says_so(
    tmp_path: Path, suffix: str, rng: np.random.Generator
) -> None:
    resource = pytest.importorskip("resource")
    path = tiny_videos.video(tmp_path / f"out{suffix}", tiny_videos.pictures(5))
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with (
            pytest.raises(OutputError, match="is there room"),
            write_video(path, (96, 128), 10) as writer,
        ):
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
            for frame in range(100):
                noise = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
                writer.write(noise, frame / 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_video_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), write_video(tmp_path / "a.mp4", (96, 96), 10):
        raise RuntimeError
    assert not list(tmp_path.iterdir())
