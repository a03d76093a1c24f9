"""Frames in over a WebSocket, predictions out: the newest wins."""

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mien import images
from mien.errors import MienError
from mien.records import Face
from serving import (
    PATIENT,
    Follower,
    Limits,
    Newest,
    Reader,
    Settings,
    StandIn,
    picture,
    prediction,
    served,
)

pytest.importorskip("scipy", reason="needs the extra serve")

SIZE = (60, 80)
ONE = picture(SIZE, "JPEG")


def test_a_frame_is_answered_with_its_faces_their_tracks_and_what_they_show() -> None:
    with served() as (client, _), client.websocket_connect("/v1/live") as socket:
        socket.send_bytes(ONE)
        answer = socket.receive_json()
        socket.send_bytes(ONE)
        again = socket.receive_json()
    (face,) = answer["faces"]
    smoothed = {"smoothed": face["probabilities"], "smoothed_certain": face["certain"]}
    assert {**face, "track": 1, **smoothed} == face
    assert (answer["frame"], answer["width"], answer["height"]) == (1, 80, 60)
    assert answer["ms"] > 0 and answer["dropped"] == 0
    assert (again["frame"], again["faces"][0]["track"]) == (2, 1)


def test_behind_a_cut_all_faces_are_new() -> None:
    dark, light = (
        images.encoded(np.full((60, 80, 3), grey, np.uint8), ".jpg") for grey in (20, 200)
    )
    tracks = []
    with served() as (client, _), client.websocket_connect("/v1/live") as socket:
        for frame in (dark, dark, light, light):
            socket.send_bytes(frame)
            tracks.append(socket.receive_json()["faces"][0]["track"])
    assert tracks == [1, 1, 2, 2]


def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    slow = StandIn()
    slow.gate.clear()
    with served(slow) as (client, _), client.websocket_connect("/v1/live") as socket:
        socket.send_bytes(ONE)
        assert slow.entered.acquire(timeout=PATIENT)
        for width in (81, 82, 83, 84):
            socket.send_bytes(picture((60, width), "PNG"))
        socket.send_text('{"labels": "none"}')
        assert socket.receive_json()["error"]["code"] == "invalid"  # so all before it has come
        slow.gate.set()
        assert socket.receive_json()["frame"] == 1
        answer = socket.receive_json()
    assert (answer["frame"], answer["width"], answer["dropped"]) == (5, 84, 3)


