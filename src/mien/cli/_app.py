"""The commands put together."""

from collections.abc import Callable

import typer

from mien.cli import _options
from mien.cli import data as data_commands
from mien.cli import networks as networks_commands
from mien.cli import study as study_commands
from mien.cli._ending import ends_well
from mien.cli.compare import compare
from mien.cli.demo import demo
from mien.cli.distill import distill
from mien.cli.evaluate import evaluate
from mien.cli.explain import explain
from mien.cli.export import export
from mien.cli.live import live
from mien.cli.models import COMMANDS as MODELS
from mien.cli.models import models
from mien.cli.occlude import occlude
from mien.cli.occluders import occluders
from mien.cli.predict import predict
from mien.cli.reproduce import reproduce
from mien.cli.serve import serve
from mien.cli.train import train
from mien.cli.verify import verify

EXAMPLES: dict[Callable[..., None], str] = {
    predict: """
        mien predict photo.jpg
        mien predict photos/ --draw annotated --format csv --out faces.csv
        mien predict clip.mp4 --events events.csv --timeline timeline.png
        find . -name '*.jpg' | mien predict - --format jsonl""",
    live: """
        mien live
        mien live --capture --save pictures
        mien live 1 --size 1280x720 --record faces.csv""",
    demo: """
        mien demo
        mien demo --out portrait.png""",
    evaluate: """
        mien evaluate --dataset ferplus --root data --split private
        mien evaluate --dataset fer2013 --root data --occlude mask-polygon --format json
        mien evaluate --table tables/jaffe --splits folds.json --fold 2 --receipt fold2.json""",
    verify: """
        mien verify fold2.json --table tables/jaffe""",
    compare: """
        mien compare none.json eyes.json mouth.json --all-pairs --plot compared.svg
        mien compare none eyes mouth --dataset fer2013 --root data
        mien compare runs/a runs/b --plot histories.svg""",
    explain: """
        mien explain photos/ --out explained
        mien explain --dataset ferplus --root data --expression fear --out explained""",
    occlude: """
        mien occlude photos/ hidden/ --with eyes,mouth,surgical
        mien occlude tables/jaffe hidden/ --with eyes+mouth --fixed-size face --masks""",
    occluders: """
        mien occluders --style realistic
        mien occluders --sheet occluders.png
        mien occluders --sheet occluders.png --table tables/jaffe""",
    serve: """
        mien serve
        mien serve --port 9000 --jobs 4
        MIEN_API_KEY=$(openssl rand -hex 16) mien serve --host 0.0.0.0""",
    train: """
        mien train expression --data data
        mien train --dataset fer2013 --data data --network multi5 --epochs 20 --out runs/mine
        mien train mine.toml --data data --preview seen.png
        mien train mine.toml --table tables/jaffe --folds 10 --group subject --seeds 3
        mien train system4-multi8 --data data --device cuda --set data.set=E""",
    export: """
        mien export runs/mine --data data --out mine.onnx
        mien export runs/mine/best.safetensors --data data --out mine-int8.onnx --quantize""",
    distill: """
        mien distill runs/a/a.onnx runs/b/b.onnx --data data --out teacher.npz""",
    reproduce: """
        mien reproduce list
        mien reproduce system2 --root data
        mien reproduce system1-vgg19 --root data --device cuda --epochs 20 --set side=64""",
}


def build() -> typer.Typer:
    """Make the program."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(about)
    _add(app, EXAMPLES)
    data = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    data.callback()(about_data)
    _add(data, data_commands.EXAMPLES)
    app.add_typer(data, name="data")
    networks = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    networks.callback()(about_networks)
    _add(networks, networks_commands.EXAMPLES)
    app.add_typer(networks, name="networks")
    study = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    study.callback()(about_study)
    _add(study, study_commands.EXAMPLES)
    app.add_typer(study, name="study")
    shelf = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
    shelf.callback(epilog=_paragraph("".join(examples for _, examples in MODELS.values())))(
        ends_well(models)
    )
    for name, (command, examples) in MODELS.items():
        shelf.command(name, epilog=_paragraph(examples))(ends_well(command))
    app.add_typer(shelf, name="models")
    return app


def about(version: _options.Version = False) -> None:
    """Read facial expressions from photographs, also when part of the face is hidden."""


def about_data(version: _options.Version = False) -> None:
    """See what is in data sets of faces, check them, and make tables of them."""


def about_networks(version: _options.Version = False) -> None:
    """See which networks can be trained, and what is in one."""


def about_study(version: _options.Version = False) -> None:
    """Run experiments of many measurements, and report what they say."""


def _add(app: typer.Typer, commands: dict[Callable[..., None], str]) -> None:
    for command, examples in commands.items():
        app.command(epilog=_paragraph(examples))(ends_well(command))


def _paragraph(examples: str) -> str:
    """Lay out examples so that the help keeps their lines."""
    lines = [f"  {line.strip()}" for line in examples.strip().splitlines()]
    return "\n".join(["\b", "Examples:", *lines])
