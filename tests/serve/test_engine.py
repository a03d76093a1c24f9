"""Readings of many clients on a few threads."""

import asyncio
from typing import Any

import numpy as np
import PIL.ImageFile
import pytest

from mien.serve.engine import Found, Reading
from mien.serve.problems import Problem
from serving import PATIENT, Engine, Limits, StandIn, picture

ONE = picture()


def engine(recognizer: Any, workers: int = 1, **limits: Any) -> Engine:
    from serving import Reader

    reader: Any = Reader
    return Engine(recognizer, Limits(**limits), workers=workers, open_reader=reader)


async def until(true: Any) -> None:
    async with asyncio.timeout(PATIENT):
        while not true():
            await asyncio.sleep(0.005)


def test_pixels_are_read_as_files_are() -> None:
    image = np.zeros((20, 30, 3), np.uint8)

    async def read() -> list[Found]:
        return await served.read([image, ONE], served.usual)

    with engine(StandIn()) as served:
        first, second = asyncio.run(read())
    assert (first.size_hw, second.size_hw) == ((20, 30), (48, 48))


def test_threads_share_what_waits() -> None:
    slow = StandIn()
    slow.gate.clear()

    async def read() -> None:
        all_of_it = asyncio.create_task(served.read([ONE] * 6, served.usual))
        await until(lambda: len(slow.batches) == 2)
        slow.gate.set()
        await all_of_it

    with engine(slow, workers=2) as served:
        asyncio.run(read())
    assert sorted(slow.batches[:2]) == [2, 3]  # either thread may be the first to read
    assert sum(slow.batches) == 6


def test_an_image_that_memory_does_not_hold_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any) -> None:
        raise MemoryError

    with engine(StandIn()) as served, pytest.raises(Problem, match="more memory") as refused:
        monkeypatch.setattr(PIL.ImageFile.ImageFile, "load", fail)
        asyncio.run(served.read([ONE], served.usual))
    assert refused.value.code == "too_many_pixels"


def test_a_broken_image_does_not_spoil_its_batch() -> None:
    stand_in = StandIn()

    async def read() -> list[Found | Problem]:
        return await served.try_read([ONE, ONE[: len(ONE) // 2], ONE, b"none"], served.usual)

    with engine(stand_in) as served:
        first, cut, third, none = asyncio.run(read())
    assert isinstance(first, Found) and isinstance(third, Found)
    assert isinstance(cut, Problem) and cut.code == "broken_image"
    assert isinstance(none, Problem) and none.code == "not_an_image"
    assert stand_in.batches == [3, 1, 1, 1]  # what is no image at all never comes so far


def test_other_readings_share_what_finds_the_faces() -> None:
    stand_in = StandIn()
    wanted = Reading("fer2013", True)

    async def read() -> None:
        await asyncio.gather(*(served.read([ONE], wanted) for _ in range(3)))

    with engine(stand_in) as served:
        asyncio.run(read())
        other = served._recognizers[wanted]
    assert other.reader.options == {"labels": "fer2013", "mirror": True, "balanced": False}  # type: ignore[attr-defined]
    assert other.batches is stand_in.batches  # type: ignore[attr-defined]


def test_what_the_model_cannot_do_is_refused() -> None:
    with engine(StandIn()) as served:
        assert served.checked(Reading("ferplus", False, True))
        with pytest.raises(Problem, match="unknown labels 'fer2012'; did you mean 'fer2013'"):
            served.checked(Reading("fer2012", False))
        with pytest.raises(Problem, match="balanced"):
            served.checked(Reading("fer2013", False, True))


def test_what_is_given_up_is_not_read() -> None:
    slow = StandIn()
    slow.gate.clear()

    async def read() -> None:
        running = asyncio.create_task(served.read([ONE], served.usual))
        await until(lambda: slow.batches)
        given_up = asyncio.create_task(served.read([ONE], served.usual))
        await until(lambda: served.waiting)
        given_up.cancel()
        await asyncio.sleep(0)
        slow.gate.set()
        await running

    with engine(slow) as served:
        asyncio.run(read())
    assert slow.batches == [1]


def test_more_than_the_queue_bears_is_refused_whole() -> None:
    async def read(count: int) -> None:
        await served.read([ONE] * count, served.usual)

    with engine(StandIn(), queue=4) as served:
        with pytest.raises(Problem, match="wait already"):
            asyncio.run(read(5))
        asyncio.run(read(4))


def test_closing_refuses_what_waits_and_finishes_what_is_read() -> None:
    slow = StandIn()
    slow.gate.clear()

    async def read() -> tuple[list[Found], list[Found | Problem]]:
        running = asyncio.create_task(served.read([ONE], served.usual))
        await until(lambda: slow.batches)
        waiting = asyncio.create_task(served.try_read([ONE], served.usual))
        await until(lambda: served.waiting)
        closing = asyncio.create_task(asyncio.to_thread(served.close))
        answer = await waiting
        slow.gate.set()
        await closing
        return await running, answer

    with engine(slow) as served:
        (found,), (problem,) = asyncio.run(read())
    assert found.predictions
    assert isinstance(problem, Problem) and problem.code == "stopping"


def test_a_batch_waits_a_moment_for_what_is_arriving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Engine.read.__globals__, "WINDOW_S", PATIENT)
    stand_in = StandIn()

    async def read() -> None:
        served.arriving += 1
        first = asyncio.create_task(served.read([ONE], served.usual))
        await until(lambda: served.waiting)
        await asyncio.sleep(0.05)
        assert not stand_in.batches
        served.arriving -= 1
        await asyncio.gather(first, served.read([ONE], served.usual))

    with engine(stand_in) as served:
        asyncio.run(read())
    assert stand_in.batches == [2]
