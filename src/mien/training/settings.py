"""The settings of a recipe, a frozen dataclass for each table of its TOML; defaults come first."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Self

from mien.errors import UsageError
from mien.training.augment import Augmentation
from mien.training.hiding import Hiding

TASKS = ("expression", "landmarks", "labels")
PRECISIONS = ("float32", "bfloat16", "float16")
OPTIMIZERS = ("sgd", "adam", "adamw", "sam")
SCHEDULES = ("one-cycle", "constant", "cosine", "step", "plateau")
LOSSES = ("cross-entropy", "binary", "votes")
CLASS_WEIGHTS = ("none", "inverse", "effective", "sampler")
# What no weight depends on.
OF_THE_MACHINE = ("compile", "checkpoint_minutes", "train_accuracy_faces", "memory_share")
ALL = "all"  # the protocol under which every face trains
LAST_EPOCH = "last"  # the metric that keeps it, whatever its figures
METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "worst_recall", "loss", LAST_EPOCH)


@dataclass(frozen=True)
class DataSettings:
    """Which faces train, choose and test; the task `labels` reads it, the others need FER-2013.

    dataset: a name that `mien data list` gives; empty where a table is named on the command line.
    rule: how FER+ votes become labels. preparation: a preset by name; empty for faces as the set
    has them, whole, in grey, at the recipe's `side`. normalize: in place of what the preparation or
    the network says; data-set statistics are those of the training part. protocol: as `mien data
    split` knows them; empty for the set's own parts, or folds by subject; `all` trains on every
    face. folds: how many there are; where there is one, the first is meant. validation_share: of
    the training faces, where no part is there to choose on. expressions: leave out the others. set:
    one of the sets A to E, made on the fly.
    """

    dataset: str = ""
    rule: str = "majority"
    preparation: str = ""
    normalize: str = ""
    protocol: str = ""
    folds: int = 10
    validation_share: float = 0.1
    without_duplicates: bool = False
    expressions: tuple[str, ...] = ()
    set: str = "A"


@dataclass(frozen=True)
class NetworkSettings:
    """A network of `networks.registry` by name; where it is `residual`, its shape.

    pretrained and frozen are for torchvision's and timm's. channels: 1 for grey, 3 for colour.
    dropout: other than the default it is also that of every other network's layers.
    """

    name: str = "residual"
    channels: int = 1
    pretrained: bool = False
    frozen: bool = False
    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: tuple[int, ...] = (1, 2, 2, 1)
    stem_stride: int = 2
    excited_stages: int = 2
    dropout: float = 0.3
    pool: int = 1


@dataclass(frozen=True)
class Optimizer:
    """How weights move; decay falls on weights alone unless `decay_all`.

    kind: `sgd` (with `momentum`, `nesterov`), `adam`, `adamw`, or `sam` around sgd with radius
    `sam_radius`. schedule: `one-cycle` rises over `warmup_share` and falls in a cosine; `cosine`
    falls at once; `step` multiplies by `step_factor` every `step_epochs`; `plateau` does so when
    the metric to select by has not improved for `step_epochs`. A `restart_epoch` ends a one-cycle
    there; the epochs that remain fall again, from `restart_rate`. ema: memory of the running
    average of the weights, 0 for none. clip: largest norm of the gradient, 0 for any.
    """

    kind: str = "sgd"
    learning_rate: float = 0.12
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    decay_all: bool = False
    sam_radius: float = 0.05
    schedule: str = "one-cycle"
    warmup_share: float = 0.1
    step_epochs: int = 10
    step_factor: float = 0.5
    ema: float = 0.998
    clip: float = 5.0
    restart_epoch: int = 0
    restart_rate: float = 0.04


@dataclass(frozen=True)
class Losses:
    """What each output adds to the loss; `kind` and the class weights are of the task `labels`.

    kind: `cross-entropy`, `binary` (one against all others, as system 3), or `votes` (FER+ shares).
    class_weights: `none`, `inverse` of the frequency, `effective` number (Cui et al., arXiv
    1901.05555, with `beta`), or a `sampler` that shows all expressions equally often.
    """

    kind: str = "cross-entropy"
    class_weights: str = "none"
    beta: float = 0.999
    ferplus: float = 1.0
    fer2013: float = 1.0
    hidden: float = 0.2
    points: float = 1.0
    face: float = 0.1
    smoothing: float = 0.05

    def __post_init__(self) -> None:
        for name in ("beta", "smoothing"):
            if not 0 <= getattr(self, name) < 1:
                found = getattr(self, name)
                raise UsageError(f"losses.{name} must be from 0 to below 1, got {found}")


@dataclass(frozen=True)
class Distillation:
    """What a teacher's answers to the training faces add: a file that `mien distill` wrote.

    weight: of the loss against the teacher; that against the labels has the rest.
    temperature: softens both sides (Hinton et al., arXiv 1503.02531).
    """

    file: str = ""
    weight: float = 0.7
    temperature: float = 1.0


@dataclass(frozen=True)
class Selection:
    """Which epoch is kept and when a run ends: the best by `metric`, after `patience` without.

    The metric `last` keeps the last one.
    """

    metric: str = "accuracy"
    patience: int = 0  # judgements without a better one; 0 goes on to the last epoch


@dataclass(frozen=True)
class Recipe:
    """Everything a training run depends on but the data and the machine.

    train_accuracy_faces: how many training faces, as they are, the log tells of besides. compile:
    let torch.compile make the steps quicker, after a minute or two at first.
    checkpoint_minutes: from one checkpoint to the next in a long epoch, 0 for none within.
    memory_share: of the machine's, which the pixels of a table may fill; larger ones stay on disk.
    start: a checkpoint whose average the run starts from, random weights without; start_share: how
    much of it is mixed into the weights that the run ends with.
    """

    name: str
    task: str
    side: int = 48
    seed: int = 1
    epochs: int = 60
    batch_size: int = 192
    precision: str = "bfloat16"
    validate_every: int = 2
    train_accuracy_faces: int = (
        2000  # training faces, as they are, that the log tells of; 0 for none
    )
    compile: bool = False
    checkpoint_minutes: float = 30.0
    memory_share: float = 0.5
    start: str = ""
    start_share: float = 0.0
    mirror: bool = False  # the answers of the file are averaged over a face and its mirror image
    denoise: bool = False  # the file takes the grain off a face before it looks at it
    quantize: bool = False  # the file computes in 8-bit integers, where that pays
    quantize_always: bool = False  # and also where it does not
    data: DataSettings = field(default_factory=DataSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    optimizer: Optimizer = field(default_factory=Optimizer)
    losses: Losses = field(default_factory=Losses)
    distillation: Distillation = field(default_factory=Distillation)
    selection: Selection = field(default_factory=Selection)
    augmentation: Augmentation = field(default_factory=Augmentation)
    hiding: Hiding = field(default_factory=Hiding)

    def to_dict(self) -> dict[str, Any]:
        """Give the settings as JSON holds them."""
        found: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return found

    @classmethod
    def usual(cls) -> dict[str, Any]:
        """Give the defaults as `to_dict` does: what a record of before a setting meant by it."""
        return cls("", "").to_dict()

    @property
    def untested(self) -> str:
        """Name what leaves no face to test, or nothing."""
        if self.task != "labels":
            return f"the task {self.task!r}"
        return f"data.protocol {ALL}" if self.data.protocol == ALL else ""

    def lasting(self) -> Self:
        """Give the recipe with the defaults for what no weight depends on."""
        usual = type(self).usual()
        return dataclasses.replace(self, **{name: usual[name] for name in OF_THE_MACHINE})

    def sha256(self) -> str:
        """Hash what differs from the defaults, so that a new setting leaves old hashes alone."""
        text = json.dumps(_stated(self.lasting()), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _stated(settings: Any) -> dict[str, Any]:
    found = {}
    for entry in dataclasses.fields(settings):
        value = getattr(settings, entry.name)
        if dataclasses.is_dataclass(value):
            value = _stated(value)
            if value:
                found[entry.name] = value
        elif value != entry.default:
            found[entry.name] = value
    return found
