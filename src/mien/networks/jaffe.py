"""The small network of the public JAFFE comparisons: three convolutions and a wide dense layer."""

from __future__ import annotations

from collections.abc import Mapping

from mien.networks.plain import PlainNetwork

SIDE = 128
LINE = "conv6x5 relu pool conv16x5 relu pool conv120x5v relu drop.25 flat fc84 relu drop.5"


class JaffeNetwork(PlainNetwork):
    """Convolutions of 5x5 with 6, 16 and 120 channels, 84 hidden units, one layer an output.

    `forward` takes float (N, 3, S, S), levels from 0 to 1, and gives a dict of (N, size) logits.
    With S of 128 and one output of 7 these are 7,954,391 parameters, nearly all of them between
    the last convolution and the hidden units. They start as Keras draws them (Glorot, uniform).
    """

    def __init__(self, heads: Mapping[str, int], *, side: int = SIDE, channels: int = 3) -> None:
        super().__init__(LINE, heads, side=side, channels=channels, keras=True)
