from pathlib import Path

import pytest

from mien.training.curves import panels, worded, write_curves


def test_measures_that_can_share_an_axis_do() -> None:
    found = panels(
        {
            "loss": [2.0, 1.0],
            "-loss": [None, -1.5],
            "accuracy": [0.5, 0.6],
            "train_accuracy": [None, 0.9],
            "worst_recall": [0.1, 0.2],
            "ferplus/none": [0.7, 0.8],
            "ferplus/eyes": [0.6, 0.7],
            "learning_rate": [0.1, 0.05],
        }
    )
    assert found == {
        "loss": {"training": [2.0, 1.0], "validation": [None, 1.5]},
        "share right": {
            "accuracy": [0.5, 0.6],
            "train accuracy": [None, 0.9],
            "worst recall": [0.1, 0.2],
        },
        "ferplus": {"none": [0.7, 0.8], "eyes": [0.6, 0.7]},
        "learning rate": {"learning_rate": [0.1, 0.05]},
    }


def test_figures_are_named_for_people() -> None:
    assert worded("-loss", -1.5) == ("validation loss", 1.5)
    assert worded("macro_f1", 0.5) == ("macro F1", 0.5)
    assert worded("ferplus/none", 0.5) == ("ferplus/none", 0.5)


def test_the_curves_of_a_log_are_drawn_beside_it(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "log.jsonl").write_text('{"epoch": 1, "loss": 2.0}\n{"epoch": 2, "loss": 1.0}\n')
    write_curves(tmp_path, 2)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
