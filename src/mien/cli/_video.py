"""`mien predict` with a video: every face of every frame, who is who, and when they show what."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from mien import files
from mien.cli import _jobs
from mien.cli._journal import Journal, identity
from mien.cli._looks import Look, Looks
from mien.cli._outputs import Output
from mien.cli._streams import replaceable, writing
from mien.cli._video_told import Asked, Told, copy_path, stem_of
from mien.errors import InputError, UsageError
from mien.media.smoothing import HALF_LIFE_S
from mien.media.tracks import Cuts
from mien.media.video import Frame, Video, is_video, open_video
from mien.progress import say, track
from mien.recognizer import Recognizer

AHEAD = 2  # frames a thread that are held
PICTURES = (".png", ".svg", ".pdf")


def asked(
    paths: Sequence[str],
    every: int | None,
    fps: float | None,
    start: str | None,
    end: str | None,
    smooth: float | None,
    events: Path | None,
    timeline: Path | None,
) -> list[Asked]:
    """Give the videos that are meant: by their names, or by an option that is for videos."""
    options = (every, fps, start, end, smooth, events, timeline)
    chosen = any(option is not None for option in options)
    if not any(map(is_video, paths)) and not chosen:
        return []
    if not all(paths) or not (chosen or all(map(is_video, paths))):
        wrong = next((path for path in paths if not is_video(path)), "") if all(paths) else ""
        raise UsageError(f"expected videos alone, got {wrong or 'an empty path'}")
    if len(paths) > 1 and (events or timeline):
        raise UsageError("--events and --timeline are of one video; give one, or leave them out")
    if timeline and timeline.suffix.lower() not in PICTURES:
        raise UsageError(f"cannot draw {timeline}: expected {', '.join(PICTURES)} for a suffix")
    taken: set[str] = set()
    return [
        Asked(
            source=path,
            every=every or 1,
            fps=fps,
            start_s=seconds(start),
            end_s=seconds(end),
            smooth_s=HALF_LIFE_S if smooth is None else smooth,
            events=events,
            timeline=timeline,
            stem=files.numbered(stem_of(path), taken),
        )
        for path in paths
    ]


def seconds(text: str | None) -> float | None:
    """Read a time: seconds, or hours, minutes and seconds with colons between."""
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or not all(0 <= part < 1e7 for part in parts):
        raise UsageError(f"expected a time like 90, 1:30 or 0:01:30.5, got {text!r}")
    return sum(part * 60.0**power for power, part in enumerate(reversed(parts)))


def predict(
    asked: Asked, recognizer: Recognizer, output: Output, plan: Mapping[str, Any], *, jobs: int
) -> None:
    """Read a video and write what it shows; a work that was stopped goes on where it was.

    `plan` says how faces are read, to know unfinished work by.
    """
    with open_video(
        asked.source, every=asked.every, fps=asked.fps, start_s=asked.start_s, end_s=asked.end_s
    ) as video:
        endless, out = video.info.stream, output.out
        kept = out if out and replaceable(out) and not endless else None
        with Journal(kept, {**plan, **_chosen(asked)}) as journal:
            kept_looks = Looks(journal)
            if kept_looks.last >= 0:
                say(f"going on behind frame {kept_looks.last} of {asked.name}", quiet=output.quiet)
            looks = _looks(video, recognizer, kept_looks, jobs=jobs, drawn=output.draw is not None)
            labels, total = recognizer.reader.labels, video.expected()
            with ExitStack() as stack:
                told = Told(asked, output, video.info.fps, labels, stack)
                _tell(told, looks, total, quiet=output.quiet or output.watched, endless=endless)
            journal.discard()
        say(told.summary(video.info, stopped=endless and video.ran_out), quiet=output.quiet)


def predict_each(
    videos: Sequence[Asked],
    recognizer: Recognizer,
    output: Output,
    plan: Mapping[str, Any],
    *,
    jobs: int,
) -> None:
    """Read videos one after the other, each into a table of its own in the folder `output.out`.

    A work that was stopped goes on; a video that cannot be read is told, and left out.
    """
    folder, first = output.out, videos[0]
    assert folder is not None
    _check_copies(videos, output.draw)
    with writing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    draw = output.draw and str(output.draw.resolve())
    drawn = {"draw": draw, "draw_faces": output.faces}
    told = {"format": output.format, **drawn, "smooth": first.smooth_s, **_span(first)}
    failed = 0
    with Journal(folder / "videos", {**plan, **told}) as journal:
        done = [entry for _, entry in journal.entries()]
        for video in videos:
            table = folder / f"{video.stem}.{output.format}"
            entry = {**identity(video.source), "table": table.name}
            if entry in done and table.is_file():
                say(f"{video.name} had been read", quiet=output.quiet)
                continue
            try:
                predict(video, recognizer, replace(output, out=table), plan, jobs=jobs)
            except InputError as error:
                say(f"left out: {error}")
                failed += 1
            else:
                journal.add(entry)
        journal.discard()
    if failed:
        raise InputError(f"{failed} of {len(videos)} videos could not be read")


def _check_copies(videos: Sequence[Asked], draw: Path | None) -> None:
    """Refuse copies that would replace what is still to be read."""
    sources = {Path(video.source).resolve() for video in videos}
    for video in videos if draw else ():
        path = copy_path(Path(str(draw)), video)
        if path.resolve() in sources:
            raise UsageError(f"drawing would overwrite the video {path}; name another folder")


def _chosen(asked: Asked) -> dict[str, Any]:
    """Say which frames are read of what."""
    return {**identity(asked.source), **_span(asked)}


def _span(asked: Asked) -> dict[str, Any]:
    return {"every": asked.every, "fps": asked.fps, "start": asked.start_s, "end": asked.end_s}


def _looks(
    video: Video, recognizer: Recognizer, kept: Looks, *, jobs: int, drawn: bool
) -> Generator[Look, None, None]:
    """Yield what the frames show, first what is kept; with images if they are drawn."""

    def looked(item: tuple[Frame | None, Look]) -> Look:
        frame, look = item
        if frame is None:
            return look
        if frame.number > kept.last:
            look = replace(look, predictions=recognizer(frame.image))
        return replace(look, image=frame.image if drawn else None)

    frames = _frames(video, kept, drawn=drawn)
    with closing(_jobs.in_order(looked, frames, jobs, ahead=AHEAD)) as found:
        for look in found:
            if look.number > kept.last:
                kept.add(look)
            yield look


def _frames(video: Video, kept: Looks, *, drawn: bool) -> Iterator[tuple[Frame | None, Look]]:
    """Yield frames to look at, and what is known of them."""
    cuts, known = Cuts(), kept.known()
    if not drawn:
        yield from ((None, look) for look in known)
    # The last known frame is seen again to tell whether the next one is a cut.
    for frame in video.after(-1 if drawn else kept.last - 1):
        cut = cuts.update(frame.image)
        if frame.number == kept.last:
            video.info.damaged = kept.damaged
        if frame.number > kept.last:
            yield frame, Look(frame.number, frame.time_s, cut, video.info.damaged, [])
        elif drawn:
            yield frame, next(known)


def _tell(
    told: Told, looks: Generator[Look, None, None], total: int | None, *, quiet: bool, endless: bool
) -> None:
    """Tell what the looks show; Ctrl-C ends a stream as its own end does."""
    shown = track(looks, total=total, description="reading the video", quiet=quiet)
    try:
        with closing(looks), closing(shown):
            for look in shown:
                told.add(look)
    except KeyboardInterrupt:
        if not endless:
            raise KeyboardInterrupt(told.interrupted()) from None
    told.end()
