from dataclasses import replace

import pytest
import torch
from torch import nn

from mien.training import optimizers
from mien.training.schedules import learning_rate
from mien.training.settings import Optimizer

KINDS = [
    Optimizer(learning_rate=0.1),
    Optimizer(kind="adam", learning_rate=0.1),
    Optimizer(kind="adamw", learning_rate=0.1),
    Optimizer(kind="sam", momentum=0.0, learning_rate=0.1),
]


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))


def backward(network: nn.Module, seed: int) -> float:
    torch.manual_seed(seed)
    network.zero_grad()
    loss = network(torch.randn(6, 1, 4, 4)).square().sum()
    loss.backward()
    return float(loss.detach())


@pytest.mark.parametrize("settings", KINDS, ids=lambda settings: settings.kind)
def test_a_restored_optimizer_goes_on_as_before(settings: Optimizer) -> None:
    first, second = small(), small()
    one, other = (optimizers.make_optimizer(network, settings) for network in (first, second))
    for seed in range(3):
        backward(first, seed)
        one.step()
    second.load_state_dict(first.state_dict())
    state = {name: tensor.clone() for name, tensor in optimizers.state_of(one).items()}
    optimizers.restore(other, state)
    for network, optimizer in ((first, one), (second, other)):
        backward(network, 9)
        optimizer.step()
    torch.testing.assert_close(second.state_dict(), first.state_dict(), atol=0, rtol=0)


def test_decay_falls_on_kernels_unless_on_all() -> None:
    for decay_all, expected in ((False, [(2, 0.5), (4, 0.0)]), (True, [(6, 0.5), (0, 0.0)])):
        settings = Optimizer(weight_decay=0.5, decay_all=decay_all)
        groups = optimizers.make_optimizer(small(), settings).param_groups
        assert [(len(group["params"]), group["weight_decay"]) for group in groups] == expected


def test_weights_that_are_frozen_are_left_alone() -> None:
    network = small()
    network[0].requires_grad_(False)
    kept = network[0].weight.clone()
    optimizer = optimizers.make_optimizer(network, Optimizer(weight_decay=0.5))
    backward(network, 0)
    optimizer.step()
    torch.testing.assert_close(network[0].weight, kept, atol=0, rtol=0)


def test_sam_takes_the_gradient_uphill_and_comes_back() -> None:
    network = small()
    start = {name: value.clone() for name, value in network.state_dict().items()}
    low = backward(network, 3)
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    with optimizers.climbed(network, 0.05):
        moved = torch.cat([p.detach().flatten() for p in network.parameters()])
        assert backward(network, 3) > low
    back = network.state_dict()
    for name, value in kept.items():
        if "num_batches" not in name:
            torch.testing.assert_close(back[name], value, atol=0, rtol=0)
    flat = torch.cat([start[name].flatten() for name, _ in network.named_parameters()])
    assert float(torch.linalg.vector_norm(moved - flat)) == pytest.approx(0.05, rel=1e-3)


def test_the_average_follows_the_weights_and_counts_as_they_do() -> None:
    network, average = small(), small()
    backward(network, 0)
    with torch.no_grad():
        network[3].weight += 1.0
    before = average[3].weight.clone()
    optimizers.update_average(average, network, 0.75, 10_000)
    torch.testing.assert_close(average[3].weight, before + 0.25)
    assert average[1].num_batches_tracked == network[1].num_batches_tracked


def test_the_rate_rises_then_falls_to_nothing() -> None:
    settings = Optimizer(learning_rate=0.1, warmup_share=0.1)
    rates = [learning_rate(settings, epoch, 10) for epoch in (0, 0.5, 1, 5.5, 10)]
    assert rates == pytest.approx([0.002, 0.05, 0.1, 0.05, 0.0])


def test_the_rate_may_fall_twice() -> None:
    settings = Optimizer(learning_rate=0.1, restart_epoch=10, restart_rate=0.04)
    rates = [learning_rate(settings, epoch, 14) for epoch in (9.9999, 10, 12, 14)]
    assert rates == pytest.approx([0.0, 0.04, 0.02, 0.0], abs=1e-6)


@pytest.mark.parametrize(
    ("schedule", "drops", "expected"),
    [
        ("constant", 0, [0.8, 0.8, 0.8, 0.8]),
        ("cosine", 0, [0.8, 0.4, 0.8 * 0.146447, 0.0]),
        ("step", 0, [0.8, 0.2, 0.1, 0.05]),
        ("plateau", 2, [0.2, 0.2, 0.2, 0.2]),
    ],
)
def test_other_schedules(schedule: str, drops: int, expected: list[float]) -> None:
    settings = replace(Optimizer(learning_rate=0.8, step_epochs=2), schedule=schedule)
    rates = [learning_rate(settings, epoch, 8, drops) for epoch in (0, 4, 6, 8)]
    assert rates == pytest.approx(expected, abs=1e-6)
