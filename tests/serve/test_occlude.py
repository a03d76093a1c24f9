"""Pictures with something drawn over the faces, and what is read then."""

import base64
from typing import Any

import numpy as np
import pytest

from mien import images, occlusion, weights
from mien.recognizer import Recognizer
from serving import StandIn, picture, served

ONE = picture((90, 120))


def decoded(url: str) -> images.Image:
    head, _, text = url.partition(",")
    assert head == "data:image/png;base64"
    return images.read(base64.b64decode(text))


def test_the_picture_and_the_answer_are_those_of_python(shipped_models: None) -> None:
    portrait, recognizer = weights.sample_portrait(), Recognizer(threads=1)
    with served(recognizer) as (client, _):
        answer = client.post(
            "/v1/occlude",
            files={"image": portrait.read_bytes()},
            data={"with": "none, eyes+mouth"},
        )
    plain, hidden = answer.json()["results"]
    image = images.read(portrait)
    before = recognizer(image)
    points = before[0].face.points_xy
    assert points is not None
    draw = occlusion.occluder("eyes+mouth", photograph=True)
    drawn, _ = draw(image, points, np.random.default_rng([0, 0]))
    assert plain["occluder"] == "none" and plain["faces"] == [one.to_dict() for one in before]
    assert np.array_equal(decoded(plain["image"]), image)
    assert hidden["occluder"] == "eyes+mouth"
    assert np.array_equal(decoded(hidden["image"]), drawn)
    assert hidden["faces"] == [one.to_dict() for one in recognizer(drawn)]
    assert (hidden["height"], hidden["width"]) == image.shape[:2]


def test_nothing_is_read_twice_and_large_pictures_are_shown_smaller() -> None:
    stand_in = StandIn()
    with served(stand_in, shown_side=60) as (client, _):
        form: dict[str, Any] = {"files": {"image": ONE}, "data": {"with": "none"}}
        (result,) = client.post("/v1/occlude", **form).json()["results"]
    assert (result["width"], result["height"]) == (60, 45)
    assert decoded(result["image"]).shape == (45, 60, 3)
    assert result["faces"][0]["box_xyxy"] == [-0.5, -0.5, 59.5, 44.5]
    assert sum(stand_in.batches) == 1


def test_more_pictures_than_may_wait_are_read_by_and_by() -> None:
    with served(queue=2, images=2) as (client, _):
        names = ["mouth", "eyes", "surgical", "left", "right"]
        form: dict[str, Any] = {"files": {"image": ONE}, "data": {"with": ",".join(names)}}
        results = client.post("/v1/occlude", **form).json()["results"]
    assert [each["occluder"] for each in results] == names
    assert all(len(each["faces"]) == 1 for each in results)


def test_a_picture_without_faces_is_given_as_it_is() -> None:
    with served(StandIn(faces=0)) as (client, _):
        form: dict[str, Any] = {"files": {"image": ONE}, "data": {"with": "surgical,mouth"}}
        results = client.post("/v1/occlude", **form).json()["results"]
    assert [each["faces"] for each in results] == [[], []]
    assert all(np.array_equal(decoded(each["image"]), images.read(ONE)) for each in results)


@pytest.mark.parametrize(
    ("files", "data", "status", "code"),
    [
        ({"image": ONE}, {"with": "moth"}, 422, "invalid"),
        ({"image": ONE}, {"with": ",".join(["eyes"] * 9)}, 422, "invalid"),
        ({"image": ONE}, {"with": ""}, 422, "invalid"),
        ({"image": ONE}, {"with": "+".join(["eyes"] * 5)}, 422, "invalid"),
        ({"image": ONE}, {}, 422, "invalid"),
        ({"photo": ONE}, {"with": "eyes"}, 422, "invalid"),
        ([("image", ONE), ("image", ONE)], {"with": "eyes"}, 422, "invalid"),
        ({"image": ONE, "with": ONE}, {}, 422, "invalid"),
        ({"image": b"no image"}, {"with": "eyes"}, 415, "not_an_image"),
        ({"image": ONE[:5000]}, {"with": "eyes"}, 422, "broken_image"),
        ({"image": picture((200, 200))}, {"with": "eyes"}, 413, "too_many_pixels"),
    ],
)
def test_what_cannot_be_drawn_is_refused(files: Any, data: Any, status: int, code: str) -> None:
    with served(pixels=39_000) as (client, _):
        answer = client.post("/v1/occlude", files=files, data=data)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["hint"]


def test_it_takes_forms_alone() -> None:
    with served() as (client, _):
        answer = client.post("/v1/occlude", content=ONE, headers={"content-type": "image/png"})
    assert answer.status_code == 415
    assert "-F image=@photo.jpg" in answer.json()["error"]["hint"]
