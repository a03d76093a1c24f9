"""Work shared among threads: image decoding and onnxruntime both let others run meanwhile."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 4  # results a thread that may wait for an earlier one


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    jobs: int,
    *,
    ahead: int = AHEAD,
    wait: bool = False,
) -> Generator[Result, None, None]:
    """Yield the result of each item in the items' order, however many are worked on at once.

    `ahead` times `jobs` items are held at once. Who stops early waits for what is begun only if
    asked to.
    """
    pool = ThreadPoolExecutor(jobs)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= ahead * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=wait, cancel_futures=True)
