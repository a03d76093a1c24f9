"""The start of a run mixed into its end: the weights, the statistics, and the file that is made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from mien.errors import DataError
from mien.session import open_model
from mien.training import checkpoint, loop, mixing
from mien.training.exporting import checkpoint_of, export_again, recipe_of
from mien.training.material import DataSource
from mien.training.run import prepare, run
from mien.training.settings import NetworkSettings
from tiny_training import LABELLED, TINY, BrightOrDark, labelled_faces

FIRST = replace(LABELLED, epochs=1, optimizer=replace(LABELLED.optimizer, ema=0.5))
SECOND = replace(FIRST, epochs=2, seed=2, start="first/best.safetensors", start_share=0.25)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    return labelled_faces(tmp_path_factory.mktemp("faces") / "made")


@pytest.fixture(scope="module")
def first(source: DataSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The best checkpoint of a first stage."""
    work = prepare(FIRST, source)
    return loop.train(FIRST, work.task, tmp_path_factory.mktemp("runs") / "first", quiet=True)


@pytest.fixture
def here(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the first stage in it."""
    (tmp_path / "first").mkdir()
    (tmp_path / SECOND.start).write_bytes(first.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def average(path: Path) -> checkpoint.Tensors:
    return checkpoint.load(path)[0]["average"]


def test_weights_lie_between_and_counts_are_those_of_the_end() -> None:
    start = {"w": torch.tensor([1.0, 2.0]), "n": torch.tensor(7)}
    end = {"w": torch.tensor([3.0, -2.0]), "n": torch.tensor(9)}
    mixed = mixing.between(start, end, 0.25)
    torch.testing.assert_close(mixed["w"], torch.tensor([2.5, -1.0]))
    assert mixed["n"] == 9


def test_statistics_are_the_mean_over_the_batches_with_nothing_dropped() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3),
        nn.BatchNorm2d(3),
        nn.Dropout(0.5),
        nn.Conv2d(3, 2, 3),
        nn.BatchNorm2d(2),
    )
    network(torch.randn(4, 1, 8, 8) + 5)  # statistics that are to go
    batches = [torch.randn(4, 1, 8, 8) * scale for scale in (1.0, 2.0, 3.0)]
    mixing.take_statistics(network, batches)
    found = {1: [], 4: []}  # type: dict[int, list[tuple[Tensor, Tensor]]]
    with torch.no_grad():
        for inputs in batches:
            for place, layer in enumerate(network):
                if isinstance(layer, nn.BatchNorm2d):
                    found[place].append((inputs.mean((0, 2, 3)), inputs.var((0, 2, 3))))
                    inputs = functional.batch_norm(
                        inputs, None, None, layer.weight, layer.bias, training=True
                    )
                elif isinstance(layer, nn.Conv2d):
                    inputs = layer(inputs)
    for place, each in found.items():
        layer = network[place]
        assert isinstance(layer, nn.BatchNorm2d) and layer.momentum == 0.1 and not layer.training
        means, variances = (torch.stack(part).mean(0) for part in zip(*each, strict=True))
        torch.testing.assert_close(layer.running_mean, means)
        torch.testing.assert_close(layer.running_var, variances)


def test_layers_that_a_training_leaves_alone_keep_their_statistics() -> None:
    class Frozen(nn.BatchNorm2d):
        def train(self, mode: bool = True) -> Frozen:
            return super().train(False)

    network = nn.Sequential(Frozen(1), nn.BatchNorm2d(1))
    mixing.take_statistics(network, [torch.randn(4, 1, 2, 2) + 3])
    frozen, free = network
    assert float(frozen.running_mean) == 0.0 and float(free.running_mean) > 2.0


def test_a_network_without_batch_norm_is_mixed_too(tmp_path: Path) -> None:
    plain = replace(TINY, side=32, epochs=1, network=NetworkSettings(name="two-layer-32"))
    start = loop.train(plain, BrightOrDark(plain), tmp_path / "first", quiet=True)
    recipe = replace(plain, seed=3, start=str(start), start_share=0.5)
    task = BrightOrDark(recipe)
    best = loop.train(recipe, task, tmp_path / "second", quiet=True)
    mixed = mixing.mix(recipe, task, best, quiet=True)
    expected = mixing.between(average(start), average(best), 0.5)
    torch.testing.assert_close(average(mixed), expected)


def test_the_file_is_of_the_mixture(
    here: Path, source: DataSource, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run(SECOND, source, here / "second")
    assert "0.25 of the start, the rest of the best epoch: accuracy=" in capsys.readouterr().err
    mixed, best = checkpoint_of(here / "second"), here / "second" / "best.safetensors"
    assert mixed.name == "mixed.safetensors"
    kept, start, end = average(mixed), average(here / SECOND.start), average(best)
    for name, tensor in kept.items():
        if "running" in name:
            assert not torch.equal(tensor, start[name]) and not torch.equal(tensor, end[name])
        elif name.endswith("num_batches_tracked"):
            assert tensor == 3
        else:
            torch.testing.assert_close(tensor, 0.25 * start[name] + 0.75 * end[name])
    task = prepare(SECOND, source).task
    network = loop.build_network(SECOND, task).eval()
    checkpoint.copy_into(network, kept, "")
    faces = np.random.default_rng(0).normal(0, 1, (3, 1, 24, 24)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(faces))["expression"].numpy()
    made = open_model(path, kind="expression")
    np.testing.assert_allclose(made.run(faces)["expression"], expected, atol=1e-4)
    again = export_again([mixed], source, here / "again.onnx")
    np.testing.assert_allclose(
        open_model(again, kind="expression").run(faces)["expression"], expected, atol=1e-4
    )
    assert made.metadata.recipe_sha256 == SECOND.sha256()
    assert str(here).encode() not in path.read_bytes() + (here / "second/run.json").read_bytes()
    assert json.loads((here / "second/run.json").read_text())["recipe"]["start"] == SECOND.start
    assert "0.25 are theirs" in (here / "second" / "index.html").read_text()


def test_a_run_that_was_stopped_ends_in_the_same_mixture(
    here: Path, source: DataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(out: str) -> Path:
        task = prepare(SECOND, source).task
        best = loop.train(SECOND, task, here / out, quiet=True)
        return mixing.mix(SECOND, task, best, quiet=True)

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    whole = trained("whole").read_bytes()
    epochs = iter([loop.shuffled, stopped])
    for module, name, way in (
        (loop, "shuffled", lambda *given: next(epochs)(*given)),
        (mixing, "take_statistics", stopped),
        (checkpoint, "save_file", stopped),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, way)
            with pytest.raises(KeyboardInterrupt):
                trained("parts")
        assert checkpoint_of(here / "parts").name == "best.safetensors"
    assert trained("parts").read_bytes() == whole
    assert trained("parts").read_bytes() == whole


def test_the_share_may_change_when_a_run_is_over_and_the_start_may_not(
    here: Path, source: DataSource
) -> None:
    task = prepare(SECOND, source).task
    best = loop.train(SECOND, task, here / "second", quiet=True)
    mixed, before = mixing.mix(SECOND, task, best, quiet=True), best.stat().st_mtime_ns
    for share in (0.5, 0.0):
        other = replace(SECOND, start_share=share)
        assert loop.train(other, task, here / "second", quiet=True) == best
        found = mixing.mix(other, task, best, quiet=True)
        assert found == (mixed if share else best) == checkpoint_of(here / "second")
        assert recipe_of(found).start_share == (share or SECOND.start_share)
    assert best.stat().st_mtime_ns == before
    (here / SECOND.start).unlink()
    with pytest.raises(DataError, match=r"no checkpoint at first.best.*mien train RECIPE --out"):
        loop.train(SECOND, task, here / "second", quiet=True)
    loop.train(replace(SECOND, start_share=0.0), task, here / "second", quiet=True)
    (here / SECOND.start).write_bytes(best.read_bytes())
    with pytest.raises(DataError, match="but it has changed; bring it back"):
        loop.train(SECOND, task, here / "second", quiet=True)


def test_a_start_that_is_not_there_is_told_before_anything_is_written(
    here: Path, source: DataSource
) -> None:
    (here / SECOND.start).unlink()
    with pytest.raises(DataError, match="no checkpoint at first"):
        run(SECOND, source, here / "second", quiet=True)
    assert not list((here / "second").iterdir())
