"""A video in, rows, events, an annotated copy and a timeline out."""

import csv
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_videos
from mien import files, images
from mien.cli import _video
from mien.cli._journal import Journal
from mien.errors import InputError, OutputError, UsageError
from mien.media.video import open_video
from mien.recognizer import Recognizer

pytest.importorskip("cv2")
pytest.importorskip("scipy")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Twelve frames, each of which is taken as one face."""
    return tiny_videos.video(tmp_path / "clip.mp4", tiny_videos.pictures(12))


SLOWLY = """
import time
from mien.cli._journal import Journal
add = Journal.add
def slowly(*look):
    add(*look)
    print(".", flush=True)
    time.sleep(0.1)
Journal.add = slowly
"""


def parsed(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_a_face_a_frame_with_time_and_track(predict: Callable, clip: Path) -> None:
    done = predict(clip)
    found = parsed(done.out)
    assert (done.code, len(found)) == (0, 12)
    assert [row["frame"] for row in found] == list(range(12))
    assert [row["time_s"] for row in found] == pytest.approx([n / 25 for n in range(12)], abs=2e-3)
    assert {(row["schema"], row["track"], row["face"]) for row in found} == {("mien.video/1", 1, 0)}
    assert "12 frames, 12 faces in 1 track" in done.err


def test_a_frame_says_what_it_says_alone(
    predict: Callable, clip: Path, expression_path: Path
) -> None:
    recognizer = Recognizer(expression_path, detector="whole")
    with open_video(clip) as video:
        alone = [recognizer(frame.image)[0].to_dict() for frame in video]
    for jobs in ("1", "4"):
        together = parsed(predict(clip, "--jobs", jobs).out)
        assert [{name: row[name] for name in alone[0]} for row in together] == alone


def test_smoothed_probabilities_lag_and_can_be_left_out(predict: Callable, clip: Path) -> None:
    first, second = parsed(predict(clip, "--smooth", "1", "--end", "0.05").out)
    assert first["smoothed"] == first["probabilities"]
    share = 0.5 ** (second["time_s"] / 1)
    expected = {
        name: share * first["probabilities"][name] + (1 - share) * p
        for name, p in second["probabilities"].items()
    }
    assert second["smoothed"] == pytest.approx(expected, abs=1e-5)
    assert "smoothed" not in parsed(predict(clip, "--smooth", "0").out)[0]


def test_what_is_read_can_be_chosen(predict: Callable, clip: Path) -> None:
    def frames(*words: str) -> list[int]:
        return [row["frame"] for row in parsed(predict(clip, *words).out)]

    assert frames("--every", "5") == [0, 5, 10]
    assert frames("--fps", "5") == [0, 5, 10]
    assert frames("--start", "0:00.3", "--end", "0.33") == [8]


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("1:30", 90), ("1:00:01.5", 3601.5), (None, None)]
)
def test_times_are_read(text: str | None, expected: float | None) -> None:
    assert _video.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "-1", "nan", "1:", "inf"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected a time"):
        _video.seconds(text)


def test_tables_hold_the_same(predict: Callable, clip: Path, tmp_path: Path) -> None:
    whole = parsed(predict(clip).out)
    assert predict(clip, "--out", tmp_path / "rows.csv").out == ""
    found = rows(tmp_path / "rows.csv")
    assert [float(row["box_x1"]) for row in found] == [row["box_xyxy"][2] for row in whole]
    assert [row["certain"] for row in found] == [str(row["certain"]).lower() for row in whole]
    for name in ("probability", "smoothed"):
        shares = [float(row[f"{name}_sadness"]) for row in found]
        full = "probabilities" if name == "probability" else name
        assert shares == [row[full]["sadness"] for row in whole]


def test_parquet_has_typed_columns(predict: Callable, clip: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    predict(clip, "--out", tmp_path / "rows.csv", "--points")
    predict(clip, "--out", tmp_path / "rows.parquet", "--points")
    table, found = parquet.read_table(tmp_path / "rows.parquet"), rows(tmp_path / "rows.csv")
    assert table.column_names == list(found[0])
    assert table["time_s"].to_pylist() == [float(row["time_s"]) for row in found]
    assert table["certain"].to_pylist() == [row["certain"] == "true" for row in found]
    assert table["faces"].null_count == 12 and table["point67_y"].null_count == 0


def test_parquet_needs_a_file(predict: Callable, clip: Path, photographs: Path) -> None:
    for path in (clip, photographs):
        assert predict(path, "--format", "parquet").code == UsageError.exit_code


def test_events_are_told_to_people_and_to_files(
    predict: Callable, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = parsed(predict(clip, "--smooth", "0").out)
    written = tmp_path / "events.csv"
    monkeypatch.setattr("mien.cli._video_told.Events", lambda: Always())
    done = predict(clip, "--format", "table", "--events", written)
    header, line = done.out.splitlines()
    assert header.split() == ["track", "expression", "from", "to", "peak"]
    assert line.split()[:3] == ["1", "happiness", "0:00.00"]
    (event,) = rows(written)
    assert (event["schema"], event["end_s"], event["frames"]) == ("mien.events/1", "0.44", "12")
    assert len(whole) == 12 and str(written) in done.err


class Always:
    """Finds happiness from the first frame to the last."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def update(self, time_s: float, shown: object) -> list[Any]:
        self.times.append(time_s)
        return []

    def finish(self) -> list[Any]:
        from mien.media.events import Event

        return [Event(1, "happiness", self.times[0], self.times[-1], 0.2, 0.9, len(self.times))]


