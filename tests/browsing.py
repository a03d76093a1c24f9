"""What tests of the page in a browser share."""

import base64
import importlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import PIL.Image
import pytest

from mien.expressions import EXPRESSIONS

OpenPage = Callable[..., Any]


def needed(module: str) -> Any:
    """Import what the page's tests need; skip where it is missing, but fail where CI misses it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing(str(error))


def missing(what: str) -> NoReturn:
    """Skip, or fail where CI should have it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}: install it, or the page goes untested")
    pytest.skip(what)


def moving(portrait_path: Path, frames: int = 30) -> Iterator[np.ndarray[Any, Any]]:
    """Show a part of the portrait, 480 by 360, that goes from side to side."""
    portrait = np.asarray(PIL.Image.open(portrait_path).convert("RGB"))
    for turn in np.linspace(0, 2 * np.pi, frames, endpoint=False):
        left = round(16 * (1 + np.sin(turn)))
        yield portrait[:360, left : left + 480]


def face(expression: str, share: float, **more: Any) -> dict[str, Any]:
    """Give a face as the API does."""
    rest = (1 - share) / 7
    shares = {name: share if name == expression else rest for name in EXPRESSIONS}
    found = {"box_xyxy": [110, 60, 210, 190], "score": 0.9, "expression": expression}
    found |= {"probability": share, "probabilities": shares, "hidden": [], "certain": True}
    return found | more


def choose(page: Any, *files: Path | dict[str, Any]) -> None:
    """Choose pictures, and wait until each is answered."""
    page.set_input_files("#files", [f if isinstance(f, dict) else str(f) for f in files])
    page.wait_for_function("() => !document.querySelector('.card .wait')")


def named(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/png", "buffer": data}


def grey() -> bytes:
    stream = io.BytesIO()
    PIL.Image.new("RGB", (320, 240), (120, 130, 140)).save(stream, "PNG")
    return stream.getvalue()


def stand_in(page: Any, *faces: dict[str, Any]) -> None:
    """Answer in the server's place: these faces in every picture, sadness once one is hidden."""
    found = {"name": "x", "width": 320, "height": 240, "faces": faces, "ms": 1.0}
    url = f"data:image/png;base64,{base64.b64encode(grey()).decode()}"
    sad = face("sadness", 0.4, certain=False, hidden=["eyes"])
    drawn = {"occluder": "eyes", "image": url, "width": 320, "height": 240, "faces": [sad]}
    for path, result in (("predict", found), ("occlude", drawn)):
        body = {"schema": "mien.serve/1", "results": [result]}
        page.route(f"**/v1/{path}", _answering(body))


def _answering(body: dict[str, Any]) -> Callable[[Any], None]:
    return lambda route: route.fulfill(json=body)


def violations(page: Any) -> list[str]:
    """Let axe look for what keeps people out; give what is serious."""
    axe = needed("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    return [
        f"{one['id']}: {[node['html'] for node in one['nodes']]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
