"""The long video that is measured shows the short one again and again."""

from pathlib import Path

import numpy as np
import pytest

import tiny_videos
from bench.video import looped
from mien.media.video import open_video

pytest.importorskip("cv2")


def test_a_looped_video_repeats_its_frames(tmp_path: Path) -> None:
    short = tiny_videos.video(tmp_path / "short.mp4", tiny_videos.pictures(30))
    long = tmp_path / "long.mp4"
    long.write_bytes(looped(short.read_bytes(), 20))
    with open_video(short) as video:
        once = [frame.image for frame in video]
    with open_video(long) as video:
        assert video.info.frames == 600
        for frame in video:
            assert frame.time_s == pytest.approx(frame.number / 25, abs=2e-3)
            assert np.array_equal(frame.image, once[frame.number % 30])
    assert frame.number == 599 and video.info.damaged == 0
    assert long.stat().st_size < short.stat().st_size + 600 * 12
