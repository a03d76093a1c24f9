"""Work in threads, results in order."""

import threading
import time
from collections.abc import Iterator

import pytest

from mien.cli import _jobs


@pytest.mark.parametrize("jobs", [1, 3])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    def work(item: int) -> int:
        time.sleep(0.001 * (item % 3))
        return item * 2

    assert list(_jobs.in_order(work, range(40), jobs)) == list(range(0, 80, 2))


def test_no_more_is_begun_than_can_be_held() -> None:
    begun: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            begun.append(item)
            yield item

    results = _jobs.in_order(lambda item: item, items(), jobs=2)
    next(results)
    assert len(begun) <= 2 * _jobs.AHEAD
    results.close()


def test_an_error_stops_what_has_not_begun() -> None:
    done: list[int] = []
    go_on = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            raise ValueError("the first")
        go_on.wait(5)
        done.append(item)
        return item

    with pytest.raises(ValueError, match="the first"):
        list(_jobs.in_order(work, range(100), jobs=2))
    go_on.set()
    assert len(done) <= 2