def test_an_annotated_copy_shows_the_faces(predict: Callable, clip: Path, tmp_path: Path) -> None:
    predict(clip, "--draw", tmp_path / "drawn", "--every", "2")
    with open_video(tmp_path / "drawn" / "clip.mp4") as video:
        drawn, info = list(video), video.info
    assert (len(drawn), info.fps) == (6, 12.5)
    assert [frame.time_s for frame in drawn] == pytest.approx(
        [n / 12.5 for n in range(6)], abs=2e-3
    )
    assert not np.array_equal(drawn[0].image[:20], drawn[5].image[:20])


def test_faces_in_a_copy_can_be_covered(predict: Callable, clip: Path, tmp_path: Path) -> None:
    contrasts = []
    for how in ("shown", "covered"):
        predict(clip, "--draw", tmp_path / how, "--draw-faces", how, "--end", "0.05")
        with open_video(tmp_path / how / "clip.mp4") as video:
            picture = next(iter(video)).image
        contrasts.append(np.abs(np.diff(picture.astype(int), axis=1)).mean())
    assert contrasts[1] < contrasts[0]


def test_a_copy_does_not_replace_its_video(predict: Callable, clip: Path) -> None:
    before = clip.read_bytes()
    assert predict(clip, "--draw", clip.parent).code == UsageError.exit_code
    assert clip.read_bytes() == before


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_timeline_is_drawn(predict: Callable, clip: Path, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"timeline.{suffix}"
    assert predict(clip, "--timeline", path).code == 0
    assert path.read_bytes()[:4] in (b"\x89PNG", b"<?xm")
    assert predict(clip, "--timeline", tmp_path / "timeline.doc").code == UsageError.exit_code


def test_a_timeline_that_cannot_be_written_is_refused_before_the_work(
    predict: Callable, clip: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "t.png").mkdir()
    done = predict(clip, "--timeline", tmp_path / "t.png")
    assert done.code == OutputError.exit_code and "t.png" in done.err and done.out == ""
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "t.png"}


@contextmanager
def killed(behind: int) -> Iterator[None]:
    """Let a work die behind so many frames."""
    left, add = iter(range(behind)), Journal.add

    def dying(journal: Journal, entry: dict[str, Any]) -> None:
        if next(left, None) is None:
            raise RuntimeError("killed")
        add(journal, entry)

    with pytest.MonkeyPatch.context() as patched, pytest.raises(RuntimeError, match="killed"):
        patched.setattr(Journal, "add", dying)
        yield


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize("options", [(), ("--every", "2"), ("--fps", "10", "--points")])
def test_a_work_that_was_killed_goes_on_to_the_same_end(
    predict: Callable,
    tmp_path: Path,
    drawn: bool,
    options: tuple[str, ...],
) -> None:
    path = tiny_videos.video(tmp_path / "clip.avi", tiny_videos.pictures(12))
    tiny_videos.damage(path, [1, 8])
    words = (path, *options, *(("--draw", tmp_path / "drawn") if drawn else ()))
    whole = predict(*words, "--out", tmp_path / "whole.jsonl")
    with killed(behind=3):
        predict(*words, "--out", tmp_path / "rows.jsonl")
    journal = tmp_path / ".rows.jsonl.part"
    journal.write_bytes(journal.read_bytes() + b'{"frame": 9, "half')
    assert not (tmp_path / "rows.jsonl").exists()
    done = predict(*words, "--out", tmp_path / "rows.jsonl")
    assert "going on behind frame" in done.err
    assert "2 damaged frames" in done.err and "2 damaged frames" in whole.err
    assert (tmp_path / "rows.jsonl").read_text() == (tmp_path / "whole.jsonl").read_text()
    assert not journal.exists()


