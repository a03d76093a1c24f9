"""What a request brings: images in memory, never on a disk, and no more than is borne."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from mien.serve.engine import Engine
from mien.serve.problems import Problem

MULTIPART = "multipart/form-data"
# A client that is refused gets its answer once it has sent all, or after so long.
DRAIN_S = 5.0
FIELDS = 1000
FIELD_BYTES = 10_000


class Upload(NamedTuple):
    """An image as it came, and what its sender calls it."""

    name: str
    data: bytes


@dataclass
class Gate:
    """Counts the requests inside, and the bytes that they hold together."""

    engine: Engine
    inside: int = 0
    held_bytes: int = 0

    @property
    def full(self) -> bool:
        """Say whether no other request is let in now."""
        return self.inside >= self.engine.limits.queue

    @asynccontextmanager
    async def entered(self, request: Request) -> AsyncIterator["Visit"]:
        """Let a request in for as long as it may take, or refuse it."""
        visit, limits = Visit(self, request), self.engine.limits
        try:
            if not self.engine.open:
                raise Problem("stopping", "the server is being stopped")
            if self.full:
                raise Problem("busy", f"{self.inside} requests are being answered")
            self.inside += 1
            try:
                async with asyncio.timeout(limits.seconds):
                    yield visit
            finally:
                self.inside -= 1
                self.held_bytes -= visit.held_bytes
        except TimeoutError:
            text = f"the request took longer than {limits.seconds:g} s"
            raise Problem("timeout", text) from None
        except Problem:
            if not visit.whole:
                await drain(request.receive)
            raise


@dataclass
class Visit:
    """A request inside the gate."""

    gate: Gate
    request: Request
    held_bytes: int = 0
    whole: bool = False

    async def images(self) -> list[Upload]:
        """Read the images of a form's field `images`, or the one that the body is."""
        with _arriving(self.gate.engine):
            if self._type() == MULTIPART:
                async with self._form() as form:
                    return _files(form, "images")
            return [Upload("image", await self._body())]

    async def image_and(self, field: str) -> tuple[Upload, str]:
        """Read a form with one image and one field of text."""
        with _arriving(self.gate.engine):
            if self._type() != MULTIPART:
                raise Problem("unsupported_type", f"expected {MULTIPART}", _hint(field))
            async with self._form() as form:
                image, *more = _files(form, "image")
                text = form.get(field)
        if more or not isinstance(text, str):
            raise Problem("invalid", f"expected one image and the text {field!r}", _hint(field))
        return image, _clean(text)

    def _type(self) -> str:
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        fits = kind in ("", MULTIPART, "application/octet-stream") or kind.startswith("image/")
        if not fits:
            raise Problem("unsupported_type", f"a body of type {kind} is not taken")
        return kind

    async def _body(self) -> bytes:
        body = b"".join([chunk async for chunk in self._chunks()])
        if not body:
            raise Problem("invalid", "the body is empty; expected an image")
        return body

    @asynccontextmanager
    async def _form(self) -> AsyncIterator[FormData]:
        limits = self.gate.engine.limits
        most = limits.images
        parser = _InMemory(
            self.request.headers,
            self._chunks(),
            max_files=most,
            max_fields=FIELDS,
            max_part_size=FIELD_BYTES,
        )
        try:
            form = await parser.parse()
        except MultiPartException as error:
            if error.message.startswith("Too many files"):
                raise Problem("too_many_images", f"more than {most} images at once") from error
            raise Problem("bad_request", f"the form cannot be read: {error.message}") from error
        except UnicodeError as error:
            raise Problem("bad_request", f"the form's charset cannot be read: {error}") from error
        try:
            yield form
        finally:
            await form.close()

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        limits = self.gate.engine.limits
        told = self.request.headers.get("content-length", "")
        self._check(int(told) if told.isdecimal() else 0)
        while not self.whole:
            message = await self.request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            # The stream of a request does not say whether all of it has come.
            self.whole = not message.get("more_body", False)
            chunk = message.get("body", b"")
            self.held_bytes += len(chunk)
            self.gate.held_bytes += len(chunk)
            self._check(self.held_bytes)
            if self.gate.held_bytes > limits.held_bytes:
                raise Problem("busy", "the requests inside hold as much as the server bears")
            yield chunk

    def _check(self, size: int) -> None:
        most = self.gate.engine.limits.body_bytes
        if size > most:
            raise Problem("too_large", f"the body is larger than {most / 1e6:g} MB")


class _InMemory(MultiPartParser):
    """Parses a form without putting any of it on a disk."""

    spool_max_size = 0  # never


async def drain(receive: Receive) -> None:
    """Take and drop what a client still sends: only then do some look for an answer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            while (await receive()).get("more_body", False):
                pass


@contextmanager
def _arriving(engine: Engine) -> Iterator[None]:
    engine.arriving += 1
    try:
        yield
    finally:
        engine.arriving -= 1


def _files(form: FormData, field: str) -> list[Upload]:
    files = [file for file in form.getlist(field) if isinstance(file, UploadFile)]
    if not files or len(files) < len(form.getlist(field)):
        there = _clean(", ".join(sorted(set(form)))) or "nothing"
        if form.getlist(field):
            there = "text there, no file (curl: -F name=@file)"
        raise Problem("invalid", f"expected files in the field {field!r}, found {there}")
    return [Upload(_clean(file.filename or "image"), file.file.read()) for file in files]


def _clean(text: str) -> str:
    """Replace halves of characters, which some charsets allow and no answer can hold."""
    return text.encode("utf-8", "replace").decode()


def _hint(field: str) -> str:
    return f"as in curl -F image=@photo.jpg -F {field}=none,mouth"
