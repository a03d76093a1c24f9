"""The command: where it listens, with which key, and how it ends."""

import http.client
import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mien import weights
from mien.cli import main
from mien.errors import MienError, UsageError
from serving import PATIENT, picture

from mien.serve import server  # isort: skip

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def started(
    start: Start, expression_path: Path, shipped_models: None
) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    processes: list[subprocess.Popen[str]] = []

    def run(*words: str) -> tuple[subprocess.Popen[str], int]:
        process = start("serve", "--port", "0", "--model", expression_path, *words)
        processes.append(process)
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("mien serves http://127.0.0.1:"), line + process.stderr.read()
        return process, int(line.partition("127.0.0.1:")[2].partition("/")[0])

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def post(port: int, body: bytes) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENT)
    connection.request("POST", "/v1/predict", body, {"Content-Type": "image/png"})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(started: Any, stop: signal.Signals) -> None:
    process, port = started("--max-mb", "1", "--max-live", "3")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENT)
    connection.request("GET", "/v1/models")
    assert json.loads(connection.getresponse().read())["limits"]["live"] == 3
    connection.close()
    status, found = post(port, weights.sample_portrait().read_bytes())
    assert status == 200 and found["results"][0]["width"] == 512
    # Refused long before all has come, and still told why.
    assert post(port, bytes(9_000_000))[0] == 413
    process.send_signal(stop)
    assert process.wait(PATIENT) == 0
    assert process.stdout.read() == "" and process.stderr.read() == "stopped\n"


def test_what_was_asked_before_the_stop_is_answered(started: Any) -> None:
    process, port = started()
    with socket.create_connection(("127.0.0.1", port)) as client:
        body = picture((300, 300))
        head = f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        client.sendall(head.encode() + b"Content-Type: image/png\r\n\r\n" + body[:1000])
        assert post(port, body)[0] == 200  # by now the other is inside
        process.send_signal(signal.SIGTERM)
        client.sendall(body[1000:])
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    assert process.wait(PATIENT) == 0


def test_beyond_this_machine_it_asks_for_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(server.KEY, raising=False)
    assert main(["serve", "--host", "0.0.0.0", "--port", "0"]) == UsageError.exit_code
    assert server.KEY in capsys.readouterr().err
    monkeypatch.setenv(server.KEY, "")
    assert main(["serve", "--host", "0.0.0.0", "--port", "0"]) == UsageError.exit_code


@pytest.mark.parametrize(
    ("host", "alone"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_what_lies_beyond_this_machine(host: str, alone: bool) -> None:
    assert server.loopback(host) is alone
    assert server.checked_key(host, "key") == "key"


@pytest.mark.parametrize("key", ["schlüssel", "ключ", " key", "key\n", "a\tb"])
def test_a_key_that_not_every_client_can_send_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match=f"{server.KEY} must be ASCII") as refused:
        server.checked_key("127.0.0.1", key)
    assert key not in str(refused.value)


def test_a_port_that_is_taken_is_named() -> None:
    with server.listen("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        assert server.url("127.0.0.1", door) == f"http://127.0.0.1:{port}/"
        with pytest.raises(MienError, match=f"port {port}.*name another --port"):
            server.listen("127.0.0.1", port)


def test_an_address_that_is_none_is_an_error() -> None:
    with pytest.raises(UsageError, match="is no address"):
        server.listen("no such host.invalid", 0)


def test_a_queue_must_hold_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--queue", "2"]) == UsageError.exit_code
    assert "--max-images" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--max-mb", "--max-megapixels"])
@pytest.mark.parametrize("value", ["inf", "1e308"])
def test_a_limit_must_be_a_number(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", option, value]) == UsageError.exit_code
    assert f"{option} must be a finite number" in capsys.readouterr().err


def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("mien.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert main(["serve"]) == 7
    assert "pip install 'mien[serve]'" in capsys.readouterr().err
