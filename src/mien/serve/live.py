"""Frames in, predictions out: the newest frame is read next, older ones are dropped and counted."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from mien import images, occlusion
from mien.images import Image
from mien.live.reading import LiveRecognizer
from mien.media.smoothing import Smoother
from mien.media.tracks import Cuts, Tracker
from mien.records import Face, Prediction
from mien.serve import hiding
from mien.serve.engine import Engine, Found, Reading
from mien.serve.problems import RETRY_AFTER_S, Problem

TRY_AGAIN_LATER = 1013
PROTOCOL = "mien"
_LOOKED_AT = 72  # least side in pixels that tells a cut


@dataclass(frozen=True)
class Settings:
    """What a client may set, by one JSON object or several; each name as in the API.

    With `image` the answer brings the frame as it was read, when something was hidden in it.
    """

    labels: str
    mirror: bool
    balanced: bool = False
    points: bool = False
    smooth: bool = True
    image: bool = False
    occlude: tuple[str, ...] = ()

    @property
    def reading(self) -> Reading:
        return Reading(self.labels, self.mirror, self.balanced)

    def changed(self, text: str, engine: Engine) -> "Settings":
        """Give the settings as a client wants them, or raise what is wrong with its wish."""
        try:
            wish = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Problem("bad_request", f"the settings are no JSON: {error}") from error
        kinds = {"labels": str, "occlude": list}
        known = list(self.__dataclass_fields__)
        if not isinstance(wish, dict) or not set(wish) <= set(known):
            raise Problem("invalid", f"expected an object with some of {', '.join(known)}")
        for name, value in wish.items():
            kind = kinds.get(name, bool)
            if not isinstance(value, kind):
                raise Problem("invalid", f"{name} must be {kind.__name__}, got {value!r}")
        if "occlude" in wish:
            wish["occlude"] = _specs(wish["occlude"], engine)
        settings = replace(self, **wish)
        engine.checked(settings.reading)
        return settings


@dataclass
class Newest:
    """Keeps the newest frame alone, numbered from 1; counts those that nobody read."""

    count: int = 0
    dropped: int = 0
    closed: bool = False
    _frame: bytes | None = None
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, frame: bytes) -> None:
        self.dropped += self._frame is not None
        self.count += 1
        self._frame = frame
        self._came.set()

    def close(self) -> None:
        self.closed = True
        self._came.set()

    async def get(self) -> tuple[int, bytes] | None:
        """Wait for a frame that was not read yet; None when there will be no other."""
        await self._came.wait()
        self._came.clear()
        frame, self._frame = self._frame, None
        return None if self.closed or frame is None else (self.count, frame)


class Follower:
    """Knows the faces of one client from frame to frame."""

    def __init__(self) -> None:
        self._tracker = Tracker()
        self._smoother = Smoother()
        self._of: object = None

    def follow(
        self,
        predictions: list[Prediction],
        settings: Settings,
        time_s: float,
        *,
        size_hw: tuple[int, int],
        cut: bool = False,
    ) -> list[dict[str, Any]]:
        """Give the faces with their tracks and, where wanted, their smoothed answers.

        Behind a cut all faces are new. A picture may come larger or smaller than the one before.
        """
        if self._of != (alike := (settings.reading, settings.occlude)):
            self._of, self._smoother = alike, Smoother()  # other answers do not mix with these
        places = [_in_units(found.face, max(size_hw)) for found in predictions]
        tracks = self._tracker.update(places, time_s, cut=cut)
        faces = []
        for track, found in zip(tracks, predictions, strict=True):
            face = {**found.to_dict(points=settings.points), "track": track}
            if settings.smooth:
                smoothed = self._smoother.smoothed(track, time_s, found)
                shares = smoothed.probabilities.items()
                face["smoothed"] = {name: round(share, 6) for name, share in shares}
                face["smoothed_certain"] = smoothed.certain
            faces.append(face)
        return faces


class Live:
    """Serves the clients of /v1/live, so many at once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.clients = 0
        self.read = 0
        self.dropped = 0

    async def serve(self, socket: WebSocket) -> None:
        """Answer one client until it goes."""
        await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
        if self.clients >= self.engine.limits.live:
            busy = Problem("busy", f"{self.clients} clients are served live already")
            await socket.send_json(busy.to_dict())
            return await socket.close(TRY_AGAIN_LATER)
        self.clients += 1
        try:
            client = _Client(socket, self.engine)
            try:
                await client.serve()
            finally:
                self.read += client.read
                self.dropped += client.frames.dropped
        finally:
            self.clients -= 1


