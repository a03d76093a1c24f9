import io

import numpy as np
import PIL.Image
import pytest

from mien.report.timeline import Series, clock, tick_step, timeline

LABELS = ("neutral", "happiness")


def shares(happiness: float) -> dict[str, float]:
    return {"neutral": 1 - happiness, "happiness": happiness}


def gathered(count: int, fps: float = 25) -> Series:
    """A face that is happy in the second half, another in sight for the first fifth alone."""
    series = Series(LABELS)
    for n in range(count):
        shown = {1: shares(0.9 * (n >= count / 2))}
        series.add(3 + n / fps, shown | ({2: shares(0.5)} if n < count / 5 else {}))
    return series


@pytest.mark.parametrize(("count", "fps"), [(10, 1), (50, 25), (30_000, 25), (900, 0.25)])
def test_any_length_is_kept_in_few_stretches(count: int, fps: float) -> None:
    series = gathered(count, fps)
    edges, drawn = series.drawn(1)
    assert edges[0] == 3 and edges[-1] == pytest.approx(3 + count / fps)
    assert len(drawn) == len(edges) - 1 <= 800
    assert not np.isnan(drawn).any()
    assert drawn.sum(axis=1) == pytest.approx(np.ones(len(drawn)))
    half = len(drawn) // 2
    assert drawn[: half - 3, 1].max() == 0 and drawn[half + 3 :, 1] == pytest.approx(0.9)
    assert max(map(len, series._sums.values())) <= 2048


def test_what_was_not_in_sight_is_left_empty() -> None:
    _, drawn = gathered(100).drawn(2)
    assert np.isnan(drawn[21:]).all() and drawn[:20] == pytest.approx(0.5)


def test_the_longest_tracks_are_chosen_in_their_order() -> None:
    series = gathered(40)
    series.add(6, {7: shares(0), 2: shares(0)})
    assert (series.longest(3), series.longest(2), series.longest(1)) == ([1, 2, 7], [1, 2], [1])
    assert series.tracks() == 3


def test_the_timeline_is_a_picture_the_same_each_time() -> None:
    pytest.importorskip("matplotlib")
    series, events = gathered(50), {1: [("happiness", 4.0, 4.9)]}
    drawn = timeline(series, events)
    picture = PIL.Image.open(io.BytesIO(drawn)).convert("RGB")
    assert np.asarray(picture).std() > 20
    assert drawn == timeline(series, events) != timeline(series, {})
    one = PIL.Image.open(io.BytesIO(timeline(series, events, most=1)))
    assert one.height < picture.height


def test_nothing_to_show_is_still_a_picture() -> None:
    pytest.importorskip("matplotlib")
    drawn = timeline(Series(LABELS), {}, kind="svg")
    assert drawn.startswith(b"<?xml") and b"no face" in drawn
    assert b"no face" not in timeline(gathered(10), {}, kind="svg")


@pytest.mark.parametrize(
    ("length_s", "expected"), [(0, 0.1), (4, 0.5), (60, 10), (3600, 600), (1e6, 1.25e5)]
)
def test_ticks_stand_where_clocks_divide_time(length_s: float, expected: float) -> None:
    assert tick_step(length_s) == expected


@pytest.mark.parametrize(
    ("time_s", "expected"),
    [(0, "0:00"), (5.5, "0:05.5"), (59.999, "1:00"), (83.25, "1:23.25"), (3723, "1:02:03")],
)
def test_times_are_written_for_people(time_s: float, expected: str) -> None:
    assert clock(time_s) == expected


def test_times_below_each_other_are_as_long() -> None:
    assert [clock(time_s, even=True) for time_s in (0, 65.5)] == ["0:00.00", "1:05.50"]
