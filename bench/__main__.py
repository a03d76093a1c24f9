"""`python -m bench NAME`: measure, print tables, and write the figures if asked."""

from pathlib import Path
from typing import Annotated

import typer

from bench.report import Report
from mien.cli._ending import ends_well
from mien.errors import DataError

LISTS = "ferplus-real-occlusion"

Json = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures here.")]
Data = Annotated[Path, typer.Option(metavar="DIR", help="FER-2013, FER+ and landmarks68.npz.")]
Model = Annotated[str | None, typer.Option(metavar="FILE", help="A model.  [default: shipped]")]
Faces = Annotated[
    int | None, typer.Option(metavar="N", min=2, help="So many faces at random.  [default: all]")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def speed(
    photographs: Annotated[int, typer.Option(min=1, help="Photographs in the folder.")] = 200,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds to take the best of.")] = 5,
    install: Annotated[
        bool, typer.Option(help="Build and install the wheel too; needs the package index.")
    ] = True,
    json: Json = None,
) -> None:
    """Times, memory and sizes; needs no data.

    Stages one by one, photographs and cut faces a second, starts, whole commands, wheel, install.
    """
    from bench.speed import measure

    _end(measure(photographs, rounds, install=install), json)


def landmarks(
    data: Data,
    model: Model = None,
    photos: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Photographs, for what lies around faces.  [default: DATA/../photos, if it is"
            " there]",
        ),
    ] = None,
    faces: Faces = None,
    quiet: Quiet = False,
    json: Json = None,
) -> None:
    """Errors of the 68 points; faces against no faces.

    On PublicTest faces whole, masked and with their eyes barred, each also shifted and turned.
    """
    from bench.landmarks import measure

    beside = _beside(data, "photos")
    found = photos or (beside if beside.is_dir() else None)
    _end(measure(data, model, found, faces, quiet), json)


def pipeline(
    data: Data, model: Model = None, faces: Faces = None, quiet: Quiet = False, json: Json = None
) -> None:
    """What is lost on the way through a photograph.

    PublicTest faces are pasted into pictures and found again, against the same faces read whole.
    """
    from bench.pipeline import measure

    _end(measure(data, model, faces, quiet), json)


def hidden(
    data: Data,
    model: Model = None,
    occluded: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A list of really occluded FER+ faces.")
    ] = None,
    faces: Faces = None,
    quiet: Quiet = False,
    json: Json = None,
) -> None:
    """Hidden regions noticed; certain answers right.

    Under drawn occluders, those that training never drew among them, and on really occluded faces.
    """
    from bench.hidden import REAL_LIST, measure

    if occluded is not None and not occluded.is_file():
        raise DataError(f"no file {occluded}; expected a list of really occluded FER+ faces")
    found = occluded or _beside(data, LISTS) / REAL_LIST
    _end(measure(data, model, found, faces, quiet), json)


def results(
    data: Data,
    lists: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Lists of really occluded and turned FER+ faces."
            "  [default: DATA/../ferplus-real-occlusion]",
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="private|public", help="Of the faces that are measured on.")
    ] = "private",
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of tables, figure and studies.")
    ] = Path("results"),
    model: Model = None,
    quiet: Quiet = False,
) -> None:
    """What the pages say of the expression model, as their tables; needs Matplotlib.

    Goes on in the folder after a stop. The private split is for a model that will be released:
    choose on the public one, which has no list of really occluded or turned faces.
    """
    from bench.results import measure

    found = lists or _beside(data, LISTS)
    _end(measure(data, found, split, out, model, quiet), out / "results.json")


def shifts(
    data: Data, model: Model = None, faces: Faces = None, quiet: Quiet = False, json: Json = None
) -> None:
    """Accuracy where faces are dimmer, blurred, noisier, compressed, or framed otherwise.

    On PublicTest, all faces changed in one way at a time.
    """
    from bench.shifts import measure

    _end(measure(data, model, faces, quiet), json)


def occluders(
    faces: Annotated[int, typer.Option(min=2, help="Faces to hide parts of.")] = 2048,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds to take the best of.")] = 3,
    json: Json = None,
) -> None:
    """Faces hidden a second, by occluder; needs no data.

    Many at once on one thread and on all, one by one, and one in a photograph.
    """
    from bench.occluders import measure

    _end(measure(faces, rounds), json)


