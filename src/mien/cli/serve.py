"""`mien serve`: the HTTP API and the page."""

import math
import os
from functools import partial
from types import ModuleType
from typing import Annotated

import typer

from mien.cli import _options
from mien.errors import MissingExtraError, UsageError
from mien.progress import cores, say
from mien.recognizer import ExpressionReader

PACKAGES = ("fastapi", "uvicorn", "starlette", "prometheus_client", "python_multipart")
MEGA = 1_000_000


def serve(
    host: Annotated[str, typer.Option(metavar="NAME", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="0 takes any that is free.")
    ] = 8000,
    model: _options.Model = None,
    mirror: _options.Mirror = None,
    min_face: _options.MinFace = 32,
    provider: _options.Provider = "cpu",
    jobs: _options.ImagesAtOnce = None,
    queue: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="Requests, and images, that may wait; at least --max-images."
        ),
    ] = 32,
    max_images: Annotated[int, typer.Option(metavar="N", min=1, help="Images a request.")] = 16,
    max_mb: Annotated[float, typer.Option(metavar="MB", min=0.001, help="Size of a request.")] = 32,
    max_megapixels: Annotated[
        float, typer.Option(metavar="MP", min=0.001, help="Pixels of an image, in millions.")
    ] = 50,
    max_faces: Annotated[int, typer.Option(metavar="N", min=1, help="Faces of an image.")] = 200,
    max_live: Annotated[int, typer.Option(metavar="N", min=1, help="Live clients at once.")] = 8,
    timeout: Annotated[
        float, typer.Option(metavar="S", min=0.1, help="Seconds that a request may take.")
    ] = 30,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Serve the HTTP API, and a page that uses it, until Ctrl-C.

    Needs the extra `serve`. Listens on this machine alone; with another --host the variable
    MIEN_API_KEY must hold a key, which clients then send. No image is stored or logged.
    """
    if queue < max_images:
        raise UsageError(f"--queue must be at least --max-images, got {queue} and {max_images}")
    app, server = _modules()
    from mien.live.reading import LiveRecognizer
    from mien.serve.engine import Engine
    from mien.serve.limits import Limits

    body_bytes = _millions("--max-mb", max_mb)
    limits = Limits(
        body_bytes=body_bytes,
        pixels=_millions("--max-megapixels", max_megapixels),
        images=max_images,
        faces=max_faces,
        queue=queue,
        live=max_live,
        held_bytes=max(Limits.held_bytes, body_bytes),
        seconds=timeout,
    )
    key = server.checked_key(host, os.environ.get(server.KEY))
    workers = jobs or cores()
    threads = max(1, cores() // workers)
    recognizer = LiveRecognizer(
        model, mirror=mirror, min_face=min_face, provider=provider, threads=threads
    )
    open_reader = partial(ExpressionReader, model, provider=provider, threads=threads)
    with (
        server.listen(host, port) as door,
        Engine(recognizer, limits, workers=workers, open_reader=open_reader) as engine,
    ):
        asked = f"; clients send the key in {server.KEY}" if key else ""
        say(f"mien serves {server.url(host, door)}{asked}; Ctrl-C stops it", quiet=quiet)
        server.run(app.build(engine, key=key), door, limits)
    say("stopped", quiet=quiet)


def _millions(option: str, value: float) -> int:
    if not math.isfinite(value * MEGA):
        raise UsageError(f"{option} must be a finite number, got {value}")
    return round(value * MEGA)


def _modules() -> tuple[ModuleType, ModuleType]:
    try:
        from mien.serve import app, server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in PACKAGES:
            raise
        raise MissingExtraError("serving", "FastAPI", "serve") from error
    return app, server
