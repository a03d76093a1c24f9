"""The command that does published runs again: what it lists, hands on and prints."""

import json
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mien.training.published import RUNS


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Put work in place that only notes what it is called with."""
    pytest.importorskip("torch")
    noted: list[dict[str, Any]] = []

    def reproduce(run: Any, source: Any, out: Path, **named: Any) -> dict[str, Any]:
        noted.append({"run": run, "source": source, "out": out, **named})
        clean = {"accuracy": 0.4, "of": "8 test faces that do not", "interval": "30.0% to 50.0%"}
        here: dict[str, Any] = {"accuracy": 0.5, "interval": "40.0% to 60.0%"}
        here |= {"of": "9 faces of the test part", "without_duplicates": clean}
        published = [{"value": one.value, "of": one.of} for one in run.figures]
        budget = {"epochs": [1, 200]} if named["changes"]["epochs"] else {}
        return {"run": run.recipe, "here": here, "published": published, "budget": budget}

    module = types.ModuleType("mien.training.reproducing")
    module.reproduce = reproduce  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delenv("MIEN_DATA", raising=False)
    yield noted


def test_a_run_is_done_and_compared(calls: list[Any], mien: Callable) -> None:
    done = mien("reproduce", "system4-triple", "--root", "data", "--out", "here")
    assert done.code == 0
    (call,) = calls
    assert (call["run"].recipe, call["out"]) == ("system4-triple", Path("here/system4-triple"))
    assert (call["source"].root, call["device"], call["seeds"]) == (Path("data"), "cpu", 1)
    assert "50.0%" in done.out and "54.4%" in done.out and "40.0% to 60.0%" in done.out
    assert re.search(r"here +40\.0% +8 test faces that do not +30\.0% to 50\.0%", done.out)


def test_a_smaller_budget_is_handed_on_and_told(calls: list[Any], mien: Callable) -> None:
    words = ("--epochs", "1", "--set", "side=64", "--pretrained", "--points", "p.npz")
    done = mien("reproduce", "system1-vgg19", "--root", "d", *words, "--quiet")
    changes = calls[0]["changes"]
    assert {"epochs": 1, "side": 64, "network.pretrained": True}.items() <= changes.items()
    assert calls[0]["source"].points_file == Path("p.npz")
    assert "mind: system1-vgg19: epochs 1 instead of 200" in done.out


def test_a_system_is_all_of_its_runs(calls: list[Any], mien: Callable) -> None:
    done = mien("reproduce", "system3", "--root", "d", "--dataset", "ckplus48", "--format", "json")
    assert [call["run"].recipe for call in calls] == ["system3-32px", "system3-48px"]
    assert all(call["changes"]["data.dataset"] == "ckplus48" for call in calls)
    assert calls[0]["out"] == Path("runs/reproduced/system3-32px-ckplus48")
    assert [one["run"] for one in json.loads(done.out)] == ["system3-32px", "system3-48px"]


def test_what_was_published_is_listed(mien: Callable) -> None:
    told = mien("reproduce", "list").out
    assert all(name in told for name in RUNS) and "64.9%" in told
    listed = json.loads(mien("reproduce", "list", "--format", "json").out)
    assert {run["recipe"] for run in listed} == set(RUNS)


def test_the_list_needs_no_training_extra(fresh_python: Callable[[str], str]) -> None:
    code = """
import sys
sys.modules["torch"] = None
from mien.cli import main
assert main(["reproduce", "list", "--quiet"]) == 0
print("extra", main(["reproduce", "system2", "--root", "d"]))
"""
    assert fresh_python(code).endswith("extra 7\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["system5"], "unknown published run"),
        (["system2", "--set", "epoch=3"], "did you mean 'epochs'"),
        (["system2", "--device", "gpu"], "expected cpu, cuda"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    words: list[str], message: str, calls: list[Any], mien: Callable
) -> None:
    done = mien("reproduce", *words, "--root", "d")
    assert done.code == 2 and message in done.err
    assert not calls