def training(
    faces: Annotated[int, typer.Option(min=1, help="Faces of an epoch.")] = 8192,
    batch: Annotated[int, typer.Option(min=2, help="Faces a step.")] = 128,
    workers: Annotated[int, typer.Option(min=0, help="Of the usual DataLoader.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds to take the best of.")] = 2,
    device: Annotated[str, typer.Option(metavar="cpu|cuda|auto")] = "cpu",
    compile: Annotated[
        bool, typer.Option("--compile", help="Time our loop with torch.compile, too.")
    ] = False,
    json: Json = None,
) -> None:
    """Faces trained on a second; needs no data, but the extra train.

    Our loop beside the usual way (a DataLoader and transforms, face by face) and bare steps.
    """
    from bench.training import measure

    _end(measure(faces, batch, workers, rounds, device, compile), json)


def video(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long the video is.")] = 60.0,
    every: Annotated[int, typer.Option(min=1, help="Read every so-many-th frame.")] = 1,
    json: Json = None,
) -> None:
    """Memory over a long video of 1920x1080; needs no data, but the extra video.

    A short one is looped; all frames are decoded, and by default all are read.
    """
    from bench.video import measure

    _end(measure(minutes, every), json)


def sets(
    data: Data,
    photographs: Annotated[int, typer.Option(min=1, help="Photographs to prepare.")] = 150,
    rows: Annotated[int, typer.Option(min=1, help="Faces of the large table.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds to take the best of.")] = 2,
    json: Json = None,
) -> None:
    """Data sets read, audited, prepared; memory of a large table.

    By CenterFace and, where the extra is installed, by dlib in turns.
    """
    from bench.sets import measure

    _end(measure(data, photographs, rows, rounds), json)


def serve(
    clients: Annotated[int, typer.Option(min=1, help="That ask at once.")] = 16,
    seconds: Annotated[float, typer.Option(min=0.1, help="Under load, a round.")] = 20,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds to take the middle of.")] = 5,
    minutes: Annotated[float, typer.Option(min=0, help="Under load, watching memory.")] = 10,
    quiet: Quiet = False,
    json: Json = None,
) -> None:
    """Photographs a second over HTTP beside mien predict; needs no data, but the extra serve.

    How late the last in a hundred is, four times the load, memory under load for minutes.
    """
    from bench.serve import measure

    _end(measure(clients, seconds, rounds, minutes, quiet), json)


def live(
    seconds: Annotated[float, typer.Option(min=3, help="Of video, for each row.")] = 30,
    fps: Annotated[float, typer.Option(min=1, help="Of that video.")] = 25,
    json: Json = None,
) -> None:
    """How old the picture on screen is; needs no data, but the extra video and Xvfb.

    A video takes the camera's place; the screen tells which of its frames it shows.
    """
    from bench.live import measure

    _end(measure(seconds, fps), json)


def page(
    seconds: Annotated[float, typer.Option(min=3, help="Of webcam, for each row.")] = 30,
    json: Json = None,
) -> None:
    """Frames a second the page's webcam reads; needs no data, but the extra serve and Chromium."""
    from bench.page import measure

    _end(measure(seconds), json)


def _beside(data: Path, name: str) -> Path:
    return data.resolve().parent / name


def _end(report: Report, json: Path | None) -> None:
    report.show()
    if json is not None:
        report.write(json)


def _list(context: typer.Context) -> None:
    """Measure mien; the figures hold for the machine they name."""
    if context.invoked_subcommand is None:
        print(context.get_help())


MEASURES = (
    speed,
    landmarks,
    pipeline,
    hidden,
    results,
    shifts,
    occluders,
    training,
    sets,
    serve,
    live,
    page,
    video,
)


def build() -> typer.Typer:
    """Make the program."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback(invoke_without_command=True)(_list)
    for command in MEASURES:
        app.command()(ends_well(command))
    return app


if __name__ == "__main__":
    build()(prog_name="python -m bench")
