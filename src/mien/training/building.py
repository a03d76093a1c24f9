"""The network of a recipe, with fresh weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from mien.networks import registry
from mien.networks.residual import ResidualNetwork
from mien.training.settings import NetworkSettings, Recipe


def fresh(recipe: Recipe, heads: Mapping[str, int]) -> nn.Module:
    """Make the recipe's network with these outputs; torch's generator draws its weights."""
    shape = recipe.network
    if shape.name == "residual":
        return residual(shape, heads)
    return registry.build(
        shape.name,
        heads,
        side=recipe.side,
        channels=shape.channels,
        pretrained=shape.pretrained,
        frozen=shape.frozen,
        # The default is of `residual`; the others have their own.
        dropout=shape.dropout if shape.dropout != NetworkSettings.dropout else None,
    )


def residual(shape: NetworkSettings, heads: Mapping[str, int]) -> ResidualNetwork:
    """Make a network of our own family with fresh weights."""
    return ResidualNetwork(
        heads,
        widths=shape.widths,
        blocks=shape.blocks,
        stem_stride=shape.stem_stride,
        excited_stages=shape.excited_stages,
        dropout=shape.dropout,
        pool=shape.pool,
        channels=shape.channels,
    )


def untaught(recipe: Recipe) -> Recipe:
    """Leave out the weights of others, which a run's own will replace."""
    return replace(recipe, network=replace(recipe.network, pretrained=False))
