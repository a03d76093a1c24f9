import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data.test_table import same, table
from mien.data.table import FaceTable
from mien.data.writing import JOURNAL, PLAN, TableWriter
from mien.errors import DataError, OutputError

WHOLE = table(10)


def writer(folder: Path, **plan: object) -> TableWriter:
    return TableWriter(folder, WHOLE.expressions, plan)


def test_blocks_become_the_table_that_saving_would_make(tmp_path: Path) -> None:
    with writer(tmp_path / "table") as writing:
        writing.append(WHOLE[:4], done=5)
        writing.append(None, done=2)
        writing.append(WHOLE[4:], done=6)
        written = writing.finish(lambda part: (part / "more.txt").write_text("more") and None)
    assert same(written, WHOLE)
    assert written.expressions == WHOLE.expressions
    WHOLE.save(tmp_path / "saved")
    names = {path.name for path in (tmp_path / "table").iterdir()}
    assert names == {path.name for path in (tmp_path / "saved").iterdir()} | {"more.txt"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved", "table"]


def test_a_stopped_work_goes_on_behind_its_last_whole_block(tmp_path: Path) -> None:
    with writer(tmp_path / "table") as writing:
        writing.append(WHOLE[:3], done=3, found=["a"])
        writing.append(WHOLE[3:5], done=4, found=["b"])
    part = tmp_path / ".table.part"
    assert not (tmp_path / "table").exists()
    with (part / JOURNAL).open("ab") as journal, (part / "images.npy").open("ab") as images:
        journal.write(b'{"done": 9, "fac')  # killed while writing
        images.write(b"half a face")
    with writer(tmp_path / "table") as writing:
        assert (writing.done, writing.faces) == (7, 5)
        assert [entry["found"] for entry in writing.entries()] == [["a"], ["b"]]
        writing.append(WHOLE[5:], done=3)
        assert same(writing.finish(), WHOLE)


def test_a_work_killed_before_its_first_block_begins_again(tmp_path: Path) -> None:
    with writer(tmp_path / "table") as writing:
        writing.append(WHOLE[:3], done=3)
    (tmp_path / ".table.part" / JOURNAL).write_bytes(b'{"done"')
    with writer(tmp_path / "table") as writing:
        assert (writing.done, writing.faces) == (0, 0)
        writing.append(WHOLE, done=10)
        assert same(writing.finish(), WHOLE)


def test_unfinished_work_of_another_plan_is_left_alone(tmp_path: Path) -> None:
    with writer(tmp_path / "table", detector="whole") as writing:
        writing.append(WHOLE, done=10)
    with pytest.raises(OutputError, match="detector differ; remove it"):
        writer(tmp_path / "table", detector="centerface")
    (tmp_path / ".table.part" / PLAN).write_text("{")
    with pytest.raises(OutputError, match="unfinished work of another kind"):
        writer(tmp_path / "table", detector="whole")


@pytest.mark.parametrize(("lost", "left"), [(1, 7), (7 * 80, 3), (9 * 80, 0), (10 * 80 + 50, 0)])
def test_a_part_that_lost_bytes_is_gone_on_with_behind_what_is_whole(
    tmp_path: Path, lost: int, left: int
) -> None:
    with writer(tmp_path / "table") as writing:
        for first, end in ((0, 3), (3, 7), (7, 10)):
            writing.append(WHOLE[first:end], done=end - first)
    path = tmp_path / ".table.part" / "images.npy"
    os.truncate(path, path.stat().st_size - lost)
    with writer(tmp_path / "table") as writing:
        assert writing.done == writing.faces == left
        writing.append(WHOLE[left:], done=10 - left)
        assert same(writing.finish(), WHOLE)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    WHOLE.save(tmp_path / "table")
    with pytest.raises(OutputError, match="exists; remove it"):
        writer(tmp_path / "table")


def test_two_processes_do_not_write_one_table(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with writer(tmp_path / "table"), pytest.raises(OutputError, match="another process"):
        writer(tmp_path / "table")


def test_blocks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with writer(tmp_path / "table") as writing:
        writing.append(WHOLE[:2], done=2)
        with pytest.raises(DataError, match="a block has images"):
            writing.append(table(2, images=np.zeros((2, 4, 4), np.uint8)), done=2)
        with pytest.raises(DataError, match="a block has"):
            writing.append(table(2, votes=None), done=2)


def test_a_table_without_faces_is_refused(tmp_path: Path) -> None:
    with writer(tmp_path / "table") as writing:
        writing.append(None, done=3)
        with pytest.raises(DataError, match="no face is left"):
            writing.finish()
        writing.discard()
    assert not list(tmp_path.iterdir())


def test_texts_of_any_length_and_letters_are_kept(tmp_path: Path) -> None:
    ids = np.array(["", "é", "x" * 300, 'a"\n\\b'])
    with writer(tmp_path / "table") as writing:
        for row in range(4):
            writing.append(table(1, source_id=ids[row : row + 1]), done=1)
        assert writing.finish().source_id.tolist() == ids.tolist()


MANY = """
import json, sys
from pathlib import Path
import numpy as np
from data.test_table import table
from mien.data.table import FaceTable
from mien.data.writing import TableWriter
folder, rows, block = sys.argv[1], int(sys.argv[2]), 2000
faces = np.random.default_rng(0).integers(0, 256, (block, 48, 48), dtype=np.uint8)
with TableWriter(folder, ("fear", "neutral"), {}) as writer:
    for first in range(0, rows, block):
        ids = np.array([f"some/folder/image-{row:08}.png" for row in range(first, first + block)])
        writer.append(table(block, images=faces, source_id=ids, votes=None), done=block)
    writer.finish()
opened = FaceTable.open(folder)
assert len(opened) == rows and opened.source_id[-1].endswith(f"{rows - 1:08}.png")
lines = Path("/proc/self/status").read_text().splitlines()
print(json.dumps([int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")][0]))
"""


def many(folder: Path, rows: int) -> float:
    """Write and open a table in a process of its own; give the most memory it had, in MB."""
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-c", MANY, str(folder), str(rows)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: float = json.loads(done.stdout)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted otherwise there")
def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    small, large = many(tmp_path / "small", 4_000), many(tmp_path / "large", 40_000)
    assert large < small + 30
    assert large < 500
    assert len(FaceTable.open(tmp_path / "large")) == 40_000
