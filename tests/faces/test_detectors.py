import numpy as np
import pytest

from mien.errors import ModelError, UsageError
from mien.faces import detectors


def test_an_unknown_detector_lists_the_good_ones():
    with pytest.raises(UsageError, match=r"'centreface'; did you mean 'centerface'"):
        detectors.detector("centreface")


def test_every_detector_is_made_by_its_name():
    for name in detectors.names():
        assert isinstance(detectors.detector(name).detect(np.zeros((64, 64), np.uint8)), list)


def test_an_unknown_provider_is_refused():
    with pytest.raises(ModelError, match="provider"):
        detectors.detector("centerface", provider="abacus")


@pytest.mark.parametrize("shape", [(48, 48), (1, 1, 3), (30, 50, 3)])
def test_a_whole_image_is_one_face(shape):
    (face,) = detectors.detector("whole").detect(np.zeros(shape, np.uint8))
    assert face.box_xyxy == (-0.5, -0.5, shape[1] - 0.5, shape[0] - 0.5)
    assert face.score == 1
