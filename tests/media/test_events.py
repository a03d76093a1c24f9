import pytest

from mien.errors import UsageError
from mien.media.events import Event, Events


def shares(**high: float) -> dict[str, float]:
    return {"neutral": 1 - sum(high.values()), "happiness": 0.0, "sadness": 0.0, **high}


def found(*happiness: float | None, fps: float = 10, **settings: float) -> list[Event]:
    """Give the events of one face that shows so much of happiness in each frame, None unseen."""
    events, ended = Events(**settings), []
    for step, share in enumerate(happiness):
        shown = {} if share is None else {1: shares(happiness=share)}
        ended += events.update(step / fps, shown)
    return ended + events.finish()


def test_an_event_has_a_start_an_end_and_a_peak() -> None:
    (event,) = found(0.1, 0.55, 0.7, 0.9, 0.8, 0.45, 0.3, 0.1)
    assert event == Event(1, "happiness", 0.1, 0.5, 0.3, 0.9, 5)
    assert event.to_dict() == {
        "track": 1,
        "expression": "happiness",
        "start_s": 0.1,
        "end_s": 0.5,
        "peak_s": 0.3,
        "peak_probability": 0.9,
        "frames": 5,
    }


def test_times_are_those_of_the_rows() -> None:
    (event,) = found(0.1, 0.55, 0.9, fps=3, least_s=0)
    assert [event.to_dict()[name] for name in ("start_s", "end_s")] == [0.3333, 0.6667]


def test_a_share_that_wavers_is_one_event() -> None:
    assert len(found(0.55, 0.45, 0.55, 0.45, 0.55)) == 1
    assert len(found(0.55, 0.55, 0.55, 0.3, 0.55, 0.55, 0.55)) == 2


def test_short_ones_do_not_count() -> None:
    assert not found(0.1, 0.9, 0.9, 0.1)
    assert len(found(0.1, 0.9, 0.9, 0.1, least_s=0)) == 1


def test_a_face_may_be_out_of_sight_for_a_while() -> None:
    assert len(found(0.9, 0.9, 0.9, *[None] * 5, 0.9, 0.9)) == 1
    assert len(found(0.9, 0.9, 0.9, *[None] * 15, 0.9, 0.9, 0.9)) == 2


def test_few_frames_a_second_do_not_part_an_event() -> None:
    assert [event.frames for event in found(0.9, 0.9, 0.9, fps=0.5)] == [3]


def test_an_expression_follows_another_at_once() -> None:
    events = Events()
    for step in range(10):
        name = "happiness" if step < 5 else "sadness"
        ended = events.update(step / 10, {1: shares(**{name: 0.8})})
        assert [event.expression for event in ended] == ["happiness"] * (step == 5)
    assert [event.expression for event in events.finish()] == ["sadness"]


def test_faces_have_events_of_their_own() -> None:
    events = Events()
    for step in range(5):
        events.update(step / 10, {1: shares(happiness=0.8), 2: shares(sadness=0.7), 3: shares()})
    assert [(event.track, event.expression) for event in events.finish()] == [
        (1, "happiness"),
        (2, "sadness"),
    ]
    assert events.finish() == []


def test_thresholds_must_be_in_order() -> None:
    with pytest.raises(UsageError, match="leave <= enter"):
        Events(enter=0.3, leave=0.5)
