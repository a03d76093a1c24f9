"""Measuring the server: on this machine, for a moment."""

import json
from pathlib import Path

import pytest

from bench.__main__ import build

pytest.importorskip("fastapi", reason="needs the extra serve")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
def test_a_server_is_measured_beside_predict(
    tmp_path: Path, shipped_models: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "serve.json"
    words = ["serve", "--clients", "2", "--seconds", "0.5", "--rounds", "1", "--minutes", "0.01"]
    with pytest.raises(SystemExit) as end:
        build()(args=[*words, "--json", str(out)], prog_name="bench")
    assert not end.value.code
    found = json.loads(out.read_text())["figures"]
    assert found["throughput"]["share"] > 0
    assert found["overload"]["alive"] == 200
    assert len(found["endurance"]["medians"]) == 2
    assert "at least 0.8" in capsys.readouterr().out
