from pathlib import Path

import pytest

from mien.errors import DataError
from mien.study.histories import history


def test_a_history_has_a_value_an_epoch(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(
        '{"epoch": 1, "loss": 3.0, "seconds": 9}\n{"epoch": 2, "loss": 2.5}\n'
        '{"epoch": 2, "loss": 2.0, "score": 0.5}\n{"epoch": 4, "loss": 1.0}\n'
    )
    assert history(tmp_path) == {
        "loss": [3.0, 2.0, None, 1.0],
        "score": [None, 0.5, None, None],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "expected the folder of a training"),
        ("", "no epoch yet"),
        ("{", "no log"),
        ('{"a": 1}', "no log"),
        ("3", "no log"),
    ],
)
def test_what_is_no_log_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(DataError, match=message):
        history(tmp_path)
