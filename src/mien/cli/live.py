"""`mien live`: the camera's picture in a window, with what the faces in it show."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _options, _outputs, _records
from mien.cli._streams import result_stream
from mien.errors import MienError, UsageError
from mien.media.smoothing import HALF_LIFE_S
from mien.progress import cores

if TYPE_CHECKING:
    from mien.cli._records import Record
    from mien.live.reading import LiveRecognizer, Reading
    from mien.live.show import Setting, Shown
    from mien.live.window import Window

MIN_FACE = 48  # a head two metres from a usual camera; half as large takes four times as long


def live(
    source: Annotated[
        str,
        typer.Argument(
            metavar="CAMERA",
            help="A camera's number or device, a stream's address, or a video in its place.",
        ),
    ] = "0",
    capture: Annotated[
        bool,
        typer.Option(
            "--capture", help="Take pictures in a red rectangle, by SPACE, and read those."
        ),
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="With --capture: keep each picture, and its square of 48 and of 96 pixels.",
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a row a face a frame to .csv, .jsonl or .parquet."
        ),
    ] = None,
    hide: Annotated[
        str,
        typer.Option(
            metavar="SPEC", help="Hide parts from the start, as in `mien occlude`: mouth, eyes ..."
        ),
    ] = "none",
    green: Annotated[
        bool, typer.Option("--green", help="Frame all faces in green, the expression above.")
    ] = False,
    bars: Annotated[
        bool, typer.Option("--bars/--no-bars", help="Show all probabilities beside the picture.")
    ] = True,
    smooth: Annotated[
        float,
        typer.Option(metavar="S", min=0, help="Half-life in seconds of what is shown; 0: none."),
    ] = HALF_LIFE_S,
    view: Annotated[
        bool | None,
        typer.Option(
            "--mirror-view/--plain-view",
            help="Show the picture as a mirror does.  [default: a camera's, not a video's]",
        ),
    ] = None,
    size: Annotated[
        str, typer.Option(metavar="WxH", help="The size of picture to ask of the camera.")
    ] = "640x480",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Start at once; else a key starts the camera.")
    ] = False,
    model: _options.Model = None,
    labels: _options.Labels = None,
    mirror: _options.Mirror = None,
    balanced: _options.Balanced = False,
    min_face: _options.MinFace = MIN_FACE,
    provider: _options.Provider = "cpu",
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Show the camera's picture with the expressions of its faces.

    Nothing leaves the machine, and no picture is kept unless --save asks for it. The newest picture
    is always the one that is shown, however slow the machine. Keys hide the mouth (m) or the eyes
    (e), put a mask on (k), turn the view (f), the bars (b), the green frames (g); q or ESC ends.
    """
    from mien import occlusion
    from mien.images.overlay import Look
    from mien.live import show
    from mien.live.notice import words
    from mien.live.reading import LiveRecognizer
    from mien.live.window import Window
    from mien.media.camera import camera_number, check_source
    from mien.media.video import is_address

    _check(capture, save, record, hides=bool(occlusion.parts(hide)))
    size_wh = _options.size(size, "--size WxH", "640x480")
    check_source(source)
    _outputs.check([source], {"--record": record})
    is_camera, is_stream = camera_number(source) is not None, is_address(source)
    setting = show.Setting(
        source=source,
        size_wh=size_wh,
        look=Look(mirrored=is_camera if view is None else view, bars=bars, green=green),
        hide=hide,
        half_life_s=smooth,
    )
    recognizer = LiveRecognizer(
        model,
        labels=labels,
        min_face=min_face,
        provider=provider,
        threads=max(1, cores() - 1),  # one is for the window
        mirror=mirror,
        balanced=balanced,
        points=True,
    )
    is_video = not (is_camera or is_stream)
    lines = words(video=is_video, stream=is_stream, record=record, save=save)
    with Window(show.TITLE) as window, _closed_by_signals(window):
        if not quiet:
            print(*lines[1:], sep="\n", file=sys.stderr)
        if not (yes or is_video or show.agreed(window, lines)):
            return
        if capture:
            show.capture(window, setting, recognizer, save, print)
        else:
            told = _watch(window, setting, recognizer.following(), record)
            where = f"; {'' if told.readings else 'not '}written to {record}" if record else ""
            if not quiet:
                print(f"{told}{where}", file=sys.stderr)


def _watch(
    window: "Window", setting: "Setting", recognizer: "LiveRecognizer", record: Path | None
) -> "Shown":
    """Show the live view; the table of what was read is whole however the view ends."""
    from mien.cli import _records, _video_records
    from mien.live import show
    from mien.media.camera import camera_number
    from mien.media.video import plain_name

    if record is None:
        return show.watch(window, setting, recognizer)
    stopped: BaseException | None = None
    readings = count = 0
    number, smoothed = camera_number(setting.source), setting.half_life_s > 0
    name = plain_name(setting.source) if number is None else f"camera {number}"
    columns = {**_video_records.columns(smoothed=smoothed, points=False), "hide": str}

    def write(reading: "Reading") -> None:
        nonlocal readings, count
        found = _rows(name, reading, smoothed=smoothed)
        rows.write(found)
        readings, count = readings + 1, count + len(found)

    try:
        with result_stream(record) as stream:
            rows, finish = _records.writer(stream, _records.kind_of(record), columns)
            try:
                shown = show.watch(window, setting, recognizer, write)
            except (KeyboardInterrupt, MienError) as stop:
                if not readings:
                    raise
                stopped = stop
            finally:
                finish()
            if not (stopped or readings):
                raise _UnreadError
    except _UnreadError:
        return shown
    kept = f"what was read until then is written to {record} (rows: {count:,})"
    if isinstance(stopped, MienError):
        raise type(stopped)(f"{stopped}; {kept}")
    if stopped:
        raise KeyboardInterrupt(kept)
    return shown


class _UnreadError(Exception):
    """No picture came: a table that is there stays."""


@contextmanager
def _closed_by_signals(window: "Window") -> Iterator[None]:
    """Let what asks the process to end (SIGTERM, a terminal that closes) close the window."""

    def close(number: int, frame: FrameType | None) -> None:
        window.closed = True

    asked = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    free = [one for one in asked if signal.getsignal(one) not in (signal.SIG_IGN, None)]
    before = {one: signal.signal(one, close) for one in free}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _rows(name: str, reading: "Reading", *, smoothed: bool) -> "list[Record]":
    """Give the records of a frame: those of a video, and what was hidden on purpose."""
    from mien.cli import _video_records

    faces = reading.faces
    records = _video_records.records(
        name,
        reading.frame.number,
        reading.frame.time_s,
        [seen.prediction for seen in faces],
        [seen.track for seen in faces],
        [seen.smoothed.probabilities for seen in faces] if smoothed else None,
        points=False,
    )
    return [{**record, "hide": reading.hide} for record in records]


def _check(capture: bool, save: Path | None, record: Path | None, *, hides: bool) -> None:
    if save is not None and not capture:
        raise UsageError("--save keeps the pictures that --capture takes; add --capture")
    if record is not None and capture:
        raise UsageError("--record follows faces in the live view; leave out --capture")
    if hides and capture:
        raise UsageError("--hide covers parts of faces in the live view; leave out --capture")
    if record is not None:
        _records.kind_of(record)
