"""Networks of torchvision and timm below outputs of our own, with their weights where asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache, partial
from importlib import import_module
from pickle import UnpicklingError
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import MienError, MissingExtraError, UsageError
from mien.networks.table import Network

_CLASSES = 1000
_PLAIN_LEVELS = ((0.0,) * 3, (1.0,) * 3)
# Their side outputs serve training on ImageNet; their weights want levels of -1 to 1.
_BRANCHED = ("googlenet", "inception_v3")


@dataclass(frozen=True)
class _Facts:
    """What a network was made for: its own side, the least it takes (0: its library does not say),
    whether it takes no other, and the levels its weights want.
    """

    side: int
    least: int
    exact: bool
    mean: Sequence[float]
    std: Sequence[float]


class HubNetwork(nn.Module):
    """A network of torchvision or timm, named HUB:NAME, and one linear layer an output.

    `forward` takes float (N, 1 or 3, S, S), levels 0 to 1, and gives a dict of (N, size) logits.
    Grey is given to all three channels; a picture below the network's least side is enlarged.
    `pretrained` weights see their own mean and deviation, which travel with the weights of this
    module. `frozen`: the outputs alone learn, and batch statistics stay.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        hub: str,
        heads: Mapping[str, int],
        *,
        side: int | None = None,
        pretrained: bool = False,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.body, features, self.facts = _made(hub, pretrained)
        self.least = self.facts.least or _least(self.body, side, self.facts.side)
        self.frozen = frozen
        if frozen:
            self.body.requires_grad_(False)
        drops = any(isinstance(layer, nn.Dropout) for layer in self.body.modules())
        self.dropout = nn.Identity() if drops else nn.Dropout(0.0)
        self.heads = nn.ModuleDict({name: nn.Linear(features, n) for name, n in heads.items()})
        levels = (self.facts.mean, self.facts.std) if pretrained else _PLAIN_LEVELS
        for name, values in zip(("mean", "std"), levels, strict=True):
            self.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = (self._sized(x).expand(-1, 3, -1, -1) - self.mean) / self.std
        features = self.dropout(self.body(x))
        return {name: head(features) for name, head in self.heads.items()}

    def train(self, mode: bool = True) -> HubNetwork:
        super().train(mode)
        if self.frozen:
            for layer in self.body.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()
        return self

    def _sized(self, x: Tensor) -> Tensor:
        side, least = x.shape[-1], self.least
        if side == least or (side > least and not self.facts.exact):
            return x
        return functional.interpolate(x, size=(least, least), mode="bilinear")


@lru_cache
def network(hub: str) -> Network:
    """Describe a network of torchvision or timm, HUB:NAME; its parameters are counted."""
    try:
        with torch.device("meta"):
            made = HubNetwork(hub, {"expression": 7})
    except NotImplementedError:  # some, as RegNet, compute while they are built
        made = HubNetwork(hub, {"expression": 7})
    library, _, name = hub.partition(":")
    return Network(
        name=hub,
        title=f"{name} of {library}",
        source=library,
        side=made.facts.side,
        channels=3,
        parameters=sum(parameter.numel() for parameter in made.parameters()),
        normalize="unit",
        build=partial(hub_network, hub),
        hub=hub,
        channels_last=not any(map(_is_depthwise, made.modules())),
    )


def hub_network(
    hub: str, heads: Mapping[str, int], *, side: int, channels: int, **settings: bool
) -> HubNetwork:
    """Build as the registry asks; the module itself fits its input, grey or in colour."""
    return HubNetwork(hub, heads, side=side, **settings)


