"""The page in a real browser: a server, Chromium, and pages that must ask no other host."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from browsing import OpenPage, missing, moving, needed

PATIENT_MS = 120_000  # tests run on busy machines
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SERVE = [sys.executable, "-c", "import mien.cli; mien.cli.run()", "serve", "--port", "0"]


@pytest.fixture(scope="session")
def site(shipped_models: None) -> Iterator[str]:
    """The address of `mien serve`, which runs as a user runs it."""
    for module in ("fastapi", "uvicorn", "prometheus_client"):
        needed(module)
    server = subprocess.Popen(SERVE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr
        told = server.stderr.readline()
        found = re.search(r"http://\S+?/", told)
        assert found, told + server.stderr.read()
        yield found.group()
    finally:
        server.terminate()
        server.communicate(timeout=PATIENT_MS / 1000)


@pytest.fixture(scope="session")
def camera_path(portrait_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees: the sample portrait, moving from side to side."""
    path = tmp_path_factory.mktemp("camera") / "portrait.mjpeg"
    with path.open("wb") as stream:
        for frame in moving(portrait_path):
            PIL.Image.fromarray(frame).save(stream, "JPEG")
    return path


@pytest.fixture(scope="session")
def browser(camera_path: Path) -> Iterator[Any]:
    playwright = needed("playwright.sync_api")
    if CHROMIUM is None:
        missing("no chromium to open the page with")
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    options = ["--no-sandbox", *camera, f"--use-file-for-fake-video-capture={camera_path}"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, site: str) -> Iterator[OpenPage]:
    """Open the page, wide or narrow, light or dark; no script of it may fail.

    Whatever it asks must be asked of its own server.
    """
    contexts, wrong = [], []

    def check(request: Any) -> None:
        if not request.url.startswith((site, "blob:", "data:")):
            wrong.append(f"asked {request.url}")

    def opened(
        *, width: int = 1280, height: int = 900, scheme: str = "light", script: str = ""
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENT_MS)
        context.on("request", check)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda told: _refused(told.text) and wrong.append(told.text))
        page.on("websocket", lambda socket: check_socket(socket.url))
        page.goto(site)
        return page

    def check_socket(url: str) -> None:
        if not url.startswith(site.replace("http", "ws", 1)):
            wrong.append(f"asked {url}")

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def _refused(told: str) -> bool:
    return "Content Security Policy" in told


@pytest.fixture
def page(open_page: OpenPage) -> Any:
    return open_page()
