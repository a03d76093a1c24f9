"""What is told of a video while it is read: rows, events, a copy with faces framed, a timeline."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien import files
from mien.cli import _records, _video_records
from mien.cli._columns import aligned
from mien.cli._looks import Look
from mien.cli._outputs import Output
from mien.cli._records import Record, counted, kind_of, printable
from mien.cli._streams import replaceable, result_stream, writing
from mien.errors import InputError, UsageError
from mien.images.drawing import annotate
from mien.media.events import Event, Events
from mien.media.sequences import Info, is_sequence, numbered
from mien.media.smoothing import Smoother
from mien.media.tracks import Tracker
from mien.media.video import is_address, plain_name
from mien.media.writing import CODES, VideoWriter, write_video
from mien.records import Prediction, percent
from mien.report.figures import check
from mien.report.timeline import Series, Span, clock, timeline

COPY_FPS = 60.0  # of an annotated copy, at most
NEAR_ITS_END = 0.95  # share of the frames that a file tells of

_AS_A_WHOLE = "; some servers give a file only as a whole: download it, and read the copy"

Write = Callable[[list[Record]], None]


@dataclass(frozen=True)
class Asked:
    """A video, what of it is read, and what is written beside the rows."""

    source: str
    every: int
    fps: float | None
    start_s: float | None
    end_s: float | None
    smooth_s: float
    events: Path | None
    timeline: Path | None
    stem: str  # of the names of what is written of several

    @property
    def name(self) -> str:
        return plain_name(self.source)

    def files(self) -> list[Path]:
        """Name the files that are read; none of an address."""
        if is_address(self.source):
            return []
        path = Path(self.source)
        return numbered(path) if is_sequence(self.source) or path.is_dir() else [path]


class Told:
    """Takes what the frames show, in order, and tells it."""

    def __init__(
        self, asked: Asked, output: Output, fps: float, labels: Sequence[str], stack: ExitStack
    ) -> None:
        """Open what is written; the stack closes it."""
        self._time_s = 0.0
        self._asked, self._output = asked, output
        self._tracker, self._smoother, self._finder = Tracker(), Smoother(asked.smooth_s), Events()
        self._series = Series(labels)
        self._events: list[Event] = []
        self._frames = self._faces = self._tracks = self._without_face = 0
        self._last = self._step = 0
        if asked.timeline:
            check()
            files.check_file(asked.timeline)
        columns = _video_records.columns(smoothed=asked.smooth_s > 0, points=output.points)
        self._write = _opened(stack, output.out, output.format, columns)
        kind = kind_of(asked.events) if asked.events else "table"
        self._write_events = _opened(stack, asked.events, kind, _video_records.EVENT_COLUMNS)
        rate = min(fps / asked.every, asked.fps or fps, COPY_FPS)
        self._copy = (
            Copy(copy_path(output.draw, asked), rate, output, stack) if output.draw else None
        )

    def add(self, look: Look) -> None:
        """Tell of a frame."""
        faces = [prediction.face for prediction in look.predictions]
        tracks = self._tracker.update(faces, look.time_s, cut=look.cut)
        calm = [
            self._smoother.smoothed(number, look.time_s, prediction)
            for number, prediction in zip(tracks, look.predictions, strict=True)
        ]
        self._write(
            _video_records.records(
                self._asked.name,
                look.number,
                look.time_s,
                look.predictions,
                tracks,
                [prediction.probabilities for prediction in calm] if self._asked.smooth_s else (),
                points=self._output.points,
            )
        )
        shown = dict(zip(tracks, (prediction.probabilities for prediction in calm), strict=True))
        self._series.add(look.time_s, shown)
        self._end_events(self._finder.update(look.time_s, shown))
        if self._copy is not None:
            self._copy.add(look, tracks, calm)
        self._count(look, tracks)

    def end(self) -> None:
        """Tell of what was still going on, and of the whole."""
        if not self._frames:
            raise InputError(
                f"no frame of {self._asked.name} is in what was asked for, or none is whole"
                + _AS_A_WHOLE * is_address(self._asked.source)
            )
        self._end_events(self._finder.finish())
        if self._asked.timeline is not None:
            _draw(self._asked.timeline, self._series, self._events)
        if self._output.format == "table":
            with result_stream(self._output.out) as stream:
                stream.writelines(f"{line}\n" for line in aligned([*_rows(self._events)]))

    def interrupted(self) -> str:
        """Say in a line what there is of a work that was stopped."""
        kept = "what is printed is whole"
        if self._output.out is not None and replaceable(self._output.out):
            kept = f"{self._output.out} was not written; the same command goes on from there"
        return f"{printable(self._asked.name)}, at {clock(self._time_s)}; {kept}"

    def summary(self, info: Info, *, stopped: bool = False) -> str:
        """Say in a line what was read and written, and whether a stream stopped by itself."""
        parts = [
            f"{printable(self._asked.name)}: {counted(self._frames, 'frame')}",
            f"{counted(self._faces, 'face')} in {counted(self._tracks, 'track')}",
            counted(len(self._events), "event"),
            f"{self._without_face} without a face" if self._without_face else "",
            f"{counted(info.damaged, 'damaged frame')} passed over" if info.damaged else "",
            self._cut_short(info),
            f"the stream stopped at {clock(self._time_s)}" if stopped else "",
        ]
        copy = self._copy.path if self._copy else None
        paths = (self._output.out, self._asked.events, self._asked.timeline, copy)
        written = ", ".join(str(path) for path in paths if path)
        return ", ".join(filter(None, parts)) + (f"; written to {written}" if written else "")

    def _end_events(self, events: list[Event]) -> None:
        self._write_events([_video_records.event_record(self._asked.name, e) for e in events])
        self._events += events

    def _count(self, look: Look, tracks: Sequence[int]) -> None:
        self._time_s = look.time_s
        self._step, self._last = max(self._step, look.number - self._last), look.number
        self._frames += 1
        self._faces += len(tracks)
        self._without_face += not tracks
        self._tracks = max(self._tracks, *tracks, 0)

    def _cut_short(self, info: Info) -> str:
        """Say so where frames are missing that the file tells of."""
        if info.frames is None or self._asked.end_s is not None:
            return ""
        if self._last + self._step + 1 >= NEAR_ITS_END * info.frames:
            return ""
        last = f"the last that can be read is number {self._last}"
        return f"cut short: it tells of {info.frames} frames, numbered from 0, and {last}"


class Copy:
    """Writes the annotated copy of a video."""

    def __init__(self, path: Path, fps: float, output: Output, stack: ExitStack) -> None:
        self.path = path
        self._how: Any = {"points": output.points, "faces": output.faces}
        self._fps, self._stack = fps, stack
        self._writer: VideoWriter | None = None

    def add(self, look: Look, tracks: Sequence[int], predictions: Sequence[Prediction]) -> None:
        """Draw faces, named by their tracks, into the frame."""
        assert look.image is not None
        names = [f"#{number}" for number in tracks]
        picture = annotate(look.image, predictions, names=names, **self._how)
        if self._writer is None:
            opened = write_video(self.path, picture.shape[:2], self._fps)
            self._writer = self._stack.enter_context(opened)
        self._writer.write(picture, look.time_s)


def stem_of(source: str) -> str:
    """Name what is written of a video."""
    return Path(plain_name(source).partition("?")[0]).stem.partition("%")[0] or "video"


def copy_path(folder: Path, asked: Asked) -> Path:
    """Make the folder, and name a video's copy in it; what cannot be written becomes MP4."""
    with writing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    suffix = Path(asked.name.partition("?")[0]).suffix
    path = folder / f"{asked.stem}{suffix if suffix.lower() in CODES else '.mp4'}"
    if path.resolve() == Path(asked.source).resolve():
        raise UsageError(f"drawing would overwrite the video {path}; name another folder")
    return path


