import sys
from collections.abc import Callable

import pytest

from mien.errors import MissingExtraError, UsageError
from mien.networks import registry

torch = pytest.importorskip("torch")
OWN = [name for name, entry in registry.NETWORKS.items() if not entry.hub]
PUBLISHED = {
    "jaffe": 7_954_391,
    "two-layer-32": 63_303,
    "two-layer-48": 114_855,
    "vgg-like": 6_336_071,
    "simple": 276_923,
    "double": 70_898,
    "triple": 14_678,
    "multi5": 1_936_967,
    "multi8": 7_212_999,
    "mini-xception": 58_423,
}
FLATTENED = {
    "jaffe": 94_080,
    "two-layer-32": 1_600,
    "two-layer-48": 5_184,
    "vgg-like": 4_608,
    "simple": 8_640,
    "double": 2_160,
    "triple": 360,
    "multi5": 9_216,
    "multi8": 4_608,
}


def learnt(module: "torch.nn.Module") -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", OWN)
def test_a_network_has_the_parameters_of_the_table(name: str) -> None:
    entry = registry.NETWORKS[name]
    module = registry.build(name, {"expression": 7})
    kept = sum(b.numel() for key, b in module.named_buffers() if ".running_" in f".{key}")
    assert learnt(module) == entry.parameters - entry.statistics
    assert entry.statistics in (0, kept)


@pytest.mark.parametrize("name", OWN)
def test_a_network_gives_logits_for_each_head_at_any_channels(name: str) -> None:
    entry = registry.NETWORKS[name]
    for channels in (1, 3):
        module = registry.build(name, {"a": 3, "b": 8}, channels=channels).eval()
        found = module(torch.zeros(2, channels, entry.side, entry.side))
        assert {key: tuple(rows.shape) for key, rows in found.items()} == {"a": (2, 3), "b": (2, 8)}


@pytest.mark.parametrize("name", OWN)
def test_every_parameter_learns(name: str) -> None:
    torch.manual_seed(0)
    side = 64 if name == "jaffe" else 48
    module = registry.build(name, {"a": 3, "b": 2}, side=side, channels=1).train()
    found = module(torch.rand(4, 1, side, side))
    torch.autograd.backward(found["a"].logsumexp(1).sum() + found["b"].logsumexp(1).sum())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


def test_the_published_networks_have_the_published_size() -> None:
    assert {name: registry.NETWORKS[name].parameters for name in PUBLISHED} == PUBLISHED


@pytest.mark.parametrize(("name", "features"), FLATTENED.items())
def test_dense_layers_are_given_the_published_number_of_features(name: str, features: int) -> None:
    module = registry.build(name, {"expression": 7})
    dense = [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]
    assert dense[0].in_features == features


def test_our_own_family_spans_a_third_of_a_million_to_five_million() -> None:
    sizes = [registry.NETWORKS[name].parameters for name in ("tiny", "small", "base", "large")]
    assert sizes == sorted(sizes) and sizes[0] >= 300_000 and 3_000_000 <= sizes[-1] <= 5_000_000


def test_a_seed_gives_the_weights_that_the_class_itself_gives() -> None:
    from mien.networks.residual import ResidualNetwork

    torch.manual_seed(3)
    shape = {"widths": (16, 32, 64, 128), "blocks": (1, 2, 2, 1), "stem_stride": 2, "dropout": 0.1}
    expected = ResidualNetwork({"a": 7}, **shape).state_dict()
    torch.manual_seed(3)
    found = registry.build("narrow", {"a": 7}).state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_weight_decay_spares_biases_and_the_first_kernels_of_the_vgg_like_network() -> None:
    module = registry.build("vgg-like", {"expression": 7})
    decayed = registry.decayed(module)
    kernels = [p for p in module.parameters() if p.ndim > 1]
    assert [id(p) for p in decayed] == [id(p) for p in kernels[1:]]
    assert len(registry.decayed(registry.build("double", {"expression": 7}))) == 4


def test_dropout_replaces_that_of_every_layer() -> None:
    module = registry.build("multi8", {"expression": 7}, dropout=0)
    assert {m.p for m in module.modules() if isinstance(m, torch.nn.Dropout)} == {0}
    module = registry.build("multi8", {"expression": 7})
    rates = [m.p for m in module.modules() if isinstance(m, torch.nn.Dropout)]
    assert rates == [0.5, 0.5, 0.5, 0.4]
    with pytest.raises(UsageError, match="two-layer-32 has no dropout"):
        registry.build("two-layer-32", {"expression": 7}, dropout=0.5)


@pytest.mark.parametrize("side", [32, 64, 65])
def test_mini_xception_takes_other_sides(side: int) -> None:
    module = registry.build("mini-xception", {"a": 7}, side=side)
    assert module(torch.zeros(2, 1, side, side))["a"].shape == (2, 7)


def test_mini_xception_asks_for_the_plain_layout() -> None:
    assert [n for n, e in registry.NETWORKS.items() if not e.channels_last] == ["mini-xception"]


@pytest.mark.parametrize(("name", "safe"), [("mobilenet_v3_small", False), ("resnet34", True)])
def test_depthwise_networks_of_torchvision_ask_for_the_plain_layout(name: str, safe: bool) -> None:
    pytest.importorskip("torchvision", reason="torchvision is of the extra networks")
    assert registry.network(f"torchvision:{name}").channels_last is safe


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "multi-8"}, "unknown network 'multi-8'; did you mean 'multi8'"),
        ({"name": "keras:vgg"}, "unknown network 'keras:vgg'"),
        ({"side": 8}, "side must be larger for this network, got 8: .* after 'pool'"),
        ({"name": "mini-xception", "side": 4}, "side must be at least 5"),
        ({"side": -1}, "side must be at least 1"),
        ({"channels": 2}, "channels must be 1 .* got 2"),
        ({"dropout": 1.5}, "dropout must be a share"),
        ({"heads": {}}, "heads must be one output or more"),
        ({"pretrained": True}, "pretrained needs a network of torchvision or timm"),
        ({"frozen": True}, "frozen needs a network of torchvision or timm"),
    ],
)
def test_what_cannot_be_built_is_named(settings: dict, message: str) -> None:
    arguments = {"name": "multi8", "heads": {"expression": 7}, **settings}
    with pytest.raises(UsageError, match=message):
        registry.build(arguments.pop("name"), arguments.pop("heads"), **arguments)


def test_the_table_is_there_without_torch(fresh_python: Callable[[str], str]) -> None:
    code = """
import sys
sys.modules["torch"] = None
from mien.errors import MissingExtraError
from mien.networks import registry
assert "multi8" in registry.names()
for name in ("multi8", "alexnet", "torchvision:alexnet"):
    try:
        registry.build(name, {"a": 7})
    except MissingExtraError as error:
        print(error)
"""
    lines = fresh_python(code).splitlines()
    assert len(lines) == 3 and "mien[train]" in lines[0] and "mien[networks]" in lines[2]


def test_a_missing_torchvision_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(MissingExtraError, match=r"mien\[networks\]"):
        registry.build("resnet18", {"a": 7})
