"""The speeds of occluders are measured; how fast they are is only printed."""

import json
from pathlib import Path

import pytest

from bench.__main__ import build
from mien import occlusion


def test_every_occluder_is_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "occluders.json"
    with pytest.raises(SystemExit) as end:
        words = ["occluders", "--faces", "4", "--rounds", "1", "--json", str(out)]
        build()(args=words, prog_name="bench")
    assert not end.value.code
    found = json.loads(out.read_text())["figures"]
    assert set(occlusion.names()) <= set(found["per_second"])
    assert all(rate > 0 for rates in found["per_second"].values() for rate in rates.values())
    assert set(found["slowest"]) == {"flat", "realistic"}
    assert "mask-polygon" in capsys.readouterr().out
