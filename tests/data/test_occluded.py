import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from data.test_table import table
from mien import images, occlusion
from mien.data import growing
from mien.data.growing import Finished, Job
from mien.data.occluded import Hiding, occlude_table, write_photographs, write_table
from mien.data.table import FaceTable
from mien.errors import DataError, InputError, OutputError, UsageError
from mien.files import lock
from mien.records import Face

POINTS = models.face_points(30) + np.float32(8)


def faces(n: int = 5, **changes: Any) -> FaceTable:
    rng = np.random.default_rng(1)
    points = models.face_points()[None] + rng.normal(0, 1, (n, 68, 2)).astype(np.float32)
    pixels = rng.integers(0, 256, (n, 48, 48), dtype=np.uint8)
    return table(n, **{"images": pixels, "points_xy": points.astype(np.float32), **changes})


def without_points(rows: list[int], outside: list[int] | None = None) -> FaceTable:
    made = faces()
    assert made.points_xy is not None
    points = made.points_xy.copy()
    points[rows] = np.nan
    points[outside or []] += 500
    return replace(made, points_xy=points)


class Finder:
    """Find as many faces as the top left pixel says."""

    def __init__(self) -> None:
        self.searched = 0

    def find(self, image: images.Image) -> list[Face]:
        self.searched += 1
        number = int(image.flat[0])
        return [
            Face((0.0, 0.0, 9.0, 9.0), 1.0, points_xy=POINTS - np.float32(6 * at))
            for at in range(number)
        ]


def photographs(root: Path, faces: dict[str, int]) -> list[Path]:
    for at, (name, number) in enumerate(faces.items()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        image = np.random.default_rng(at).integers(0, 256, (48, 48, 3), dtype=np.uint8)
        image[0, 0, 0] = number
        images.write(root / name, image)
    return [root / name for name in faces]


def draw(
    root: Path, out: Path, specs: tuple[str, ...] = ("eyes", "surgical"), **changes: Any
) -> dict[str, int]:
    paths = sorted(path for path in root.rglob("*.*") if path.is_file())
    finder = changes.pop("finder", None) or Finder()
    each = changes.pop("each", map)
    hiding = Hiding(specs, **changes)
    return write_photographs(paths, root, out, hiding, finder, each=each)


def manifest(folder: Path, name: str = growing.MANIFEST) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def stopping(after: int) -> Callable[[Any, Iterable[Job]], Iterable[Finished]]:
    def each(work: Callable[[Job], Finished], jobs: Iterable[Job]) -> Iterable[Finished]:
        for number, job in enumerate(jobs):
            if number == after:
                raise KeyboardInterrupt
            yield work(job)

    return each


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("spec", ["eyes", "surgical", "eyes+mouth"])
def test_a_table_is_hidden_as_a_batch_is(spec: str) -> None:
    whole = faces(300)
    hidden = occlude_table(whole, spec, 4)
    assert whole.points_xy is not None
    expected, _ = occlusion.batch(spec, whole.images, whole.points_xy, 4)
    np.testing.assert_array_equal(hidden.images, expected)
    np.testing.assert_array_equal(hidden.labels, whole.labels)
    assert not np.array_equal(hidden.images, whole.images)


def test_none_needs_no_points() -> None:
    whole = faces(points_xy=None)
    np.testing.assert_array_equal(occlude_table(whole, "none").images, whole.images)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (faces(points_xy=None), "5 of 5 faces, first face 0: it has no points"),
        (without_points([3]), "1 of 5 faces, first face 3: it has no points"),
        (without_points([], [2]), "1 of 5 faces, first face 2: its points lie outside"),
    ],
)
def test_faces_without_points_of_their_own_are_named(made: FaceTable, message: str) -> None:
    with pytest.raises(DataError, match=message):
        occlude_table(made, "eyes")


def test_a_table_becomes_a_folder_for_each_occluder(tmp_path: Path) -> None:
    whole, specs = faces(), ("eyes", "surgical", "eyes + mouth", "none")
    counts = write_table(whole, tmp_path / "out", Hiding(specs, seed=2, masks=True))
    assert counts == {"sources": 5, "pictures": 20, "drawn": 20, "rejected": 0, "unreadable": 0}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("eyes", "surgical", "eyes+mouth", "none", "masks"),
        *("manifest.csv", "rejected.csv", "settings.json"),
    }
    assert whole.points_xy is not None
    for spec in ("eyes", "surgical", "eyes+mouth", "none"):
        expected, hidden = occlusion.batch(spec, whole.images, whole.points_xy, 2)
        for row in range(5):
            name = f"{spec}/face_{row}.png"
            np.testing.assert_array_equal(images.read(tmp_path / "out" / name), expected[row])
            mask = images.read(tmp_path / "out" / "masks" / name)
            np.testing.assert_array_equal(mask, 255 * hidden[row])
    rows = {row["file"]: row for row in manifest(tmp_path / "out")}
    assert len(rows) == 20
    one = rows["eyes/face_1.png"]
    assert (one["source"], one["expression"], one["split"]) == ("face 1", "fear", "public")
    assert one["faces"] == "1" and int(one["hidden_pixels"]) > 20
    assert rows["none/face_1.png"]["hidden_pixels"] == "0"