def test_what_is_made_of_unfinished_work_may_differ(
    predict: Callable, clip: Path, tmp_path: Path
) -> None:
    with killed(behind=3):
        predict(clip, "--out", tmp_path / "rows.csv")
    words = (clip, "--smooth", "0", "--jobs", "2", "--draw", tmp_path / "drawn", "--events")
    whole = predict(*words, tmp_path / "a.csv", "--out", tmp_path / "whole.csv")
    done = predict(*words, tmp_path / "b.csv", "--out", tmp_path / "rows.csv")
    assert "going on behind" in done.err and "going on" not in whole.err
    for one, other in (("rows.csv", "whole.csv"), ("b.csv", "a.csv")):
        assert (tmp_path / one).read_text() == (tmp_path / other).read_text()


@pytest.mark.parametrize(
    ("option", "named"),
    [
        (("--every", "2"), "every"),
        (("--end", "0.2"), "end"),
        (("--points",), "points"),
        (("--min-face", "40"), "min_face"),
    ],
)
def test_unfinished_work_of_another_kind_is_not_gone_on_with(
    predict: Callable, clip: Path, tmp_path: Path, option: tuple[str, ...], named: str
) -> None:
    with killed(behind=3):
        predict(clip, "--out", tmp_path / "rows.csv")
    done = predict(clip, "--out", tmp_path / "rows.csv", *option)
    assert done.code == OutputError.exit_code
    assert f": {named} differ" in done.err and ".rows.csv.part" in done.err


