"""The key, the headers, the counts: what every request passes."""

import base64

import pytest
from starlette.websockets import WebSocketDisconnect

from serving import TestClient, picture, served

KEY = "open/sesame-42"
ONE = picture()
PNG = {"content-type": "image/png"}


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/occlude", "/v1/models", "/metrics"])
def test_with_a_key_nothing_is_told_without_it(path: str) -> None:
    with served(key=KEY) as (client, _):
        for headers in ({}, {"x-api-key": "wrong"}, {"authorization": f"Basic {KEY}"}):
            answer = client.request("POST", path, headers=headers, content=ONE)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert KEY not in answer.text
            assert "X-API-Key" in answer.json()["error"]["hint"]


@pytest.mark.parametrize("headers", [{"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}])
def test_the_key_opens(headers: dict[str, str]) -> None:
    with served(key=KEY) as (client, _):
        answer = client.post("/v1/predict", content=ONE, headers={**PNG, **headers})
        assert answer.status_code == 200
        assert client.get("/v1/models", headers=headers).status_code == 200


def test_health_and_the_page_need_no_key() -> None:
    with served(key=KEY) as (client, _):
        paths = ("/healthz", "/readyz", "/openapi.json")
        assert [client.get(path).status_code for path in paths] == [200] * 3
        assert client.get("/").status_code != 401


@pytest.mark.parametrize(
    "path", ["/", "/style.css", "/healthz", "/v1/models", "/openapi.json", "/x"]
)
def test_head_is_answered_as_get_without_the_body(path: str) -> None:
    with served() as (client, _):
        asked, headed = client.get(path), client.head(path)
        told = [answer.headers.get("content-length") for answer in (asked, headed)]
        assert headed.status_code == asked.status_code and told[0] == told[1]
        assert asked.content and not headed.content
        assert 'method="HEAD"' in client.get("/metrics").text
        assert "HEAD" in client.delete(path).headers["allow"]


def test_head_of_what_takes_images_is_refused() -> None:
    with served() as (client, _):
        answer = client.head("/v1/predict")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def connects(client: TestClient, protocols: list[str], headers: dict[str, str]) -> bool:
    try:
        with client.websocket_connect("/v1/live", subprotocols=protocols, headers=headers) as one:
            one.send_bytes(ONE)
            return "faces" in one.receive_json()
    except WebSocketDisconnect:
        return False


def test_a_page_sends_the_key_as_a_subprotocol() -> None:
    word = base64.urlsafe_b64encode(KEY.encode()).decode().rstrip("=")
    with served(key=KEY) as (client, _):
        assert connects(client, ["mien", f"key.{word}"], {})
        assert connects(client, [], {"x-api-key": KEY})
        assert not connects(client, ["mien"], {})
        assert not connects(client, ["mien", "key.###"], {})
        assert not connects(client, ["mien", "key.d3Jvbmc"], {})


def test_other_sites_pages_open_no_socket() -> None:
    with served() as (client, _):
        assert connects(client, [], {"origin": "http://testserver"})
        assert not connects(client, [], {"origin": "http://elsewhere.example"})
        assert not connects(client, [], {"origin": "null"})


def test_no_other_site_may_read_an_answer() -> None:
    ask = {"origin": "http://elsewhere.example", "access-control-request-method": "POST"}
    with served() as (client, _):
        for answer in (
            client.post("/v1/predict", content=ONE, headers={**PNG, **ask}),
            client.options("/v1/predict", headers=ask),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control")]
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/v1/models", "/nothing", "/healthz"])
def test_every_answer_is_strict_about_what_a_page_may_do(path: str) -> None:
    with served() as (client, _):
        headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] in ("no-store", "no-cache")


def test_answers_are_counted_by_route_and_status() -> None:
    with served() as (client, _):
        client.post("/v1/predict", content=ONE, headers=PNG)
        client.post("/v1/predict", content=b"no", headers=PNG)
        client.get("/wp-login.php")
        text = client.get("/metrics").text
    for line in (
        'mien_requests_total{method="POST",route="/v1/predict",status="200"} 1.0',
        'mien_requests_total{method="POST",route="/v1/predict",status="415"} 1.0',
        'mien_requests_total{method="GET",route="page",status="404"} 1.0',
        "mien_faces_total 1.0",
        "mien_images_waiting 0.0",
        "mien_held_bytes 0.0",
    ):
        assert line in text
    assert "wp-login" not in text
