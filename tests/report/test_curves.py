import io

import numpy as np
import PIL.Image
import pytest

from mien.report.curves import curves_png

PANELS = {
    "loss": {"training": [2.0, 1.0, 0.5], "validation": [None, 1.5, float("nan")]},
    "share right": {f"line {n}": [0.1 * n, 0.5, 0.6] for n in range(8)},
}


@pytest.fixture(autouse=True)
def matplotlib() -> None:
    pytest.importorskip("matplotlib")


def test_the_curves_are_a_picture_the_same_each_time() -> None:
    drawn = curves_png(PANELS, 2)
    picture = np.asarray(PIL.Image.open(io.BytesIO(drawn)).convert("RGB"))
    assert picture.std() > 0 and picture[0, 0].tolist() == [255, 255, 255]
    assert drawn == curves_png(PANELS, 2) != curves_png(PANELS)


def test_each_panel_makes_the_picture_higher() -> None:
    one, two = (
        PIL.Image.open(io.BytesIO(curves_png(panels)))
        for panels in ({"loss": PANELS["loss"]}, PANELS)
    )
    assert one.width == two.width and one.height < two.height


def test_nothing_to_show_is_still_a_picture() -> None:
    assert curves_png({}).startswith(b"\x89PNG")
