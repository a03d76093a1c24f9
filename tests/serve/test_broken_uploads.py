"""Two thousand uploads that are broken in every way: none breaks the server."""

import asyncio
import io
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from serving import build, picture, served, whole_faces

COUNT = 2000
AT_ONCE = 8
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
REFUSED = {200, 400, 413, 415, 422}

Upload = tuple[bytes, str]  # a body and its type


def bombs() -> list[bytes]:
    """Give small files that claim, or hold, very many pixels."""
    side = 60_000

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    def png(side: int, *chunks: bytes) -> bytes:
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")

    nothing = zlib.compress(bytes(20_000_000), 9)
    tags = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return [
        png(side, chunk(b"IDAT", nothing)),
        png(900, chunk(b"IDAT", nothing)),
        png(9, chunk(b"zTXt", b"a\x00\x00" + nothing), chunk(b"IDAT", nothing)),
        png(9, chunk(b"iCCP", b"a\x00\x00" + nothing), chunk(b"IDAT", nothing)),
        png(0, chunk(b"IDAT", b"")),
        b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x00\x00\x00\x3b",
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, side, -side, 1, 24, *[0] * 6),
        b"P6 99999 99999 255\n",
        b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags)) + entries + bytes(4),
        b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\xff" * 6 + bytes(4),
    ]


def strangers() -> list[bytes]:
    """Give files that are no images."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(5_000_000))
    return [
        packed.getvalue(),
        b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><title>x</title>",
        b"#!/bin/sh\nrm -rf /\n",
        b'{"images": []}',
        b"\x00" * 5000,
        b"\xff\xd8\xff",
        b"a",
    ]


def whole_images(rng: np.random.Generator) -> list[bytes]:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    turned = io.BytesIO()
    PIL.Image.fromarray(rng.integers(0, 256, (40, 50), dtype=np.uint8)).save(
        turned, "JPEG", exif=exif, progressive=True
    )
    return [turned.getvalue(), *(picture((40, 50), kind) for kind in KINDS)]


def broken(rng: np.random.Generator) -> Iterator[bytes]:
    """Yield files that were cut, changed, made up, or are something else, without end."""
    images, bombed, others = whole_images(rng), bombs(), strangers()
    while True:
        image = images[rng.integers(len(images))]
        yield image[: rng.integers(0, len(image))]
        changed = np.frombuffer(image, np.uint8).copy()
        reach = int(rng.choice([40, 400, len(changed)]))  # heads are worth more than pixels
        places = rng.integers(0, min(reach, len(changed)), rng.integers(1, 20))
        changed[places] = rng.integers(0, 256, len(places))
        yield changed.tobytes()
        yield image[: rng.integers(4, 40)] + rng.bytes(rng.integers(0, 3000))
        yield rng.bytes(rng.integers(0, 3000))
        yield bombed[rng.integers(len(bombed))]
        yield others[rng.integers(len(others))]


def form(rng: np.random.Generator, content: bytes) -> Upload:
    """Put content into a form that may itself be broken."""
    field = rng.choice(["images", "image", "", 'im"ages', "images\r\nX: y"])
    head = f'Content-Disposition: form-data; name="{field}"; filename="x.jpg"'
    head = str(rng.choice([head, head.partition(";")[0], "Content-Disposition", "", head + "\x00"]))
    part = b"--b\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"
    body = part * int(rng.integers(1, 4)) + b"--b--\r\n"
    cut = body[: rng.integers(0, len(body))] if rng.random() < 0.5 else body
    kinds = ["multipart/form-data; boundary=b", "multipart/form-data; boundary=c"]
    kinds += ["multipart/form-data", "multipart/form-data; boundary=b; charset=nonsense"]
    return cut, str(rng.choice(kinds))


def uploads(rng: np.random.Generator) -> Iterator[Upload]:
    types = ("image/jpeg", "image/png", "application/octet-stream", "", "text/html", "x" * 500)
    for number, content in zip(range(COUNT), broken(rng), strict=False):
        yield form(rng, content) if number % 4 == 3 else (content, str(rng.choice(types)))


async def status_of(app: Any, upload: Upload) -> int:
    """Post without a client between: quick enough for thousands."""
    (body, kind), answered = upload, []
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answered.append(message)

    headers = [(b"content-type", kind.encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/predict", "headers": headers}
    await app({**scope, "query_string": b"", "root_path": ""}, receive, send)
    assert b"Traceback" not in answered[1]["body"]
    return int(answered[0]["status"])


# What Pillow says of odd files goes to the log of a real server.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_none_of_two_thousand_broken_uploads_breaks_the_server(
    expression_path: Path, rng: np.random.Generator
) -> None:
    statuses: Counter[int] = Counter()

    async def post(app: Any) -> None:
        given = uploads(rng)

        async def client() -> None:
            for upload in given:
                statuses[await status_of(app, upload)] += 1

        await asyncio.gather(*(client() for _ in range(AT_ONCE)))

    with served(whole_faces(expression_path), workers=2, pixels=1_000_000) as (client, engine):
        asyncio.run(post(build(engine)))
        assert statuses.total() == COUNT
        assert set(statuses) == REFUSED, statuses
        assert client.post("/v1/predict", files={"images": picture()}).status_code == 200
        assert "mien_held_bytes 0.0" in client.get("/metrics").text
