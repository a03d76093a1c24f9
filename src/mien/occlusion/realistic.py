"""The objects that are drawn as they look."""

from dataclasses import dataclass

from mien.occlusion import (
    blocks,
    cloth,
    eyewear,
    hair,
    hand,
    headset,
    masks,
    microphone,
    respirators,
)
from mien.occlusion.head import Plan
from mien.occlusion.kinds import Kind


@dataclass(frozen=True)
class Object(Kind):
    """An entry of the registry with the plan by which the object is drawn.

    `tone` says what its colours are in proportion to: the level of light, the skin, or nothing.
    """

    plan: Plan
    tone: str = "light"


REALISTIC: dict[str, Object] = {
    "surgical": Object(
        masks.surgical, "realistic", "a surgical mask: pleats, ear loops", masks.plan
    ),
    "n95": Object(
        respirators.n95,
        "realistic",
        "a respirator: a cup, a nose clip, straps, perhaps a valve",
        respirators.plan,
    ),
    "cloth": Object(
        cloth.cloth, "realistic", "a sewn mask: printed cloth, folds, ear loops", cloth.plan_mask
    ),
    "scarf": Object(
        cloth.scarf, "realistic", "a scarf wound over mouth and nose", cloth.plan_scarf
    ),
    "sunglasses": Object(
        eyewear.sunglasses, "realistic", "sunglasses with opaque lenses", eyewear.plan
    ),
    "sunglasses-tinted": Object(
        eyewear.sunglasses_tinted,
        "realistic",
        "sunglasses through which the eyes can be seen",
        eyewear.plan_tinted,
    ),
    "sunglasses-reflecting": Object(
        eyewear.sunglasses_reflecting,
        "realistic",
        "mirrored sunglasses that show sky and ground",
        eyewear.plan_reflecting,
    ),
    "glasses": Object(
        eyewear.glasses, "realistic", "spectacles: thin rims, clear lenses", eyewear.plan_glasses
    ),
    "headset": Object(
        headset.headset, "realistic", "a virtual reality headset over the eyes", headset.plan
    ),
    "hand": Object(
        hand.hand, "realistic", "a hand with its fingers over the mouth", hand.plan, "skin"
    ),
    "microphone": Object(
        microphone.microphone, "realistic", "a microphone before the mouth", microphone.plan
    ),
    "hair": Object(hair.hair, "realistic", "locks of hair over forehead and eyes", hair.plan),
    "blocks": Object(
        blocks.blocks, "realistic", "one to four boards anywhere on the face", blocks.plan, "none"
    ),
}
