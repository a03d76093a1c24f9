"""One image or many over HTTP: what is answered, and what is refused."""

import logging
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mien import weights
from mien.recognizer import ExpressionReader, Recognizer
from serving import PATIENT, StandIn, TestClient, picture, served, until

PNG = {"content-type": "image/png"}
ONE = picture()


def form(*files: Any, field: str = "images") -> list[tuple[str, Any]]:
    return [(field, file) for file in files]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with served() as (client, _):
        yield client


def refused(answer: Any, status: int, code: str) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    error: dict[str, str] = answer.json()["error"]
    assert error["code"] == code
    assert error["message"] and error["hint"]
    return error


def test_a_photograph_is_answered_as_in_python(shipped_models: None) -> None:
    portrait = weights.sample_portrait()
    recognizer = Recognizer(threads=1)
    with served(recognizer, workers=2) as (client, engine):
        engine._open_reader = ExpressionReader
        found = client.post("/v1/predict?points=true", files=form(portrait.read_bytes())).json()
        fer2013 = client.post(
            "/v1/predict?labels=fer2013&mirror=false", content=portrait.read_bytes(), headers=PNG
        ).json()
    (result,) = found["results"]
    assert found["schema"] == "mien.serve/1"
    assert (result["width"], result["height"]) == (512, 512)
    assert result["faces"] == [one.to_dict(points=True) for one in recognizer(portrait)]
    assert result["ms"] > 0
    other = Recognizer(labels="fer2013", mirror=False, threads=1)
    assert fer2013["results"][0]["faces"] == [one.to_dict() for one in other(portrait)]


def test_many_images_come_back_in_their_order(client: TestClient) -> None:
    files = [(f"{n}.png", picture((20 + n, 30)), "image/png") for n in range(7)]
    results = client.post("/v1/predict", files=form(*files)).json()["results"]
    assert [(each["name"], each["height"], each["width"]) for each in results] == [
        (f"{n}.png", 20 + n, 30) for n in range(7)
    ]


def test_one_broken_image_leaves_the_others_alone(client: TestClient) -> None:
    files = [("a.png", ONE), ("cut.png", ONE[: len(ONE) // 2]), ("c.txt", b"text"), ("d.png", ONE)]
    answer = client.post("/v1/predict", files=form(*files))
    first, cut, text, last = answer.json()["results"]
    assert answer.status_code == 200
    assert len(first["faces"]) == len(last["faces"]) == 1
    assert (cut["name"], cut["error"]["code"]) == ("cut.png", "broken_image")
    assert cut["error"]["message"].startswith("cut.png is cut short")
    assert text["error"]["code"] == "not_an_image"


def test_where_no_image_can_be_read_the_status_says_so(client: TestClient) -> None:
    answer = client.post("/v1/predict", files=form(("x.png", ONE[:99]), ("y.png", b"no")))
    assert "x.png" in refused(answer, 422, "broken_image")["message"]
    assert [each["error"]["code"] for each in answer.json()["results"]] == [
        "broken_image",
        "not_an_image",
    ]


@pytest.mark.parametrize("kind", ["image/png", "image/whatever", "application/octet-stream", ""])
def test_an_image_may_be_the_body(client: TestClient, kind: str) -> None:
    answer = client.post("/v1/predict", content=ONE, headers={"content-type": kind})
    (result,) = answer.json()["results"]
    assert (result["name"], len(result["faces"])) == ("image", 1)


def test_no_face_is_an_answer() -> None:
    with served(StandIn(faces=0)) as (client, _):
        (result,) = client.post("/v1/predict", content=ONE, headers=PNG).json()["results"]
    assert result["faces"] == []


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"not an image", "image/jpeg", 415, "not_an_image"),
        (b"", "image/jpeg", 422, "invalid"),
        (ONE, "text/html", 415, "unsupported_type"),
        (ONE, "application/x-www-form-urlencoded", 415, "unsupported_type"),
        (ONE, "multipart/form-data", 400, "bad_request"),
        (b"--b\r\n", "multipart/form-data; boundary=b", 422, "invalid"),
        (b"nothing", "multipart/form-data; boundary=b", 400, "bad_request"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", 422, "invalid"),
    ],
)
def test_a_body_that_is_no_image_is_refused(
    client: TestClient, content: bytes, kind: str, status: int, code: str
) -> None:
    answer = client.post("/v1/predict", content=content, headers={"content-type": kind})
    refused(answer, status, code)


@pytest.mark.parametrize("field", ["images", "+2AA-"])
def test_names_in_odd_charsets_are_cleaned(client: TestClient, field: str) -> None:
    head = f'Content-Disposition: form-data; name="{field}"; filename="+2AA-.png"'
    body = b"--b\r\n" + head.encode() + b"\r\n\r\n" + ONE + b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b; charset="
    answer = client.post("/v1/predict", content=body, headers={"content-type": f"{kind}utf-7"})
    if field == "images":
        assert answer.json()["results"][0]["name"] == "?.png"
    else:
        assert "found ?" in refused(answer, 422, "invalid")["message"]
    answer = client.post("/v1/predict", content=body, headers={"content-type": f"{kind}undefined"})
    refused(answer, 400, "bad_request")


def test_a_form_without_the_field_says_what_it_has(client: TestClient) -> None:
    error = refused(client.post("/v1/predict", files=form(ONE, field="photo")), 422, "invalid")
    assert "'images'" in error["message"] and "photo" in error["message"]
    refused(client.post("/v1/predict", files=[("x", b"")], data={"images": "a"}), 422, "invalid")


@pytest.mark.parametrize(
    "query", ["labels=angry", "mirror=perhaps", "points=2", "balanced=true&labels=fer2013"]
)
def test_an_option_that_is_none_is_refused(client: TestClient, query: str) -> None:
    refused(client.post(f"/v1/predict?{query}", content=ONE, headers=PNG), 422, "invalid")


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("predict", "point=true", "unknown option 'point'; did you mean 'points'? (balanced, "),
        ("predict", "top=1", "'top'; expected one of (balanced, labels, mirror, points)"),
        ("predict", "seed=1", "'seed'"),
        ("predict", "labels=fer2013&=", "''"),
        ("occlude", "sed=1", "did you mean 'seed'"),
    ],
)
def test_an_unknown_option_is_named_with_those_there_are(
    client: TestClient, path: str, query: str, words: str
) -> None:
    answer = client.post(f"/v1/{path}?{query}", files=form(ONE), data={"with": "mouth"})
    assert words in refused(answer, 422, "invalid")["message"]


