"""What a study asks, by name: conditions, how networks are trained, and published comparisons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mien import occlusion
from mien.errors import UsageError, unknown_name
from mien.preparation import Preparation, preset

WHOLE = "none"
CONDITIONS = (WHOLE, "eyes", "mouth", "eyes+mouth", "mask-polygon", "surgical", "sunglasses")

# Regions, as sentences name them; whatever else hides a face is called by its own name.
_PARTS = ("eyes", "mouth", "brows", "nose", "forehead", "cheeks")
_HALVES = ("upper", "lower", "left", "right")


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network is trained; nothing is chosen on the faces that test it.

    network: a name of `networks.registry`. schedule: `constant`, or `cosine` after a short rise.
    Of every face half of the views are mirrored, and all moved by up to `shift_px`.
    """

    network: str = "residual"
    preparation: Preparation = field(
        default_factory=lambda: Preparation((48, 48), crop="whole", normalize="per-image")
    )
    epochs: int = 30
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.05
    weight_decay: float = 5e-4
    schedule: str = "cosine"
    mirror: bool = True
    shift_px: int = 3
    bfloat16: bool = True

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise UsageError(
                f"expected at least 1 epoch and a batch of 1, got {self.epochs} and"
                f" {self.batch_size}"
            )


JAFFE = Training(
    network="jaffe",
    preparation=preset("whole-rgb-128"),
    epochs=50,
    batch_size=7,
    optimizer="adam",
    learning_rate=1e-3,
    weight_decay=0.0,
    schedule="constant",
    mirror=False,
    shift_px=0,
    bfloat16=False,
)
TRAININGS = {"residual": Training(), "narrow": Training(network="narrow"), "jaffe": JAFFE}


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A comparison that was published: its question, conditions, and network to train.

    pad: how far boxes reach beyond the points, in parts of the image's shorter side.
    """

    alias: str
    question: str
    conditions: tuple[str, ...]
    network: str
    pad: float | None = None

    def drawn(self, size_hw: Sequence[int]) -> dict[str, float]:
        """Say how occluders are drawn on images of a size."""
        return {} if self.pad is None else {"pad_px": round(self.pad * min(size_hw), 4)}


PRESETS = {
    "eyes-or-mouth": Preset(
        alias="system0",
        question="Which matters more to an expression, the eyes or the mouth?",
        conditions=(WHOLE, "eyes", "mouth", "eyes+mouth"),
        network="jaffe",
        pad=3 / 256,
    ),
    "masked-faces": Preset(
        alias="system1",
        question="How much of an expression is left above a face mask?",
        conditions=(WHOLE, "mask-polygon"),
        network="residual",
    ),
}
QUESTION = "Which part of the face does its expression depend on?"


def preset_named(name: str) -> Preset:
    """Find a comparison by its name or the system it is also called by."""
    known = {**PRESETS, **{entry.alias: entry for entry in PRESETS.values()}}
    if name not in known:
        raise UsageError(unknown_name("preset", name, known))
    return known[name]


def usual(drawn: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the conditions that nobody had to name, the flat ones where only those are drawn so."""
    flat, bare = occlusion.names("flat"), not drawn.keys() & {"pad_px", "pad_share", "fixed_size"}
    bare = bare and ("tone" not in drawn or drawn.get("style") == "flat")
    return tuple(
        name
        for name in CONDITIONS
        if bare or all(part in (*flat, WHOLE) for part in name.split("+"))
    )


def training_named(name: str) -> Training:
    """Find a network and how it is trained."""
    if name not in TRAININGS:
        raise UsageError(unknown_name("network", name, TRAININGS))
    return TRAININGS[name]


def checked(conditions: Sequence[str], drawn: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Check the names, and that they can be drawn so; the whole face comes first.

    Everything is compared with it.
    """
    named = [name.strip() for name in conditions if name.strip()]
    if not set(named) - {WHOLE}:
        raise UsageError(
            "expected at least one condition that hides something, got"
            f" {', '.join(named) or 'an empty list'}; name some: eyes,mouth"
        )
    for name in {*named} - {WHOLE}:
        occlusion.occluder(name, **(drawn or {}))
    return tuple(dict.fromkeys((WHOLE, *named)))


def ranked(conditions: Sequence[str]) -> list[str]:
    """Choose what is compared: parts of the face if there are two, or else whatever is single."""
    single = [name for name in conditions if name != WHOLE and "+" not in name]
    parts = [name for name in single if name in _PARTS]
    return parts if len(parts) > 1 else single


def phrase(condition: str) -> str:
    """Say in a sentence what a condition does to a face."""
    parts = condition.split("+")
    if condition == WHOLE:
        return "showing the whole face"
    if all(part in _PARTS for part in parts):
        return "hiding " + " and ".join(f"the {part}" for part in parts)
    if condition in _HALVES:
        return f"hiding the {condition} half"
    return f"the occluder {condition}"
