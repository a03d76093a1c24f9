"""Networks of torchvision and timm; nothing is downloaded, weights are made here."""

import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from mien.errors import MienError, UsageError  # noqa: E402
from mien.networks import layers, registry  # noqa: E402

HUBS = [entry for entry in registry.NETWORKS.values() if entry.hub]


@pytest.fixture
def torchvision() -> object:
    return pytest.importorskip("torchvision", reason="torchvision is of the extra networks")


@pytest.fixture
def timm() -> object:
    return pytest.importorskip("timm", reason="timm is of the extra networks")


@pytest.fixture
def weights(torchvision: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable:
    """Make a network's own weights the file that a download gives; return them."""

    def given(name: str) -> dict:
        from torchvision import models

        torch.manual_seed(5)
        settings = {"init_weights": True} if name == "googlenet" else {}
        state = models.get_model(name, weights=None, **settings).state_dict()
        torch.save(state, tmp_path / "weights.pth")

        def load(url: str, **settings: object) -> dict:
            assert settings["weights_only"] is True and settings["check_hash"] is True
            return torch.load(tmp_path / "weights.pth", weights_only=True)

        monkeypatch.setattr(torch.hub, "load_state_dict_from_url", load)
        return state

    return given


@pytest.mark.parametrize("entry", HUBS, ids=lambda entry: entry.name)
def test_a_network_of_torchvision_has_the_parameters_of_the_table(
    torchvision: object, entry: registry.Network
) -> None:
    run = layers.run(entry.name)
    assert run.parameters == entry.parameters == registry.network(entry.hub).parameters
    assert run.shape == (3, entry.side, entry.side) and run.layers[-1].shape == (7,)
    assert sum(row.multiply_adds for row in run.layers) == run.multiply_adds


@pytest.mark.parametrize("name", ["alexnet", "torchvision:squeezenet1_1", "densenet121"])
def test_small_grey_pictures_are_enlarged_and_given_to_three_channels(
    torchvision: object, name: str
) -> None:
    module = registry.build(name, {"a": 7, "b": 2}, side=28, channels=1).eval()
    found = module(torch.rand(2, 1, 28, 28))
    assert (found["a"].shape, found["b"].shape) == ((2, 7), (2, 2))
    grey = torch.rand(1, 1, 28, 28)
    torch.testing.assert_close(module(grey)["a"], module(grey.expand(-1, 3, -1, -1))["a"])


def test_pretrained_weights_are_loaded_and_see_the_levels_they_ask_for(weights: Callable) -> None:
    own = weights("resnet18")
    module = registry.build("resnet18", {"a": 7}, pretrained=True).eval()
    assert torch.equal(module.body.conv1.weight, own["conv1.weight"])
    seen: list[torch.Tensor] = []
    module.body.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    module(torch.full((1, 1, 224, 224), 0.5))
    expected = (0.5 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(seen[0][0, :, 0, 0], expected)


def test_the_levels_travel_with_the_weights(weights: Callable) -> None:
    weights("resnet18")
    trained = registry.build("resnet18", {"a": 7}, pretrained=True).eval()
    again = registry.build("resnet18", {"a": 7}).eval()
    again.load_state_dict(trained.state_dict())
    face = torch.rand(1, 1, 48, 48)
    torch.testing.assert_close(again(face)["a"], trained(face)["a"])


def test_side_outputs_are_left_out(weights: Callable) -> None:
    weights("googlenet")
    module = registry.build("torchvision:googlenet", {"a": 7}, pretrained=True).train()
    assert module(torch.rand(2, 3, 64, 64))["a"].shape == (2, 7)
    assert not [name for name, _ in module.named_parameters() if "aux" in name]
    assert module.mean.flatten().tolist() == [0.5, 0.5, 0.5]


def test_the_old_names_of_densenets_weights_are_known(
    weights: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = weights("densenet121")
    old = {key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): own[key] for key in own}
    assert set(old) != set(own)
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda url, **settings: old)
    registry.build("densenet121", {"a": 7}, pretrained=True)


def test_a_frozen_network_learns_its_outputs_alone(torchvision: object) -> None:
    module = registry.build("resnet18", {"a": 7}, frozen=True).train()
    learning = [name for name, p in module.named_parameters() if p.requires_grad]
    assert learning == ["heads.a.weight", "heads.a.bias"]
    before = module.body.bn1.running_mean.clone()
    module(torch.rand(2, 3, 32, 32))
    assert torch.equal(module.body.bn1.running_mean, before)


def test_dropout_can_be_set_where_the_network_has_none(torchvision: object) -> None:
    module = registry.build("resnet18", {"a": 7}, dropout=0.4)
    assert module.dropout.p == 0.4
    module = registry.build("torchvision:squeezenet1_1", {"a": 7}, dropout=0.4)
    assert [m.p for m in module.modules() if isinstance(m, torch.nn.Dropout)] == [0.4]


def test_a_download_that_fails_is_named(
    torchvision: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(url: str, **settings: object) -> dict:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fail)
    message = "pretrained weights of torchvision:resnet18: .*no route.*leave out pretrained"
    with pytest.raises(MienError, match=message):
        registry.build("resnet18", {"a": 7}, pretrained=True)


def test_weights_of_another_network_are_refused(
    weights: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights("alexnet")
    with pytest.raises(MienError, match=r"cannot load the pretrained weights of .*resnet18"):
        registry.build("resnet18", {"a": 7}, pretrained=True)


def test_an_unknown_name_is_suggested(torchvision: object, timm: object) -> None:
    with pytest.raises(UsageError, match="torchvision network 'resnet19'; did you mean 'resnet1"):
        registry.network("torchvision:resnet19")
    with pytest.raises(UsageError, match="timm network 'convnext_ato'; did you mean 'convnext_a"):
        registry.build("timm:convnext_ato", {"a": 7})


@pytest.mark.parametrize(
    ("name", "least"), [("test_resnet", 48), ("test_vit", 160), ("inception_v3", 299)]
)
def test_a_network_of_timm_takes_small_pictures(timm: object, name: str, least: int) -> None:
    module = registry.build(f"timm:{name}", {"a": 7}, side=48, channels=1).eval()
    assert module.least == least
    assert module(torch.zeros(1, 1, 48, 48))["a"].shape == (1, 7)


def test_a_network_of_timm_loads_its_weights_without_unpickling(
    timm: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from timm.models import _builder

    own = __import__("timm").create_model("test_resnet").state_dict()

    def load(name: str, **settings: object) -> dict:
        assert settings["weights_only"] is True
        return dict(own)

    monkeypatch.setattr(_builder, "load_state_dict_from_hf", load)
    module = registry.build("timm:test_resnet", {"a": 7}, pretrained=True)
    for key, value in module.body.state_dict().items():
        assert torch.equal(value, own[key])
