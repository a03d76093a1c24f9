import pytest

torch = pytest.importorskip("torch")


def test_the_jaffe_network_has_the_published_number_of_parameters() -> None:
    from mien.networks.jaffe import JaffeNetwork

    network = JaffeNetwork({"expression": 7})
    sizes = [sum(p.numel() for p in layer.parameters()) for layer in network.body]
    assert [size for size in sizes if size] == [456, 2_416, 48_120, 7_902_804]
    assert sum(p.numel() for p in network.parameters()) == 7_954_391


def test_the_jaffe_network_gives_logits_for_each_head() -> None:
    from mien.networks.jaffe import JaffeNetwork

    network = JaffeNetwork({"expression": 3, "other": 2}, side=32, channels=1).eval()
    found = network(torch.zeros(2, 1, 32, 32))
    assert {name: tuple(logits.shape) for name, logits in found.items()} == {
        "expression": (2, 3),
        "other": (2, 2),
    }
