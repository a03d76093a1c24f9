"""The table of networks: where each comes from, what it takes, how large it is, how it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

Heads = Mapping[str, int]
Build = Callable[..., "nn.Module"]


@dataclass(frozen=True, kw_only=True)
class Network:
    """An architecture.

    side and channels: of the input that its source gives it; `build` takes others.
    parameters: with one output of 7 at that input, counted as the source counts.
    statistics: how many of them are running means and variances, which Keras counts and torch
    does not. normalize: the step of `Preparation` that its source feeds it by.
    hub: the torchvision or timm network behind it, which can be had `pretrained` and `frozen`.
    """

    name: str
    title: str
    source: str
    side: int
    channels: int
    parameters: int
    statistics: int = 0
    normalize: str
    build: Build
    hub: str = ""
    channels_last: bool = True  # whether training is quick, and safe, in that layout


def _plain(line: str, heads: Heads, **settings: Any) -> nn.Module:
    from mien.networks.plain import PlainNetwork

    return PlainNetwork(line, heads, **settings)


def _jaffe(heads: Heads, **settings: Any) -> nn.Module:
    from mien.networks.jaffe import JaffeNetwork

    return JaffeNetwork(heads, **settings)


def _residual(heads: Heads, *, side: int, **settings: Any) -> nn.Module:
    from mien.networks.residual import ResidualNetwork

    return ResidualNetwork(heads, **settings)


def _mini_xception(heads: Heads, **settings: Any) -> nn.Module:
    from mien.networks.xception import MiniXception

    return MiniXception(heads, **settings)


def _hub(hub: str, heads: Heads, **settings: Any) -> nn.Module:
    from mien.networks.pretrained import hub_network

    return hub_network(hub, heads, **settings)


def _own(name: str, parameters: int, width: int, **settings: Any) -> Network:
    widths = tuple(width * 2**stage for stage in range(4))
    return Network(
        name=name,
        title=f"our residual network, {', '.join(map(str, widths))} channels",
        source="mien",
        side=48,
        channels=1,
        parameters=parameters,
        normalize="per-image",
        build=partial(_residual, widths=widths, blocks=(1, 2, 2, 1), stem_stride=2, **settings),
    )


def _multi(name: str, title: str, parameters: int, line: str) -> Network:
    return Network(
        name=name,
        title=title,
        source="raroito87/facial_expression_recognition",
        side=48,
        channels=1,
        parameters=parameters,
        normalize="unit",
        build=partial(_plain, line),
    )


def _torchvision(name: str, title: str, parameters: int, paper: str, own: str = "") -> Network:
    hub = f"torchvision:{own or name}"
    return Network(
        name=name,
        title=title,
        source=f"torchvision; {paper}",
        side=224,
        channels=3,
        parameters=parameters,
        normalize="unit",
        build=partial(_hub, hub),
        hub=hub,
    )


def _convolved(*widths: int) -> str:
    """Write 3x3 convolutions with batch normalisation; 0 halves."""
    return " ".join(f"conv{width}x3 bn relu" if width else "pool" for width in widths)


_VGG_LIKE = " ".join(
    f"conv{width}x{size} relu conv{width}x3 relu bn pool drop.1"
    for width, size in ((64, 5), (128, 3), (128, 3))
)
_BCS = "Lakshita2002/FER_brain_and_cognitive_society, after Li et al. 2019"

NETWORKS = {
    entry.name: entry
    for entry in (
        _own("tiny", 407_415, 16, dropout=0.1),
        _own("small", 914_287, 24),
        _own("base", 1_623_271, 32),
        _own("large", 3_647_575, 48),
        Network(
            name="jaffe",
            title="three convolutions and a wide dense layer",
            source="ashishpatel26/Facial-Expression-Recognization-using-JAFFE",
            side=128,
            channels=3,
            parameters=7_954_391,
            normalize="unit",
            build=_jaffe,
        ),
        Network(
            name="two-layer-32",
            title="two convolutions of 5x5, 1600 features",
            source=f"{_BCS}, as its text has it",
            side=32,
            channels=1,
            parameters=63_303,
            normalize="data-set",
            build=partial(_plain, "conv32x5v relu pool conv64x5v relu pool flat", keras=True),
        ),
        Network(
            name="two-layer-48",
            title="two convolutions of 5x5 with batch normalisation, 5184 features",
            source=f"{_BCS}, as its code has it",
            side=48,
            channels=1,
            parameters=114_855,
            statistics=224,
            normalize="data-set",
            build=partial(
                _plain,
                "conv48x5v bn relu pool conv64x5v bn relu pool flat drop.5",
                keras=True,
            ),
        ),
        Network(
            name="vgg-like",
            title="six convolutions and two dense layers of 1024, L2 on their kernels",
            source="abdessalemmami/Facial-Expressions-Recognition",
            side=48,
            channels=3,
            parameters=6_336_071,
            statistics=640,
            normalize="symmetric",
            build=partial(
                _plain,
                f"{_VGG_LIKE} flat fc1024 relu drop.2 fc1024 relu drop.2",
                keras=True,
                undecayed=("body.0.weight",),
            ),
        ),
        _multi(
            "simple",
            "one convolution",
            276_923,
            f"{_convolved(15, 0)} flat drop.5 fc32 relu drop.2",
        ),
        _multi(
            "double",
            "two convolutions",
            70_898,
            f"{_convolved(10, 0, 15, 0)} flat drop.5 fc32 relu drop.2",
        ),
        _multi(
            "triple",
            "three convolutions",
            14_678,
            f"{_convolved(10, 0, 15, 0, 10, 0)} flat drop.5 fc32 relu drop.2",
        ),
        _multi(
            "multi5",
            "five convolutions",
            1_936_967,
            f"{_convolved(64, 0, 128, 0, 256, 128, 64)} flat"
            " drop.5 fc128 relu drop.5 fc128 relu drop.2",
        ),
        _multi(
            "multi8",
            "eight convolutions",
            7_212_999,
            f"{_convolved(64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0)} flat"
            " drop.5 fc512 relu drop.5 fc256 relu drop.5 fc128 relu drop.4",
        ),
        Network(
            name="mini-xception",
            title="four residual modules of depthwise-separable convolutions",
            source="oarriaga/face_classification; Arriaga et al., arXiv 1710.07557",
            side=64,
            channels=1,
            parameters=58_423,
            statistics=1_472,
            normalize="symmetric",
            build=_mini_xception,
            channels_last=False,  # torch 2.13 was seen to crash there on a CPU, going backward
        ),
        _torchvision("alexnet", "AlexNet", 57_032_519, "Krizhevsky, arXiv 1404.5997"),
        _torchvision(
            "vgg11",
            "VGG-11 with batch normalisation",
            128_800_519,
            "Simonyan, arXiv 1409.1556",
            "vgg11_bn",
        ),
        _torchvision(
            "vgg16",
            "VGG-16 with batch normalisation",
            134_297_671,
            "Simonyan, arXiv 1409.1556",
            "vgg16_bn",
        ),
        _torchvision(
            "vgg19",
            "VGG-19 with batch normalisation",
            139_609_927,
            "Simonyan, arXiv 1409.1556",
            "vgg19_bn",
        ),
        _torchvision("resnet18", "ResNet-18", 11_180_103, "He et al., arXiv 1512.03385"),
        _torchvision("densenet121", "DenseNet-121", 6_961_031, "Huang et al., arXiv 1608.06993"),
    )
}