def _opened(stack: ExitStack, path: Path | None, kind: str, columns: _records.Columns) -> Write:
    """Open a file of rows, or standard output; a table for people is written at the end."""
    if kind == "table":
        return lambda records: None
    stream = stack.enter_context(result_stream(path))
    writer, close = _records.writer(stream, kind, columns)
    stack.callback(close)

    def write(records: list[Record]) -> None:
        writer.write(records)
        if path is None:
            stream.flush()

    return write


def _draw(path: Path, series: Series, events: Sequence[Event]) -> None:
    spans: dict[int, list[Span]] = {}
    for event in events:
        spans.setdefault(event.track, []).append((event.expression, event.start_s, event.end_s))
    files.write(path, timeline(series, spans, kind=path.suffix.lower().lstrip(".")))


def _rows(events: Sequence[Event]) -> list[list[str]]:
    """Lay out events for people, in the order of their beginnings."""
    head = ["track", "expression", "from", "to", "peak", ""]
    ordered = sorted(events, key=lambda event: (event.start_s, event.track))
    return [head, *(_row(event) for event in ordered)]


def _row(event: Event) -> list[str]:
    times = (clock(time_s, even=True) for time_s in (event.start_s, event.end_s, event.peak_s))
    return [str(event.track), event.expression, *times, percent(event.peak)]