@pytest.mark.parametrize("pattern", ["", "%d.png"])
def test_unfinished_work_on_other_pictures_is_not_gone_on_with(
    predict: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    for number, picture in enumerate(tiny_videos.pictures(5)):
        images.write(folder / f"{number}.png", picture)
    monkeypatch.chdir(tmp_path)
    words = (Path("shots", pattern), "--fps", "10", "--out", tmp_path / "rows.csv")
    with killed(behind=3):
        predict(*words)
    images.write(folder / "4.png", tiny_videos.pictures(1)[0])
    done = predict(*words)
    assert done.code == OutputError.exit_code and ": files differ" in done.err


def test_a_killed_process_leaves_its_work_behind(
    start: Callable, predict: Callable, tmp_path: Path, expression_path: Path
) -> None:
    clip = tiny_videos.video(tmp_path / "clip.mp4", tiny_videos.pictures(40))
    out, drawn = tmp_path / "rows.jsonl", tmp_path / "drawn"
    words = ("--model", expression_path, "--detector", "whole", "--out", out, "--draw", drawn)
    process = start("predict", clip, *words, first=SLOWLY)
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    assert list(tmp_path.glob(".*.part")) and list(drawn.glob(".*"))
    files._unfinished_in.cache_clear()  # as in the new process that goes on
    done = predict(clip, "--out", out, "--draw", drawn)
    assert "going on behind" in done.err
    assert not list(tmp_path.glob(".*"))
    assert [path.name for path in drawn.iterdir()] == ["clip.mp4"]
    assert [row["frame"] for row in parsed(out.read_text())] == list(range(40))


def test_beside_a_device_or_a_pipe_no_work_is_kept(
    predict: Callable, clip: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "rows")
    reader = os.open(tmp_path / "rows", os.O_RDONLY | os.O_NONBLOCK)
    with killed(behind=3):
        predict(clip, "--out", tmp_path / "rows")
    assert not list(tmp_path.glob(".*"))
    assert predict(clip, "--out", tmp_path / "rows").code == 0
    assert b'"frame": 11' in os.read(reader, 1 << 16)
    os.close(reader)


def test_two_works_do_not_write_one_file(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with Journal(tmp_path / "rows.csv", {}), pytest.raises(OutputError, match="another process"):
        Journal(tmp_path / "rows.csv", {})


def test_a_video_without_faces_has_rows_that_say_so(
    shipped_models: None, mien: Callable, tmp_path: Path
) -> None:
    grey = np.full((3, 96, 128, 3), 128, np.uint8)
    clip = tiny_videos.video(tmp_path / "sky.mp4", grey)
    done = mien("predict", clip)
    assert done.code == 0 and "3 without a face" in done.err
    assert [(row["frame"], row["faces"]) for row in parsed(done.out)] == [(0, 0), (1, 0), (2, 0)]


def test_a_video_that_is_cut_short_is_told(predict: Callable, tmp_path: Path) -> None:
    path = tiny_videos.video(tmp_path / "clip.avi", tiny_videos.pictures(12))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = predict(path)
    assert done.code == 0 and "cut short: it tells of 12 frames" in done.err


def test_an_image_sequence_is_read_at_its_rate(predict: Callable, photographs: Path) -> None:
    found = parsed(predict(photographs, "--fps", "10").out)
    assert [row["time_s"] for row in found] == [0.0, 0.1, 0.2]


def test_an_image_that_is_gone_is_a_damaged_frame(
    predict: Callable, photographs: Path, tmp_path: Path
) -> None:
    (photographs / "z.png").symlink_to("nowhere.png")
    done = predict(photographs, "--every", "1", "--out", tmp_path / "a.csv")
    assert done.code == 0 and "1 damaged frame" in done.err


def test_a_work_that_read_nothing_leaves_nothing(
    predict: Callable, clip: Path, tmp_path: Path
) -> None:
    assert predict(clip, "--start", "1:00", "--out", tmp_path / "a.csv").code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_videos_stand_alone_and_several_need_a_folder(
    predict: Callable, clip: Path, photographs: Path, tmp_path: Path
) -> None:
    folder = ("--out", tmp_path / "tables")
    events = ("--events", tmp_path / "events.csv")
    for words in (
        (clip, clip),
        (clip, photographs, *folder),
        ("", "--every", "2"),
        (clip, clip, *folder, *events),
        (clip, clip, *folder, "--format", "table"),
        (clip, clip, "--out", tmp_path / "tables.csv"),
    ):
        assert predict(*words).code == UsageError.exit_code
    assert predict(clip, "--start", "1:00").code == InputError.exit_code


def test_several_videos_get_a_table_each_and_a_stopped_work_goes_on(
    predict: Callable, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    second = tiny_videos.video(tmp_path / "other" / "clip.mp4", tiny_videos.pictures(9))
    (tmp_path / "broken.mp4").write_text("no video")
    out, drawn = tmp_path / "tables", tmp_path / "drawn"
    words = (clip, tmp_path / "broken.mp4", second, "--out", out, "--draw", drawn)
    with killed(behind=15):  # two frames of the second one, and one entry for the first
        predict(*words)
    assert {path.name for path in out.iterdir()} == {
        *("clip.jsonl", ".clip-2.jsonl.part", ".videos.part")
    }
    assert predict(*words, "--points").code == OutputError.exit_code
    done = predict(*words)
    assert done.code == InputError.exit_code and "1 of 3 videos could not be read" in done.err
    assert f"{clip} had been read" in done.err and "going on behind frame 1" in done.err
    assert {path.name for path in out.iterdir()} == {"clip.jsonl", "clip-2.jsonl"}
    assert {path.name for path in drawn.iterdir()} == {"clip.mp4", "clip-2.mp4"}
    for path, name in ((clip, "clip.jsonl"), (second, "clip-2.jsonl")):
        assert (out / name).read_text() == predict(path).out


def test_no_copy_replaces_a_video_that_is_still_to_be_read(
    predict: Callable, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    second = tiny_videos.video(tmp_path / "other" / "clip.mp4", tiny_videos.pictures(3))
    before = second.read_bytes()
    words = (clip, second, "--out", tmp_path / "tables", "--draw", second.parent)
    assert predict(*words).code == UsageError.exit_code
    assert second.read_bytes() == before


def test_rows_on_a_pipe_come_frame_by_frame(
    start: Callable, clip: Path, expression_path: Path
) -> None:
    process = start("predict", clip, "--model", expression_path, "--detector", "whole", "-q")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), err
    assert len(parsed(out)) == 12


def test_without_opencv_the_extra_is_named(
    predict: Callable, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    done = predict(clip)
    assert done.code == 7 and "mien[video]" in done.err


@pytest.mark.parametrize("option", ["--out", "--events", "--timeline"])
def test_what_is_read_is_never_written_over(
    predict: Callable, clip: Path, tmp_path: Path, option: str
) -> None:
    named = clip.with_suffix(".png" if option == "--timeline" else ".jsonl")
    named.symlink_to(clip)
    before = clip.read_bytes()
    done = predict(clip, option, named)
    assert done.code == 2 and "would overwrite what is read" in done.err
    assert clip.read_bytes() == before


def test_two_results_of_one_name_are_refused_before_the_work(
    predict: Callable, clip: Path, tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("kept")
    done = predict(clip, "--out", table, "--events", tmp_path / "." / "t.csv")
    assert done.code == 2 and "--out and --events" in done.err
    assert table.read_text() == "kept" and not list(tmp_path.glob(".*"))


def test_a_folder_that_is_not_there_and_a_suffix_that_says_nothing(
    predict: Callable, clip: Path, tmp_path: Path
) -> None:
    done = predict(clip, "--out", tmp_path / "none" / "t.csv")
    assert done.code == 6 and f"there is no folder {tmp_path / 'none'}" in done.err
    for option in ("--out", "--events"):
        done = predict(clip, option, tmp_path / "t.txt")
        assert done.code == 2 and ".jsonl, .csv, .parquet" in done.err
    done = predict(clip, "--out", tmp_path / "t.csv", "--format", "jsonl")
    assert done.code == 2 and "differ" in done.err
    assert predict(clip, "--out", tmp_path / "t.txt", "--format", "csv").code == 0