@pytest.mark.parametrize(
    ("policy", "pictures", "rejected"), [("skip", 6, ["face 1", "face 4"]), ("copy", 10, [])]
)
def test_the_policy_says_what_becomes_of_a_face_without_points(
    policy: str, pictures: int, rejected: list[str], tmp_path: Path
) -> None:
    made = without_points([1], [4])
    counts = write_table(made, tmp_path / "out", Hiding(("eyes", "nose"), no_face=policy))
    assert counts["pictures"] == pictures and counts["rejected"] == len(rejected)
    found = manifest(tmp_path / "out", growing.REJECTED)
    assert [row["source_id"] for row in found] == rejected
    if policy == "copy":
        copied = images.read(tmp_path / "out/eyes/face_1.png")
        np.testing.assert_array_equal(copied, made.images[1])
        assert {row["faces"] for row in manifest(tmp_path / "out")} == {"0", "1"}


def test_the_policy_fail_names_the_face(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="face 3: it has no points"):
        write_table(without_points([3]), tmp_path / "out", Hiding(("eyes",), no_face="fail"))
    with pytest.raises(DataError, match=r"b/y\.png: no face found"):
        photographs(tmp_path / "in", {"x.png": 1, "b/y.png": 0})
        draw(tmp_path / "in", tmp_path / "other", no_face="fail")
    with pytest.raises(DataError, match="the table has no points"):
        write_table(faces(points_xy=None), tmp_path / "third", Hiding(("eyes",)))


def test_all_faces_of_a_photograph_are_hidden(tmp_path: Path) -> None:
    photographs(tmp_path / "in", {"one.png": 1, "sub/two.png": 2, "none.png": 0})
    (tmp_path / "in" / "broken.png").write_text("no image")
    counts = draw(tmp_path / "in", tmp_path / "out")
    assert counts == {"sources": 4, "pictures": 4, "drawn": 4, "rejected": 2, "unreadable": 1}
    reasons = {
        row["source_id"]: row["reason"] for row in manifest(tmp_path / "out", "rejected.csv")
    }
    assert reasons["none.png"] == "no face found" and "not an image" in reasons["broken.png"]
    rows = {row["file"]: row for row in manifest(tmp_path / "out")}
    one, two = rows["eyes/one.png"], rows["eyes/sub/two.png"]
    assert (one["faces"], two["faces"], two["source"]) == ("1", "2", "sub/two.png")
    assert int(two["hidden_pixels"]) > int(one["hidden_pixels"])
    drawn = images.read(tmp_path / "out" / "eyes" / "sub" / "two.png")
    assert drawn.shape == (48, 48, 3)
    assert (drawn != images.read(tmp_path / "in/sub/two.png")).any()


def test_equal_names_do_not_collide(tmp_path: Path) -> None:
    photographs(tmp_path / "in", {"x.bmp": 1, "x.png": 1, "X.tif": 1})
    draw(tmp_path / "in", tmp_path / "out", ("eyes",))
    names = {path.name for path in (tmp_path / "out" / "eyes").iterdir()}
    assert names == {"X-tif.png", "x-bmp.png", "x-png.png"}
    twice = faces(source_id=np.array(["a/b.jpg", "a b", "a_b", "A_B", "  "]))
    write_table(twice, tmp_path / "table", Hiding(("eyes",)))
    found = {path.removeprefix("eyes/") for path in files(tmp_path / "table") if "eyes" in path}
    assert found == {"a/b.png", "a_b.png", "a_b-2.png", "A_B-3.png", "4.png"}


