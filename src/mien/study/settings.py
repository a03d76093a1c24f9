"""What a study asks, by name: conditions, how networks are trained, and published comparisons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mien import occlusion
from mien.errors import UsageError, unknown_name

WHOLE = "none"
CONDITIONS = (WHOLE, "eyes", "mouth", "eyes+mouth", "mask-polygon", "surgical", "sunglasses")

# Regions, as sentences name them; whatever else hides a face is called by its own name.
_PARTS = ("eyes", "mouth", "brows", "nose", "forehead", "cheeks")
_HALVES = ("upper", "lower", "left", "right")


# How a network is trained where no recipe says it, settings of recipes by their dotted names: the
# published studies' own. Half of the views are mirrored, and all moved by up to 3 of 48 pixels.
USUAL: dict[str, Any] = {
    "task": "labels",
    "network.name": "residual",
    "epochs": 30,
    "batch_size": 128,
    "validate_every": 1,
    "optimizer.learning_rate": 0.05,
    "optimizer.decay_all": True,
    "optimizer.ema": 0.0,
    "losses.smoothing": 0.0,
    "augmentation.rotate_degrees": 0.0,
    "augmentation.scale": 0.0,
    "augmentation.shift": 0.0625,
    "augmentation.brightness": 0.0,
    "augmentation.contrast": 0.0,
    "augmentation.gamma": 0.0,
    "augmentation.blur_share": 0.0,
    "augmentation.noise_share": 0.0,
    "augmentation.padding": "border",
}
RECIPES = {"jaffe": "system0-jaffe"}  # of networks that were published with a training of their own


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
