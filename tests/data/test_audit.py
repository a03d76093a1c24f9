from pathlib import Path

import numpy as np

from mien.data.audit import also_in
from mien.data.readers.fer2013 import read_fer2013
from tiny_fer import tiny_fer


def test_faces_with_the_pixels_of_another_part_are_marked(tmp_path: Path) -> None:
    fer = tiny_fer()
    fer.images[9] = fer.images[1]
    fer.images[10] = fer.images[2]
    fer.images[10, 0, 0] ^= 1
    fer.images[5] = fer.images[6]
    fer.write(tmp_path / "fer2013.csv")
    faces = read_fer2013(tmp_path)
    train = faces[faces.split == "train"]
    assert np.flatnonzero(also_in(faces[faces.split == "private"], train)).tolist() == [1]
    assert not also_in(faces[faces.split == "public"], train).any()