def _is_depthwise(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1


def _made(hub: str, pretrained: bool) -> tuple[nn.Module, int, _Facts]:
    """Give a network without its last layer, the number of features it ends in, and its facts."""
    library, _, name = hub.partition(":")
    make = _of_timm if library == "timm" else _of_torchvision
    try:
        return make(name, pretrained)
    except (OSError, RuntimeError, ValueError, UnpicklingError) as error:
        if not pretrained:
            raise
        raise MienError(
            f"cannot load the pretrained weights of {hub}: {error}; they are downloaded once and"
            " kept, so connect to the network, or leave out pretrained"
        ) from error


def _of_torchvision(name: str, pretrained: bool) -> tuple[nn.Module, int, _Facts]:
    models = _library("torchvision")
    known = models.list_models(module=models)
    if name not in known:
        raise _unknown("torchvision", name, known)
    settings: dict[str, Any] = {}
    if name in _BRANCHED:
        settings = {"aux_logits": False, "init_weights": not pretrained}
    body = models.get_model(name, weights=None, **settings)
    weights = models.get_model_weights(name).DEFAULT
    if pretrained:
        _load(body, weights.url)
    asked, least = weights.transforms(), min(weights.meta["min_size"])
    mean, std = ((0.5,) * 3,) * 2 if name in _BRANCHED else (asked.mean, asked.std)
    side = asked.crop_size[0]
    return body, _cut(body), _Facts(side, least, side == least, mean, std)


def _load(body: nn.Module, url: str) -> None:
    """Load weights of torchvision, but those of side outputs that the network is built without."""
    found = torch.hub.load_state_dict_from_url(
        url, map_location="cpu", progress=False, check_hash=True, weights_only=True
    )
    # DenseNet's files were written when `norm1` was `norm.1`.
    state = {re.sub(r"\.(norm|conv)\.([12])\.", r".\1\2.", key): found[key] for key in found}
    missing = body.load_state_dict(state, strict=False).missing_keys
    if missing:
        raise ValueError(f"{url} has no {', '.join(missing[:3])}")


def _cut(body: nn.Module) -> int:
    """Take the last layer away, and tell how many features it was given."""
    layers = [
        (path, layer)
        for path, layer in body.named_modules()
        if _CLASSES in (getattr(layer, "out_features", 0), getattr(layer, "out_channels", 0))
    ]
    path, last = layers[-1]
    parent, _, name = path.rpartition(".")
    setattr(body.get_submodule(parent), name, nn.Identity())
    features = last.in_features if isinstance(last, nn.Linear) else last.in_channels
    assert isinstance(features, int)
    return features


def _least(body: nn.Module, side: int | None, own: int) -> int:
    """Try whether a network takes pictures of a side; if not, they are brought to its own."""
    if side is None or side >= own:
        return side or own
    level = next(body.parameters())
    training = body.training
    try:
        with torch.no_grad():
            body.eval()(level.new_zeros(1, 3, side, side))
    except (AssertionError, RuntimeError):
        return own
    finally:
        body.train(training)
    return side


def _of_timm(name: str, pretrained: bool) -> tuple[nn.Module, int, _Facts]:
    timm = _library("timm")
    if not timm.is_model(name):
        raise _unknown("timm", name, timm.list_models())
    body = timm.create_model(name, pretrained=pretrained, num_classes=0)
    asked = body.pretrained_cfg
    side = asked["input_size"][-1]
    exact = bool(asked.get("fixed_input_size"))
    least = side if exact else (asked.get("min_input_size") or (0,))[-1]
    features = getattr(body, "head_hidden_size", None) or body.num_features
    return body, features, _Facts(side, least, exact, asked["mean"], asked["std"])


def _library(name: str) -> ModuleType:
    try:
        return import_module("timm" if name == "timm" else "torchvision.models")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != name:
            raise
        raise MissingExtraError(f"a network of {name}", name, "networks") from error


def _unknown(library: str, name: str, known: Sequence[str]) -> UsageError:
    near = get_close_matches(name, known, n=1)
    suggestion = f"; did you mean {near[0]!r}?" if near else ""
    return UsageError(
        f"unknown {library} network {name!r}{suggestion} ({library}'s list_models names all"
        f" {len(known)})"
    )
