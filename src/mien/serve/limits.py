"""What a server bears before it says no."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How much at once, and how large; the defaults of `mien serve`.

    body_bytes and pixels are of one request and of one image; held_bytes of all requests that are
    inside together; queue counts requests inside, and images that wait; seconds is how long a
    request may take from its first byte to its answer; shown_side is the longer side in pixels of
    the pictures that /v1/occlude draws on.
    """

    body_bytes: int = 32_000_000
    pixels: int = 50_000_000
    images: int = 16
    faces: int = 200
    occluders: int = 8
    joined: int = 4
    queue: int = 32
    live: int = 8
    frame_bytes: int = 8_000_000
    held_bytes: int = 512_000_000
    seconds: float = 30.0
    shown_side: int = 1280
