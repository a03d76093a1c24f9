"""Videos and streams that come over HTTP, from a server of the test's own."""

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_videos
from mien import images
from mien.cli import main
from mien.errors import InputError
from mien.media import video
from mien.media.camera import Camera
from mien.media.video import open_video

cv2 = pytest.importorskip("cv2")

FRAMES, FPS = 10, 20.0


class Site(http.server.BaseHTTPRequestHandler):
    """Gives a clip as a file, and its frames as a stream of JPEGs that ends, or falls silent."""

    clip = b""
    frames: tuple[bytes, ...] = ()
    quiet_s = 0.0

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/clip.avi"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.clip)))
            self.end_headers()
            self.wfile.write(self.clip)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=part")
        self.end_headers()
        for frame in self.frames:
            head = f"--part\r\nContent-Type: image/jpeg\r\nContent-Length: {len(frame)}\r\n\r\n"
            self.wfile.write(head.encode() + frame + b"\r\n")
            time.sleep(1 / FPS)
        time.sleep(self.quiet_s)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pictures = tiny_videos.pictures(FRAMES)
    path = tmp_path_factory.mktemp("site") / "clip.avi"
    Site.clip = tiny_videos.video(path, pictures, fps=FPS).read_bytes()
    Site.frames = tuple(images.encoded(picture, ".jpg") for picture in pictures)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def played(address: str) -> tuple[int, float]:
    """Play an address to its end; give the last frame's number and the seconds that it took."""
    with Camera(address) as camera:
        start, last = time.perf_counter(), -1
        while not camera.ended:
            frame = camera.latest(last, timeout_s=0.05)
            last = frame.number if frame else last
        return last, time.perf_counter() - start


def test_a_file_behind_an_address_is_read_as_a_file(site: str) -> None:
    with open_video(f"{site}/clip.avi") as clip:
        assert (clip.info.frames, clip.info.stream) == (FRAMES, False)
        assert [frame.number for frame in clip] == list(range(FRAMES))


def test_a_file_behind_an_address_plays_at_its_own_pace_and_ends(site: str) -> None:
    last, took_s = played(f"{site}/clip.avi")
    assert last == FRAMES - 1 and took_s > 0.9 * (FRAMES - 1) / FPS


def test_a_stream_gives_its_frames_and_says_that_it_ran_out(site: str) -> None:
    with open_video(f"{site}/stream") as stream:
        assert stream.info.stream and not stream.ran_out
        found = list(stream)
        assert stream.ran_out
    assert len(found) >= FRAMES - 1
    assert np.abs(found[0].image.astype(int) - tiny_videos.pictures(1)[0]).mean() < 12


def test_a_stream_that_ends_is_an_error_of_the_camera(site: str) -> None:
    with pytest.raises(InputError, match="has stopped; start again"):
        played(f"{site}/stream")


def test_a_stream_that_falls_silent_is_given_up_once(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Site, "quiet_s", 20.0)
    monkeypatch.setattr(video, "_WAIT_S", 0.5)
    start = time.perf_counter()
    with open_video(f"{site}/stream") as stream:
        assert len(list(stream)) >= FRAMES - 1
    assert time.perf_counter() - start < 10


class Late:
    """A capture whose frames are slow to come."""

    def __init__(self, capture: Any) -> None:
        self._capture = capture

    def __getattr__(self, name: str) -> Any:
        return getattr(self._capture, name)

    def grab(self) -> bool:
        time.sleep(0.2)
        return bool(self._capture.grab())


def test_what_comes_after_silence_is_not_waited_for(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_video(f"{site}/stream") as stream:
        monkeypatch.setattr(video, "_WAIT_S", 0.1)
        reader: Any = stream._reader
        monkeypatch.setattr(reader, "_capture", Late(reader._capture))
        assert list(stream) == [] and stream.ran_out


def test_an_address_where_nothing_answers_is_asked_once_and_named_without_its_password() -> None:
    with pytest.raises(InputError, match=r"cannot open rtsp://127\.0\.0\.1:9/x: is it on"):
        open_video("rtsp://me:secret@127.0.0.1:9/x")


def test_the_last_line_says_that_a_stream_stopped(
    site: str, shipped_models: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("scipy")
    out = tmp_path / "rows.csv"
    assert main(["predict", f"{site}/stream", "--out", str(out), "--jobs", "1"]) == 0
    assert "the stream stopped at 0:00" in capsys.readouterr().err
    assert out.read_text().count("\n") >= FRAMES
    end = ["--end", "0.1", "--out", str(out), "--jobs", "1"]
    assert main(["predict", f"{site}/stream", *end]) == 0
    assert "stopped" not in capsys.readouterr().err