def test_limits_are_told_by_their_status() -> None:
    with served(pixels=2500, body_bytes=20_000, images=2) as (client, _):
        post = client.post
        large = picture((48, 53), "JPEG")
        refused(post("/v1/predict", content=large, headers=PNG), 413, "too_many_pixels")
        refused(post("/v1/predict", content=b"x" * 20_001, headers=PNG), 413, "too_large")
        refused(post("/v1/predict", files=form(ONE, b"x" * 20_000)), 413, "too_large")
        refused(post("/v1/predict", files=form(ONE, b"x", b"y")), 422, "too_many_images")
        assert post("/v1/predict", content=ONE, headers=PNG).status_code == 200
    with served(StandIn(faces=4), faces=3) as (client, _):
        refused(client.post("/v1/predict", content=ONE, headers=PNG), 422, "too_many_faces")
        told = client.get("/openapi.json").json()["paths"]["/v1/predict"]["post"]["responses"]
        assert "too_many_faces" in told["422"]["description"]


def test_a_body_that_does_not_tell_its_length_is_counted() -> None:
    def chunks() -> Iterator[bytes]:
        yield from [b"x" * 6000] * 4

    with served(body_bytes=20_000) as (client, _):
        refused(client.post("/v1/predict", content=chunks(), headers=PNG), 413, "too_large")


def test_too_many_at_once_are_told_to_come_back() -> None:
    slow = StandIn()
    slow.gate.clear()
    with served(slow, queue=2) as (client, _), ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(client.post, "/v1/predict", content=ONE, headers=PNG)]
        assert slow.entered.acquire(timeout=PATIENT)
        waiting.append(pool.submit(client.post, "/v1/predict", content=ONE, headers=PNG))
        until(lambda: "mien_requests_inside 2.0" in client.get("/metrics").text)
        answer = client.post("/v1/predict", content=ONE, headers=PNG)
        refused(answer, 429, "busy")
        refused(client.get("/readyz"), 429, "busy")
        assert int(answer.headers["retry-after"]) >= 1
        slow.gate.set()
        assert [each.result().status_code for each in waiting] == [200, 200]
        assert client.post("/v1/predict", content=ONE, headers=PNG).status_code == 200


def test_what_takes_too_long_is_given_up() -> None:
    slow = StandIn()
    slow.gate.clear()
    with served(slow, seconds=0.05) as (client, _):
        refused(client.post("/v1/predict", content=ONE, headers=PNG), 503, "timeout")
        slow.gate.set()


def test_once_closed_it_takes_no_images() -> None:
    with served() as (client, engine):
        assert client.get("/readyz").status_code == 200
        engine.close()
        refused(client.get("/readyz"), 503, "stopping")
        refused(client.post("/v1/predict", content=ONE, headers=PNG), 503, "stopping")
        assert client.get("/healthz").json() == {"status": "ok"}


def test_what_nobody_foresaw_is_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: StandIn, sources: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(StandIn, "many", broken)
    with served() as (client, _):
        answer = client.post("/v1/predict", content=ONE, headers=PNG)
        assert "secret" not in refused(answer, 500, "internal")["message"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/predict", 405), ("DELETE", "/healthz", 405), ("GET", "/v1/nothing", 404)],
)
def test_other_paths_and_methods_are_refused_in_the_same_words(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    refused(answer, status, "not_allowed" if status == 405 else "not_found")
    assert (status == 405) == ("allow" in answer.headers)


def test_no_image_reaches_a_disk_or_the_log(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def rolled(self: Any) -> None:
        raise AssertionError("written to a disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", rolled)
    large = picture((1000, 1000))
    assert len(large) > 2_000_000
    with caplog.at_level(logging.DEBUG, logger="mien"):
        assert client.post("/v1/predict", files=form(large, large)).status_code == 200
    assert not [record for record in caplog.records if "httpx" not in record.name]


def test_clients_share_batches() -> None:
    slow = StandIn()
    slow.gate.clear()
    with served(slow, queue=16) as (client, engine), ThreadPoolExecutor(9) as pool:
        answers = [pool.submit(client.post, "/v1/predict", content=ONE, headers=PNG)]
        assert slow.entered.acquire(timeout=PATIENT)
        answers += [
            pool.submit(client.post, "/v1/predict", content=ONE, headers=PNG) for _ in range(8)
        ]
        until(lambda: engine.waiting == 8)
        slow.gate.set()
        assert {each.result().status_code for each in answers} == {200}
    assert slow.batches == [1, 4, 4]


def test_the_tiny_folder_of_the_page_is_all_that_is_given(client: TestClient) -> None:
    for path in ("/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/app.py"):
        assert client.get(path).status_code == 404, path
    assert Path(__file__).name not in client.get("/").text
