"""Listen, say where, and stop in good order."""

import ipaddress
import logging
import math
import signal
import socket

import uvicorn
from starlette.types import ASGIApp

from mien.errors import MienError, UsageError
from mien.serve.limits import Limits

KEY = "MIEN_API_KEY"


def checked_key(host: str, key: str | None) -> str | None:
    """Give the key to ask for; beyond this machine there must be one."""
    if not key and not loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines: set a key that clients must send, as in"
            f" {KEY}=$(openssl rand -hex 16), or leave --host out"
        )
    if key and not (key.isascii() and key.isprintable() and key == key.strip()):
        raise UsageError(
            f"{KEY} must be ASCII letters, digits and signs without a space at its ends, which"
            f" every client can send; set another, as in {KEY}=$(openssl rand -hex 16)"
        )
    return key or None


def loopback(host: str) -> bool:
    """Tell whether a name stands for this machine alone."""
    return all(ipaddress.ip_address(address[0]).is_loopback for _, address in _addresses(host, 0))


def listen(host: str, port: int) -> socket.socket:
    """Open the door; a port of 0 takes any that is free."""
    family, address = _addresses(host, port)[0]
    try:
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise MienError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}; name another --port"
        ) from error


def url(host: str, door: socket.socket) -> str:
    """Say where the door is."""
    return f"http://{f'[{host}]' if ':' in host else host}:{door.getsockname()[1]}/"


def run(app: ASGIApp, door: socket.socket, limits: Limits) -> None:
    """Serve until a signal says stop; what is being answered then is finished."""
    # It warns of every letter that a broken form has in the wrong place.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(limits.seconds),
        ws="websockets-sansio",
        ws_max_size=limits.frame_bytes,
        ws_per_message_deflate=False,
    )
    # uvicorn sends itself again what stopped it: an end that was asked for is no failure.
    before = {each: signal.signal(each, _stopped) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        uvicorn.Server(config).run(sockets=[door])
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _stopped(number: int, frame: object) -> None:
    pass


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"{host!r} is no address of this machine: {error.strerror}") from error
    return [(family, (str(address[0]), int(address[1]))) for family, _, _, _, address in found]