@pytest.mark.parametrize("after", [0, 1, 3])
def test_stopped_work_goes_on_and_ends_the_same(after: int, tmp_path: Path) -> None:
    photographs(tmp_path / "in", {"a.png": 1, "b.png": 0, "c.png": 2, "d.png": 1})
    draw(tmp_path / "in", tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        draw(tmp_path / "in", tmp_path / "out", each=stopping(after))
    listed = {row["file"] for row in manifest(tmp_path / "out")}
    assert listed == {name for name in files(tmp_path / "out") if name.endswith(".png")}
    with (tmp_path / "out" / growing.JOURNAL).open("a") as journal:
        journal.write('{"occluders": ["ey')  # what a kill may leave
    finder = Finder()
    counts = draw(tmp_path / "in", tmp_path / "out", finder=finder)
    assert finder.searched == 4 - after
    assert counts["pictures"] == 6 and counts["rejected"] == 1
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_what_is_there_is_not_drawn_again_and_more_can_be_added(tmp_path: Path) -> None:
    photographs(tmp_path / "in", {"a.png": 1, "b.png": 0})
    draw(tmp_path / "in", tmp_path / "out", ("eyes",))
    before, finder = files(tmp_path / "out"), Finder()
    assert draw(tmp_path / "in", tmp_path / "out", ("eyes",), finder=finder)["drawn"] == 0
    assert finder.searched == 0 and files(tmp_path / "out") == before
    photographs(tmp_path / "in", {"c.png": 1})
    counts = draw(tmp_path / "in", tmp_path / "out", ("mouth", "eyes"), finder=finder)
    assert counts == {"sources": 3, "pictures": 4, "drawn": 3, "rejected": 1, "unreadable": 0}
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["occluders"] == ["eyes", "mouth"]
    again = finder.searched
    draw(tmp_path / "in", tmp_path / "out", ("mouth", "eyes"), finder=finder)
    assert finder.searched == again


def test_a_name_that_only_its_suffix_tells_apart_stays_its_own(tmp_path: Path) -> None:
    photographs(tmp_path / "in", {"a.png": 1, "b/a.png": 1, "a-bmp.png": 1})
    draw(tmp_path / "in", tmp_path / "out", ("surgical",))
    before = images.read(tmp_path / "out/surgical/a.png")
    photographs(tmp_path / "in", {"a.png": 1, "a.bmp": 1})
    draw(tmp_path / "in", tmp_path / "out", ("surgical",))
    names = {row["file"].removeprefix("surgical/") for row in manifest(tmp_path / "out")}
    assert names == {"a.png", "b/a.png", "a-bmp.png", "a-bmp-2.png", "a-png.png"}
    np.testing.assert_array_equal(images.read(tmp_path / "out/surgical/a-png.png"), before)


def test_what_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    photographs(tmp_path / "in", {"a.png": 1, "b.png": 0})
    (tmp_path / "in" / "c.png").write_text("no image")
    assert draw(tmp_path / "in", tmp_path / "out", ("eyes",))["unreadable"] == 1
    photographs(tmp_path / "in", {"c.png": 1})
    finder = Finder()
    counts = draw(tmp_path / "in", tmp_path / "out", ("eyes",), finder=finder)
    assert (counts["drawn"], counts["rejected"], counts["unreadable"]) == (1, 1, 0)
    assert finder.searched == 1
    (tmp_path / "in" / "c.png").write_text("no image")
    with pytest.raises(InputError, match=r"c\.png: .* is not an image"):
        photographs(tmp_path / "in", {"b.png": 1})
        draw(tmp_path / "in", tmp_path / "other", ("eyes",), no_face="fail")


def test_a_name_that_is_no_utf_8_is_known_again(tmp_path: Path) -> None:
    root = tmp_path / "in"
    try:
        photographs(root, {"caf\udce9.png": 1, "n\udcff.png": 0})
    except (OSError, OutputError, UnicodeError):
        pytest.skip("the file system has no such names")
    for _ in range(3):
        finder = Finder()
        counts = draw(root, tmp_path / "out", ("eyes",), finder=finder)
        assert (counts["pictures"], counts["rejected"]) == (1, 1)
        assert len(manifest(tmp_path / "out")) == 1
        assert len(manifest(tmp_path / "out", growing.REJECTED)) == 1
    assert finder.searched == 0


def test_two_processes_do_not_draw_into_one_folder(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    photographs(tmp_path / "in", {"a.png": 1})
    draw(tmp_path / "in", tmp_path / "out", ("eyes",))
    with (tmp_path / "out" / growing.JOURNAL).open("a") as journal:
        lock(journal, "it")
        with pytest.raises(OutputError, match="another process is writing"):
            draw(tmp_path / "in", tmp_path / "out", ("mouth",))


def test_chance_goes_by_the_name_alone(tmp_path: Path) -> None:
    photographs(tmp_path / "in", {"b.png": 1})
    draw(tmp_path / "in", tmp_path / "alone")
    photographs(tmp_path / "in", {"b.png": 1, "a.png": 1})
    draw(tmp_path / "in", tmp_path / "both")
    name = "surgical/b.png"
    assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "both" / name).read_bytes()


def test_other_settings_and_other_folders_are_not_mixed(tmp_path: Path) -> None:
    photographs(tmp_path / "in", {"a.png": 1})
    draw(tmp_path / "in", tmp_path / "out", seed=1)
    with pytest.raises(OutputError, match="seed differ"):
        draw(tmp_path / "in", tmp_path / "out", seed=2)
    with pytest.raises(OutputError, match="options differ"):
        draw(tmp_path / "in", tmp_path / "out", ("eyes",), seed=1, options={"tone": 3})
    with pytest.raises(OutputError, match="is there already"):
        draw(tmp_path / "in", tmp_path / "in")
    (tmp_path / "out" / "settings.json").write_text("{")
    with pytest.raises(OutputError, match="cannot read"):
        draw(tmp_path / "in", tmp_path / "out", seed=1)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    photographs(tmp_path / "in", {"a.png": 1})
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        draw(tmp_path / "in", tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"specs": ()}, "no occluder is named"),
        ({"specs": ("", " ")}, "no occluder is named"),
        ({"specs": ("moth",)}, "did you mean 'mouth'"),
        ({"specs": ("eyes",), "no_face": "skp"}, "did you mean 'skip'"),
        ({"specs": ("eyes",), "options": {"tone": "red"}}, "a tone must be"),
        ({"specs": ("eyes", "surgical"), "options": {"pad_px": 3}}, "does not take pad_px"),
    ],
)
def test_what_cannot_be_drawn_is_said_at_once(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Hiding(**given)
