"""A server in this process, and stand-ins for what it reads with."""

import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import PIL.Image
import pytest

import models
from mien import images, occlusion
from mien.live.reading import LiveRecognizer
from mien.records import Face, Prediction
from mien.session import Metadata, Output

pytest.importorskip("fastapi", reason="needs the extra serve")

from fastapi.testclient import TestClient

from mien.serve.app import build
from mien.serve.engine import Engine
from mien.serve.limits import Limits
from mien.serve.live import Follower as Follower
from mien.serve.live import Newest as Newest
from mien.serve.live import Settings as Settings

PATIENT = 600.0  # seconds; tests run on busy machines


class Reader:
    """What a stand-in says of its model."""

    mirror = False

    def __init__(self, **options: Any) -> None:
        self.options = options
        outputs = (
            Output("ferplus", "expression", ("neutral", "happiness"), prior=(0.5, 0.5)),
            Output("fer2013", "expression", ("neutral", "fear")),
            Output("hidden", "regions", ("eyes", "mouth")),
        )
        self.metadata = Metadata("expression", "stand-in", (48, 48), {}, outputs, (), "", {})


class StandIn:
    """Finds one face in whatever can be decoded; waits at the gate, and keeps what it was given."""

    def __init__(self, faces: int = 1) -> None:
        self.reader = Reader()
        self.faces = faces
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.batches: list[int] = []

    def following(self) -> Self:
        return self

    def __call__(self, source: Any) -> list[Prediction]:
        return next(self.many([source]))

    def hiding(self, image: images.Image, spec: str) -> tuple[images.Image, list[Prediction]]:
        found = self(image)
        for one in found:
            image, _ = occlusion.occluder(spec, photograph=True)(
                image, one.face.points_xy, np.random.default_rng(0)
            )
        return image, found

    def many(self, sources: Iterable[Any]) -> Iterator[list[Prediction]]:
        found = list(sources)
        self.batches.append(len(found))
        self.entered.release()
        assert self.gate.wait(PATIENT)
        sizes = [images.read(source).shape[:2] for source in found]
        yield from ([prediction(*size)] * self.faces for size in sizes)


def prediction(height: int, width: int) -> Prediction:
    face = Face(
        (-0.5, -0.5, width - 0.5, height - 0.5), 1.0, models.face_points(min(height, width))
    )
    return Prediction(face, "neutral", 0.75, {"neutral": 0.75, "happiness": 0.25}, hidden=())


def picture(size_hw: tuple[int, int] = (48, 48), kind: str = "PNG", seed: int = 0) -> bytes:
    """Give a file of noise."""
    levels = np.random.default_rng(seed).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    stream = io.BytesIO()
    PIL.Image.fromarray(levels).save(stream, kind)
    return stream.getvalue()


def until(true: Callable[[], object]) -> None:
    """Wait for what other threads make true."""
    end = time.monotonic() + PATIENT
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def served(
    recognizer: Any = None, *, key: str | None = None, workers: int = 1, **limits: Any
) -> Iterator[tuple[TestClient, Engine]]:
    """Serve with a stand-in, or with another recognizer."""
    bounds = Limits(**{"seconds": PATIENT, **limits})
    reader: Any = Reader
    with Engine(recognizer or StandIn(), bounds, workers=workers, open_reader=reader) as engine:
        yield TestClient(build(engine, key=key), raise_server_exceptions=False), engine


def whole_faces(model: Path) -> LiveRecognizer:
    """Read every image as one face, with a tiny model."""
    return LiveRecognizer(model, detector="whole", threads=1)