def test_settings_change_what_is_answered() -> None:
    with served() as (client, _), client.websocket_connect("/v1/live") as socket:
        socket.send_text('{"occlude": ["mouth", "eyes"], "image": true, "points": true}')
        socket.send_bytes(ONE)
        shown = socket.receive_json()
        socket.send_text('{"occlude": [], "smooth": false, "points": false}')
        socket.send_bytes(ONE)
        plain = socket.receive_json()
    head, _, text = shown["image"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert images.read(base64.b64decode(text)).shape == (60, 80, 3)
    assert len(shown["faces"][0]["points_xy"]) == 68
    assert "image" not in plain
    assert not {"smoothed", "smoothed_certain", "points_xy"} & set(plain["faces"][0])


def test_each_client_has_a_follower_of_its_own_for_what_it_asks() -> None:
    recognizer, made = StandIn(), []

    def following() -> StandIn:
        made.append(StandIn())
        return made[-1]

    recognizer.following = following  # type: ignore[method-assign]
    with (
        served(recognizer) as (client, _),
        client.websocket_connect("/v1/live") as first,
        client.websocket_connect("/v1/live") as second,
    ):
        for socket, frames in ((first, 2), (second, 1)):
            for _ in range(frames):
                socket.send_bytes(ONE)
                assert len(socket.receive_json()["faces"]) == 1
        first.send_text('{"occlude": ["mouth"]}')  # drawn on the faces that are found, and read
        first.send_bytes(ONE)
        assert len(first.receive_json()["faces"]) == 1
    assert recognizer.batches == []
    assert [follower.batches for follower in made] == [[1, 1, 1], [1]]


@pytest.mark.parametrize(
    "wish",
    [
        "no json",
        "[" * 100_000,
        "[]",
        '{"colour": 1}',
        '{"labels": "none"}',
        '{"labels": null}',
        '{"smooth": 1}',
        '{"occlude": "mouth"}',
        '{"occlude": [1]}',
        '{"occlude": ["moth"]}',
        '{"labels": "fer2013", "balanced": true}',
        "",
    ],
)
def test_settings_that_are_none_are_refused_and_change_nothing(wish: str) -> None:
    with served() as (_, engine):
        settings = Settings("ferplus", False)
        with pytest.raises(MienError):
            settings.changed(wish, engine)


def test_a_broken_frame_is_told_and_the_next_is_read() -> None:
    with served() as (client, _), client.websocket_connect("/v1/live") as socket:
        socket.send_bytes(b"no frame")
        broken = socket.receive_json()
        socket.send_bytes(ONE)
        answer = socket.receive_json()
    assert (broken["frame"], broken["error"]["code"]) == (1, "not_an_image")
    assert broken["error"]["message"].startswith("the frame is not an image")
    assert (answer["frame"], len(answer["faces"])) == (2, 1)


def test_more_clients_than_are_borne_are_told_so() -> None:
    with (
        served(live=1) as (client, _),
        client.websocket_connect("/v1/live") as first,
        client.websocket_connect("/v1/live") as second,
    ):
        assert second.receive_json()["error"]["code"] == "busy"
        assert second.receive() == {"type": "websocket.close", "code": 1013, "reason": ""}
        first.send_bytes(ONE)
        assert first.receive_json()["frame"] == 1


def test_who_has_gone_makes_room_and_is_counted() -> None:
    with served(live=1) as (client, _):
        for _ in range(3):
            with client.websocket_connect("/v1/live") as socket:
                socket.send_bytes(ONE)
                assert "faces" in socket.receive_json()
        counts = client.get("/metrics").text
    assert "mien_live_frames_read_total 3.0" in counts
    assert "mien_live_clients 0.0" in counts


def test_smoothed_probabilities_follow_the_track_and_begin_anew_with_other_answers() -> None:
    follower, settings = Follower(), Settings("ferplus", False)
    face = prediction(60, 80)
    other = face.__class__(face.face, "happiness", 1.0, {"neutral": 0.0, "happiness": 1.0})

    def shown(found: Any, time_s: float, settings: Settings = settings) -> Any:
        return follower.follow([found], settings, time_s, size_hw=SIZE)[0]["smoothed"]["happiness"]

    assert shown(face, 0.0) == 0.25
    assert 0.25 < shown(other, 0.1) < 1.0
    assert shown(other, 0.2, Settings("fer2013", False)) == 1.0


def test_smoothed_certainty_is_steady_where_that_of_the_frames_flickers() -> None:
    follower, settings = Follower(), Settings("ferplus", False)
    sure = replace(prediction(60, 80), certain=True)
    frames = [sure if step % 2 == 0 else replace(sure, certain=False) for step in range(50)]
    faces = [
        follower.follow([found], settings, n / 25, size_hw=SIZE)[0]
        for n, found in enumerate(frames)
    ]
    assert [face["certain"] for face in faces] == [found.certain for found in frames]
    assert all(face["smoothed_certain"] for face in faces)


def test_the_newest_is_kept_alone() -> None:
    newest = Newest()
    for frame in (b"a", b"b", b"c"):
        newest.put(frame)
    assert (newest.count, newest.dropped) == (3, 2)


def test_stand_ins_say_what_models_say() -> None:
    assert Reader().metadata.output("ferplus").labels == ("neutral", "happiness")
    assert Limits().queue >= Limits().images


def test_a_face_keeps_its_track_where_the_picture_comes_smaller() -> None:
    follower, settings, tracks = Follower(), Settings("ferplus", False), []
    for n, scale in enumerate((1, 1, 2, 4, 1)):
        size = (960 // scale, 1280 // scale)
        face = Face((400 / scale, 300 / scale, 560 / scale, 480 / scale), 0.9)
        found = replace(prediction(48, 48), face=face)
        (told,) = follower.follow([found], settings, n / 25, size_hw=size)
        tracks.append(told["track"])
        assert told["box_xyxy"][0] == pytest.approx(400 / scale)
    assert tracks == [1] * 5
