"""How many frames a second the page's webcam reads, in headless Chromium.

The server runs as a user runs it; a video of the sample portrait takes the camera's place.
"""

import csv
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from bench.report import Cell, Report, Table
from mien import images, weights
from mien.errors import UsageError

SIZE_HW = (480, 640)
FRAMES = 60  # of the camera's video, which goes round
SETTLED_S = 2.0
SERVE = [sys.executable, "-c", "import mien.cli; mien.cli.run()", "serve", "--port", "0"]
HIDES = {"one face": None, "its mouth hidden": "Mouth"}
COLUMNS = ("shown", "answers a second", "from one answer to the next", "95 %")


def measure(seconds: float) -> Report:
    """Let the page read the camera, plain and with the mouth hidden."""
    report = Report("page")
    rows: list[tuple[Cell, ...]] = []
    with tempfile.TemporaryDirectory() as scratch, served() as site:
        film = Path(scratch) / "camera.mjpeg"
        portrait(film)
        for name, hide in HIDES.items():
            steps = np.diff(answered(site, film, hide, seconds))
            usual, late = np.median(steps), np.quantile(steps, 0.95)
            figures = {"per_second": 1 / steps.mean(), "usual_s": usual, "late_s": late}
            report.figures[name] = {key: round(float(value), 4) for key, value in figures.items()}
            rows.append((name, f"{1 / steps.mean():.1f}", f"{usual:.3f} s", f"{late:.3f} s"))
    title = f"webcam of the page, {SIZE_HW[1]}x{SIZE_HW[0]}, {seconds:g} s each"
    note = "browser and server share this machine; one frame is under way at a time"
    report.tables.append(Table(title, COLUMNS, rows, note))
    return report


@contextmanager
def served() -> Iterator[str]:
    """Start `mien serve`, give its address, and stop it."""
    server = subprocess.Popen(SERVE, stderr=subprocess.PIPE, text=True)
    try:
        told = server.stderr.readline() if server.stderr else ""
        found = re.search(r"http://\S+?/", told)
        if not found:
            raise UsageError(f"mien serve did not start: {told}; install the extra serve")
        yield found.group()
    finally:
        server.terminate()
        server.communicate()


def portrait(path: Path) -> None:
    """Write what the camera sees: the sample portrait, moving from side to side."""
    height, width = SIZE_HW
    picture = images.resize(images.read(weights.sample_portrait()), (width, width))
    with path.open("wb") as stream:
        for turn in np.linspace(0, 2 * np.pi, FRAMES, endpoint=False):
            shifted = np.roll(picture[:height], round(40 * np.sin(turn)), axis=1)
            PIL.Image.fromarray(shifted).save(stream, "JPEG", quality=90)


def answered(site: str, film: Path, hide: str | None, seconds: float) -> Any:
    """Give the times in seconds of the frames that were answered."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UsageError("the page needs a browser: pip install playwright") from error
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    options = ["--no-sandbox", *camera, f"--use-file-for-fake-video-capture={film}"]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=options)
        page = browser.new_page()
        page.goto(site)
        page.click("#tab-webcam")
        page.click("#camera-start")
        page.wait_for_selector("#webcam .lane")
        if hide:
            page.locator("#webcam").get_by_role("checkbox", name=hide).check()
            page.wait_for_selector("#webcam .cover:not([hidden])")
        page.wait_for_timeout((seconds + SETTLED_S) * 1000)
        with page.expect_download() as download:
            page.locator("#webcam .csv:visible").click()
        with open(download.value.path(), newline="", encoding="utf-8") as stream:
            times = np.unique([float(row["time_s"]) for row in csv.DictReader(stream)])
        browser.close()
    return times[times >= times[-1] - seconds]
