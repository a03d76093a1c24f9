"""Webcam and video on the page, in a real browser."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browsing import OpenPage, face, moving, needed, violations

REFUSED = """navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException("refused", "%s");
};"""
ASKING = """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) => new Promise((done) => {
  window.allow = async () => { window.given = await ask(wanted); done(given); };
});"""
STREAM = "document.querySelector('#webcam video').srcObject"


@pytest.fixture
def film_path(portrait_path: Path, tmp_path: Path) -> Path:
    """Four seconds of the portrait as VP8, which browsers play."""
    cv2 = needed("cv2")
    path = tmp_path / "film.webm"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"VP80"), 10, (480, 360))
    for frame in moving(portrait_path, 40):
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def table(page: Any, button: str, folder: Path) -> list[dict[str, str]]:
    """Download the table that the button gives."""
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(folder / "live.csv")
    with (folder / "live.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def start_camera(page: Any) -> None:
    page.click("#tab-webcam")
    page.click("#camera-start")
    page.wait_for_selector("#webcam .lane")


def test_the_webcam_is_read_until_it_is_stopped(page: Any, tmp_path: Path) -> None:
    start_camera(page)
    page.wait_for_function(
        "() => /second/.test(document.querySelector('#webcam .pace').textContent)"
    )
    assert page.inner_text("#webcam .face .name") == "happiness"
    assert "mirror" in page.get_attribute("#webcam .view", "class")
    assert violations(page) == []
    rows = table(page, "#webcam .live .csv", tmp_path)
    times = [float(row["time_s"]) for row in rows]
    assert times == sorted(times)
    assert rows[0]["track"] == "1"  # where answers come seldom, a face that moves may be a new one
    assert 0 < float(rows[-1]["smoothed_happiness"]) <= 1
    page.click("#webcam .stop")
    assert page.locator("#camera-start").is_visible()
    assert page.evaluate(STREAM) is None


def test_the_table_outlives_stops_and_other_tabs(page: Any, tmp_path: Path) -> None:
    page.click("#tab-webcam")
    kept = page.locator("#webcam .intro .bar")
    assert kept.is_hidden()
    start_camera(page)
    page.click("#webcam .stop")
    first = table(page, "#webcam .intro .csv", tmp_path)
    assert first and kept.locator("p").inner_text().split()[0] == str(len(first))
    assert violations(page) == []
    start_camera(page)
    page.wait_for_selector("#webcam .live .face")
    page.click("#tab-pictures")
    page.click("#tab-webcam")
    both = table(page, "#webcam .intro .csv", tmp_path)
    assert both[: len(first)] == first
    assert [row["run"] for row in both] == sorted(row["run"] for row in both)
    assert {row["run"] for row in both} == {"1", "2"}
    assert {row["source"] for row in both} == {"webcam"}


def test_the_table_says_what_was_hidden_on_purpose(page: Any, tmp_path: Path) -> None:
    start_camera(page)
    for name in ("Mouth", "Eyes"):
        page.locator("#webcam").get_by_role("checkbox", name=name).check()
    page.wait_for_function(
        "() => /mouth hidden/.test(document.querySelector('#webcam .answers').textContent)"
    )
    for _ in range(300):  # an answer may be slow to come
        rows = table(page, "#webcam .live .csv", tmp_path)
        if rows[-1]["hide"] == "mouth+eyes":
            break
        page.wait_for_timeout(200)
    assert (rows[0]["hide"], rows[-1]["hide"]) == ("none", "mouth+eyes")
    assert {row["hide"] for row in rows} <= {"none", "mouth", "mouth+eyes"}


def test_what_is_hidden_is_shown_as_the_model_sees_it(open_page: OpenPage) -> None:
    page = open_page(width=360, height=740)
    start_camera(page)
    page.locator("#webcam").get_by_role("checkbox", name="Mouth").check()
    page.wait_for_selector("#webcam .cover:not([hidden])")
    page.wait_for_function(
        "() => /mouth hidden/.test(document.querySelector('#webcam .answers').textContent)"
    )
    dark = """() => {
      const cover = document.querySelector('#webcam .cover');
      const pixels = cover.getContext('2d').getImageData(0, 0, cover.width, cover.height).data;
      return pixels.filter((_, n) => n % 4 === 0).filter((level) => level < 5).length;
    }"""
    assert page.evaluate(dark) > 300
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click("#webcam .snap")
    page.wait_for_selector(".card .face")
    assert re.fullmatch(r"webcam-\d{6}\.png", page.inner_text(".card h3"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "may not use the camera"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "The camera is busy"),
    ],
)
def test_a_camera_that_cannot_be_had_is_explained(
    open_page: OpenPage, error: str, words: str
) -> None:
    page = open_page(script=REFUSED % error)
    page.click("#tab-webcam")
    page.click("#camera-start")
    assert words in page.inner_text("#webcam .error >> visible=true")
    assert page.locator("#camera-start").is_enabled()


def test_a_camera_that_comes_when_its_tab_was_left_goes_off(open_page: OpenPage) -> None:
    page = open_page(script=ASKING)
    page.click("#tab-webcam")
    page.click("#camera-start")
    page.click("#tab-pictures")
    page.evaluate("allow()")
    page.wait_for_function("given.getTracks().every(({ readyState }) => readyState === 'ended')")
    page.wait_for_selector("#camera-start:enabled", state="attached")
    assert page.evaluate(STREAM) is None


def test_a_camera_that_is_unplugged_and_a_server_that_goes_are_told(page: Any) -> None:
    page.route_web_socket("**/v1/live", lambda socket: socket.close())
    page.click("#tab-webcam")
    page.click("#camera-start")
    error = page.locator("#webcam .live .error")
    error.wait_for()
    assert "connection to the server was lost" in error.inner_text()
    page.evaluate(f"{STREAM}.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    assert "The camera is gone" in error.inner_text()


@pytest.mark.parametrize("certain", [True, False])
def test_doubt_is_that_of_the_smoothed_answer(page: Any, certain: bool) -> None:
    found = face("fear", 0.6, track=1, certain=not certain, smoothed_certain=certain)
    found["smoothed"] = found["probabilities"]
    answer = {"frame": 1, "width": 640, "height": 480, "faces": [found], "ms": 1.0, "dropped": 0}

    def answering(socket: Any) -> None:
        def heard(sent: str | bytes) -> None:
            if isinstance(sent, bytes):
                socket.send(json.dumps(answer))

        socket.on_message(heard)

    page.route_web_socket("**/v1/live", answering)
    start_camera(page)
    assert ("doubt" in page.get_attribute("#webcam .box", "class")) != certain
    assert ("not certain" in page.inner_text("#webcam .face")) != certain


# Gives which columns of the first lane are painted, after answers at these times.
LANE = """async ([shares, times, seen]) => {
  const { Timeline } = await import("/timeline.js");
  const line = new Timeline(document.createElement("div"), 30, { moving: true });
  const face = { key: 1, track: 1, probabilities: shares };
  times.forEach((time, n) => line.add(n < seen ? [face] : [], time));
  const canvas = line.place.querySelector("canvas");
  const pixels = canvas.getContext("2d").getImageData(0, 10, canvas.width, 1).data;
  return [...pixels].filter((_, n) => n % 4 === 3).map((level) => level > 0);
}"""


def test_the_timeline_moves_on_when_a_face_is_gone_and_joins_slow_answers(page: Any) -> None:
    def painted(times: list[float], seen: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return np.array(page.evaluate(LANE, [{"neutral": 1}, times, seen]))

    gone = painted([0.1 * n for n in range(200)], 50)
    assert gone[410:590].all() and not gone[620:].any()
    slow = painted([2.0 * n for n in range(8)], 8)
    assert slow[700:].all()


# Gives the lanes, and what is said of others, after these faces were seen, one list an answer.
CROWD = """async ([moving, answers]) => {
  const { Timeline } = await import("/timeline.js");
  const line = new Timeline(document.createElement("div"), 100, { moving });
  answers.forEach((keys, time) => line.add(
    keys.map((key) => ({ key, probabilities: { neutral: 1 } })), time));
  const lanes = [...line.place.querySelectorAll(".lane > span")];
  const faces = lanes.map(({ textContent }) => Number(textContent.slice(5)));
  return [faces, line.place.querySelector(".more").textContent];
}"""


@pytest.mark.parametrize("moving", [True, False])
def test_a_lane_is_for_the_faces_seen_last_and_others_are_counted(page: Any, moving: bool) -> None:
    first = [*range(1, 13)]
    lanes, more = page.evaluate(CROWD, [moving, [first, [1], [13], [14]]])
    assert lanes == [1, *range(4, 15)]
    assert more == ("" if moving else "2 more faces without a lane")
    lanes, more = page.evaluate(CROWD, [moving, [[*first, 13]]])
    assert (lanes, more) == (first, "1 more face without a lane")


def test_a_video_that_ended_gives_its_place_free_until_it_goes_on(
    page: Any, film_path: Path, tmp_path: Path
) -> None:
    page.click("#tab-video")
    with page.expect_websocket() as first:
        page.set_input_files("#video-file", str(film_path))
    first.value.wait_for_event("close")
    assert page.evaluate("document.querySelector('#video video').ended")
    before = table(page, "#video .live .csv", tmp_path)
    with page.expect_websocket():
        page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelectorAll('#video .lane').length > 1")
    rows = table(page, "#video .live .csv", tmp_path)
    most, *_ = sorted((int(row["track"]) for row in before), reverse=True)
    assert rows[: len(before)] == before and len(rows) > len(before)
    assert all(int(row["track"]) > most for row in rows[len(before) :])
    frames = [int(row["frame"]) for row in rows]
    assert frames == sorted(frames) and page.locator("#video .live .error").is_hidden()


def test_a_video_is_read_while_it_plays(page: Any, film_path: Path, tmp_path: Path) -> None:
    page.click("#tab-video")
    page.set_input_files("#video-file", str(film_path))
    page.wait_for_selector("#video .lane")
    assert page.inner_text("#video .face .name") == "happiness"
    assert page.locator("#video .scale span").all_inner_texts() == ["0:00", "0:04"]
    page.get_by_role("slider").fill("500")
    page.wait_for_function("() => document.querySelector('#video video').currentTime >= 1.9")
    assert violations(page) == []
    page.click("#video .stop")
    page.set_input_files("#video-file", str(film_path))
    page.wait_for_selector("#video .live .face")
    rows = table(page, "#video .live .csv", tmp_path)
    assert {(row["source"], row["run"]) for row in rows} == {(film_path.name, run) for run in "12"}


def test_a_video_that_the_browser_cannot_play_is_named(page: Any) -> None:
    page.click("#tab-video")
    broken = {"name": "clip.mp4", "mimeType": "video/mp4", "buffer": b"no video"}
    page.set_input_files("#video-file", broken)
    error = page.locator("#video .intro .error")
    error.wait_for()
    assert "cannot play clip.mp4" in error.inner_text()
    assert "mien predict" in error.inner_text()


@pytest.mark.parametrize(("name", "kind"), [("notes.txt", "text/plain"), ("a.jpg", "image/jpeg")])
def test_another_file_on_the_video_tab_is_no_video(page: Any, name: str, kind: str) -> None:
    page.click("#tab-video")
    page.set_input_files("#video-file", {"name": name, "mimeType": kind, "buffer": b"no video"})
    error = page.locator("#video .intro .error")
    error.wait_for()
    assert f"{name} is not a video" in error.inner_text()
    assert page.locator("#pictures").is_hidden() and page.locator(".card").count() == 0
