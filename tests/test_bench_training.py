"""The speeds of training are measured; how fast it is is only printed."""

import json
import sys
from pathlib import Path

import pytest

from bench.__main__ import build

torch = pytest.importorskip("torch")


def test_three_ways_of_training_are_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "training.json"
    few = ("--faces", "16", "--batch", "4", "--workers", "0", "--rounds", "1")
    with pytest.raises(SystemExit) as end:
        build()(args=["training", *few, "--json", str(out)], prog_name="bench")
    assert not end.value.code
    found = json.loads(out.read_text())["figures"]
    assert set(found["per_second"]) == {"loop", "usual", "bare"}
    assert all(rate > 0 for rate in found["per_second"].values())
    assert set(found["loop_in_parts_of"]) == {"usual", "bare"}
    assert "our loop" in capsys.readouterr().out


def test_our_loop_is_timed_compiled_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bench.training import measure

    compiled = []
    monkeypatch.setenv("CXX", sys.executable)  # a program that is there
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network, **how: compiled.append(how))
    report = measure(8, 4, 0, 1, "cpu", compiled=True)
    assert len(compiled) == 1
    assert report.figures["per_second"]["compiled"] > 0
    assert [row[0] for row in report.tables[0].rows][-1] == "our loop, the network compiled"


def test_the_usual_transforms_change_a_face_and_keep_its_shape() -> None:
    import numpy as np
    from PIL import Image

    from bench.training import _by_pillow

    torch.manual_seed(0)
    face = Image.fromarray(np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1)))
    made = torch.stack([_by_pillow(face) for _ in range(8)])
    assert made.shape == (8, 1, 48, 48)
    assert made.min() >= -2 and made.max() <= 2
    assert len({tuple(one.flatten().tolist()) for one in made}) == 8
