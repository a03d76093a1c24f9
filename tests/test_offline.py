"""Predicting opens no socket."""

import socket
from pathlib import Path
from typing import NoReturn

import pytest

from mien import Recognizer


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> NoReturn:
        pytest.fail("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


def test_predicting_opens_no_socket(
    no_sockets: None, shipped_models: None, portrait_path: Path
) -> None:
    assert len(Recognizer(threads=1)(portrait_path)) == 1


def test_the_command_opens_no_socket(
    no_sockets: None, shipped_models: None, portrait_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mien.cli import main

    assert main(["predict", str(portrait_path), "--format", "jsonl"]) == 0
    assert '"expression"' in capsys.readouterr().out