class _Client:
    def __init__(self, socket: WebSocket, engine: Engine) -> None:
        self._socket, self._engine = socket, engine
        self._settings = Settings(engine.usual.labels, engine.usual.mirror)
        self._cuts, self._follower = Cuts(), Follower()
        self._reading: Reading | None = None
        self._recognizer: LiveRecognizer | None = None
        self.frames = Newest()
        self.read = 0

    async def serve(self) -> None:
        receiving = asyncio.create_task(self._receive())
        try:
            while frame := await self.frames.get():
                await self._send(await self._answer(*frame))
        finally:
            receiving.cancel()
            with suppress(asyncio.CancelledError):
                await receiving

    async def _receive(self) -> None:
        try:
            while (message := await self._socket.receive())["type"] == "websocket.receive":
                if message.get("bytes") is not None:
                    self.frames.put(message["bytes"])
                else:
                    await self._set(message.get("text") or "")
        finally:
            self.frames.close()

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._socket.send_json(message)
        except (WebSocketDisconnect, RuntimeError):  # it went meanwhile
            self.frames.close()

    async def _set(self, text: str) -> None:
        try:
            self._settings = self._settings.changed(text, self._engine)
        except Problem as problem:
            await self._send(problem.to_dict())

    async def _answer(self, number: int, data: bytes) -> dict[str, Any]:
        start, settings = time.perf_counter(), self._settings
        dropped = self.frames.dropped
        try:
            found, more = await self._found(data, settings)
        except Problem as problem:
            if problem.code == "busy":
                await asyncio.sleep(RETRY_AFTER_S / 10)
            return {**problem.to_dict("the frame"), "frame": number, "dropped": dropped}
        self.read += 1
        height, width = found.size_hw
        cut = await self._engine.run(self._is_cut, data)
        faces = self._follower.follow(
            found.predictions, settings, start, size_hw=found.size_hw, cut=cut
        )
        took = round((time.perf_counter() - start) * 1000, 1)
        head = {"frame": number, "width": width, "height": height, "faces": faces}
        return {**head, "ms": took, "dropped": dropped, **more}

    def _is_cut(self, data: bytes) -> bool:
        """Tell whether the picture became another one; a small copy says enough of its colours."""
        return self._cuts.update(images.to_rgb(images.read(data, least_side=_LOOKED_AT)))

    async def _found(self, data: bytes, settings: Settings) -> tuple[Found, dict[str, Any]]:
        """Read a frame, or what is left of it when the faces in it are hidden."""
        engine = self._engine
        source: bytes | Image = data
        if self._recognizer is None or settings.reading != self._reading:
            self._recognizer = await engine.run(engine.follower, settings.reading)
            self._reading = settings.reading
        if settings.occlude:
            source = await engine.run(hiding.opened, data, engine.limits)
        hide = "+".join(settings.occlude) or occlusion.NONE
        found = await engine.follow(source, settings.reading, self._recognizer, hide)
        if found.image is None or not settings.image:
            return found, {}
        return found, {"image": await engine.run(hiding.data_url, found.image, "jpeg")}


def _in_units(face: Face, side: int) -> Face:
    """Give a face's box in thousandths of a picture's longer side."""
    x0, y0, x1, y1 = (1000 * (edge + 0.5) / side for edge in face.box_xyxy)
    return Face((x0, y0, x1, y1), face.score)


def _specs(names: list[Any], engine: Engine) -> tuple[str, ...]:
    if any(not isinstance(name, str) for name in names):
        raise Problem("invalid", f"occlude must be a list of names, got {names!r}")
    return tuple(hiding.specs(names, engine.limits)) if names else ()
