"""What five public projects published, run by run: a recipe's name each, and the figures."""

from collections.abc import Iterable
from dataclasses import dataclass

from mien.errors import UsageError, unknown_name


@dataclass(frozen=True)
class Figure:
    """A share that was published, of what faces, and where it stands.

    data_set, expressions, occluder: what a run must have to be comparable. Some figures are of sets
    that no run has: of two joined, or of one that another was trained on.
    """

    value: float
    of: str
    source: str
    data_set: str
    expressions: int = 7
    occluder: str = "none"


@dataclass(frozen=True)
class Published:
    """A run: its recipe and data set, what is hidden on every face, whether it has folds.

    mended: what its protocol did otherwise, and what ours does instead.
    """

    recipe: str
    title: str
    data_set: str
    figures: tuple[Figure, ...]
    mended: str
    occluder: str = "none"
    folds: int = 0


# How many faces a data set has, by split, where everybody has the same files.
COUNTS = {
    "fer2013": {"train": 28_709, "public": 3_589, "private": 3_589},
    "jaffe": {"": 213},
    "ckplus48": {"": 981},
}

_ZERO = "Spiroman/facial-expression-recognition"
_ONE = "rebyu/masked-emotions"
_TWO = "abdessalemmami/Facial-Expressions-Recognition"
_THREE = "Lakshita2002/FER_brain_and_cognitive_society"
_FOUR = "raroito87/facial_expression_recognition"


def _masked(network: str, title: str, value: float) -> Published:
    of = "accuracy on 2,387 masked PrivateTest faces, those that dlib found"
    return Published(
        recipe=f"system1-{network}",
        title=f"{title} on faces with the lower half masked",
        data_set="fer2013",
        figures=(
            Figure(value, of, f"{_ONE}: analyze_model.ipynb", "fer2013", occluder="mask-polygon"),
        ),
        mended="Theirs left out a third of the faces, more of the sad ones, and measured with"
        " dropout on and batch statistics of the test faces. Here all 3,589 are masked and measured"
        " by the model file.",
        occluder="mask-polygon",
    )


def _folds(recipe: str, version: str) -> Published:
    jaffe, ckplus = "of JAFFE", "of CK+"
    shown = (
        (0.9346, "jaffe", 7, jaffe),
        (0.9234, "jaffe", 6, f"{jaffe}, without neutral"),
        (0.9054, "ckplus48", 7, ckplus),
        (0.9054, "ckplus", 7, ckplus),
        (0.9224, "ckplus48", 6, f"{ckplus}, without contempt"),
        (0.9224, "ckplus", 6, f"{ckplus}, without contempt"),
        (0.9045, "jaffe, ckplus48", 6, "of both sets joined"),
    )
    across = ((0.4064, "ckplus48", "JAFFE"), (0.3056, "jaffe", "CK+"))
    source = f"{_THREE}: Documentation.md"
    return Published(
        recipe=recipe,
        title=f"two convolutions, {version}",
        data_set="jaffe",
        figures=(
            *(
                Figure(
                    value, f"mean of 10 random folds, {count} expressions {of}", source, on, count
                )
                for value, on, count, of in shown
            ),
            *(
                Figure(value, "all faces, 6 expressions", source, f"{on} after training on {by}", 6)
                for value, on, by in across
            ),
        ),
        mended="Theirs dealt faces, so that everybody was in training and test, and took the"
        " levels' mean and deviation from all of them. Here nobody is in two folds, and statistics"
        " come from training faces.",
        folds=10,
    )


def _system4(name: str, title: str, *figures: tuple[float, str]) -> Published:
    return Published(
        recipe=f"system4-{name}",
        title=title,
        data_set="fer2013",
        figures=tuple(
            Figure(value, f"accuracy on {of}", f"{_FOUR}: stored notebooks", "fer2013")
            for value, of in figures
        ),
        mended="Theirs chose the epoch on PublicTest and mostly told that part's score. Here it"
        " is chosen there too, and told of PrivateTest.",
    )


_CHOSEN = "PublicTest, where the epoch was chosen"

RUNS = {
    run.recipe: run
    for run in (
        Published(
            recipe="system0-jaffe",
            title="three convolutions on whole photographs",
            data_set="jaffe",
            figures=tuple(
                Figure(
                    right / 32,
                    f"accuracy on 32 faces of people who also trained{how}",
                    f"{_ZERO}: {file}_training_history.json",
                    "jaffe",
                    occluder=occluder,
                )
                for right, file, occluder, how in (
                    (29, "original", "none", ""),
                    (25, "eyes", "eyes", ", eyes hidden on all"),
                    (25, "mouth", "mouth", ", mouth hidden on all"),
                    (24, "both", "eyes+mouth", ", both hidden on all"),
                )
            ),
            mended="Theirs tested 32 faces of the ten women it was trained on, and watched the"
            " epochs on them. Here each woman is tested by a network that has never seen her.",
            folds=10,
        ),
        _masked("alexnet", "AlexNet", 0.4880603),
        _masked("vgg11", "VGG-11", 0.5714286),
        _masked("vgg19", "VGG-19", 0.5881860),
        _masked("resnet18", "ResNet-18", 0.4905739),
        _masked("densenet121", "DenseNet-121", 0.5534143),
        Published(
            recipe="system2",
            title="six convolutions, FER+ with seven expressions",
            data_set="ferplus",
            figures=(
                Figure(
                    0.697,
                    "accuracy on PublicTest and 248 studio faces, where the epoch was chosen; read"
                    " off a plot",
                    f"{_TWO}: eval.png",
                    "ferplus",
                ),
            ),
            mended="Theirs weighted expressions by their frequency, so that rare ones hardly"
            " counted, and told nothing of a test part. Here rare ones count more, and PrivateTest"
            " is told.",
        ),
        _folds("system3-32px", "32x32"),
        _folds("system3-48px", "48x48"),
        _system4("simple", "one convolution", (0.5043, f"{_CHOSEN}, set C")),
        _system4("double", "two convolutions", (0.5428, f"{_CHOSEN}, set D")),
        _system4("triple", "three convolutions", (0.5436, "PrivateTest, set D")),
        _system4(
            "multi5",
            "five convolutions",
            (0.6305, "PrivateTest, set D"),
            (0.6258, f"{_CHOSEN}, set D"),
        ),
        _system4(
            "multi8",
            "eight convolutions",
            (0.6486, "PrivateTest, set D"),
            (0.6673, f"{_CHOSEN}, set E"),
        ),
        _system4("vgg16", "VGG-16, frozen", (0.1, "a slice of faces, all answered alike")),
    )
}


def named(name: str) -> list[Published]:
    """Give the run of a name, or all runs of a system (`system4`)."""
    found = [run for key, run in RUNS.items() if key == name or key.startswith(f"{name}-")]
    if not found:
        raise UsageError(unknown_name("published run", name, [*RUNS, *_systems(RUNS)]))
    return found


def _systems(names: Iterable[str]) -> list[str]:
    return sorted({name.partition("-")[0] for name in names} - set(names))
