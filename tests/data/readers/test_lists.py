from pathlib import Path

import numpy as np
import pytest

from mien.data import audit
from mien.data.readers.ferplus import read_ferplus
from mien.data.readers.lists import listed, read_list
from mien.data.table import FaceTable
from mien.errors import DataError
from tiny_fer import tiny_fer


@pytest.fixture
def faces(tmp_path: Path) -> FaceTable:
    fer = tiny_fer()
    fer.names[3] = fer.names[1]
    fer.write(tmp_path / "fer2013.csv")
    fer.write_votes(tmp_path / "fer2013new.csv")
    return read_ferplus(tmp_path)


def written(folder: Path, *lines: str) -> Path:
    path = folder / "list.txt"
    path.write_bytes("\r\n".join(lines).encode())
    return path


def test_both_forms_of_line_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "1_fer0034656.png 8 0", "", "7/fer0032226.jpg", "0/fer0032220 6")
    names, labels = read_list(path)
    assert names == ["fer0034656.png", "fer0032226.png", "fer0032220.png"]
    assert labels == [1, 7, 0]


def test_listed_faces_carry_the_labels_of_the_list(tmp_path: Path, faces: FaceTable) -> None:
    chosen = listed(faces, written(tmp_path, "6_fer0000008.png 8 0", "2/fer0000001.jpg"))
    assert chosen.labels.tolist() == [6, 2]
    np.testing.assert_array_equal(chosen.images, faces.images[[8, 3]])


def test_a_name_that_is_not_there_is_refused(tmp_path: Path, faces: FaceTable) -> None:
    path = written(tmp_path, "6_fer0000008.png 8 0", "6_fer0000088.png 8 0")
    with pytest.raises(DataError, match=r"names 1 images .* 'fer0000088\.png'"):
        listed(faces, path)


@pytest.mark.parametrize("line", ["8_fer0000001.png 8 0", "fer0000001.png", "1 fer0000001.png"])
def test_a_strange_line_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match=r"list\.txt, line 2: expected a line like"):
        read_list(written(tmp_path, "1_fer0000001.png 8 0", line))


def test_a_missing_or_empty_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no list"):
        read_list(tmp_path / "list.txt")
    with pytest.raises(DataError, match="lists no images"):
        read_list(written(tmp_path, ""))


@pytest.mark.parametrize(
    ("name", "faces_listed", "in_training"),
    [("jianfei_occlusion", 605, 73), ("pose_30_ferplus", 1170, 81), ("pose_45_ferplus", 633, 34)],
)
def test_the_real_lists_have_the_published_counts(
    mien_data: Path, real_new: FaceTable, name: str, faces_listed: int, in_training: int
) -> None:
    faces = real_new
    chosen = listed(faces, mien_data / "ferplus-real-occlusion" / f"{name}_list.txt")
    assert len(chosen) == faces_listed
    assert int(audit.also_in(chosen, faces[faces.split == "train"]).sum()) == in_training
