"""Readings for many clients at once: a queue, and a few threads that read what waits together."""

import asyncio
import copy
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import groupby
from typing import ParamSpec, TypeVar

from mien import images, occlusion
from mien.errors import DataError, InputError, unknown_name
from mien.images import Image
from mien.live.reading import LiveRecognizer
from mien.recognizer import ExpressionReader
from mien.records import Prediction
from mien.serve.limits import Limits
from mien.serve.problems import Problem, unreadable
from mien.session import Output

BATCH = 4
# So long a batch waits for requests whose first bytes have come.
WINDOW_S = 0.003

P = ParamSpec("P")
Result = TypeVar("Result")


@dataclass(frozen=True, order=True)
class Reading:
    """How faces are read: what `ExpressionReader` calls the same."""

    labels: str
    mirror: bool
    balanced: bool = False


@dataclass(frozen=True)
class Found:
    """The faces of an image of that height and width, and the seconds from queue to answer.

    image: the pixels that were read, where a part of the faces was hidden in them.
    """

    predictions: list[Prediction]
    size_hw: tuple[int, int]
    seconds: float
    image: Image | None = None


@dataclass
class _Job:
    """An image that waits: the bytes of a file, or pixels.

    follower: what reads it, where it is the next of one view; hide: what hides a part of its faces.
    """

    source: bytes | Image
    reading: Reading
    follower: LiveRecognizer | None = None
    hide: str = occlusion.NONE
    future: Future[Found] = field(default_factory=Future)
    queued: float = field(default_factory=time.perf_counter)
    size_hw: tuple[int, int] = (0, 0)


class Engine:
    """Reads images on `workers` threads; each takes its share of what waits, at most a batch.

    `arriving` counts requests that are being received: while there are some, a batch that is not
    full waits a moment for them. `seen` is told of every batch: its length and the faces in it.
    `open_reader` opens the recognizer's model for another reading, as `ExpressionReader` does.
    """

    def __init__(
        self,
        recognizer: LiveRecognizer,
        limits: Limits | None = None,
        *,
        workers: int = 1,
        open_reader: Callable[..., ExpressionReader] = ExpressionReader,
    ) -> None:
        self.limits = limits or Limits()
        self.metadata = recognizer.reader.metadata
        self.usual = Reading(next(iter(self.outputs)), recognizer.reader.mirror)
        self.seen: Callable[[int, int], None] = lambda images, faces: None
        self.arriving = 0
        self._workers = workers
        self._open_reader = open_reader
        self._base = recognizer
        self._recognizers = {self.usual: recognizer}
        self._waiting: deque[_Job] = deque()
        self._ready = threading.Condition()
        self._opening = threading.Lock()
        self._closed = False
        self._pool = ThreadPoolExecutor(workers)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def outputs(self) -> dict[str, Output]:
        """The answers to choose among, by the name that a reading calls `labels`."""
        return self.metadata.of_kind("expression")

    @property
    def waiting(self) -> int:
        """How many images wait."""
        return len(self._waiting)

    @property
    def open(self) -> bool:
        """Say whether images are taken at all."""
        return not self._closed

    def checked(self, reading: Reading) -> Reading:
        """Give a reading that the model can do, or raise what is wrong with it."""
        if reading.labels not in self.outputs:
            raise Problem("invalid", unknown_name("labels", reading.labels, self.outputs))
        if reading.balanced and not self.outputs[reading.labels].prior:
            raise Problem("invalid", "the model does not tell what balanced answers need")
        return reading

    async def read(self, sources: Sequence[bytes | Image], reading: Reading) -> list[Found]:
        """Read all images, or raise what is wrong with the first that cannot be read."""
        return [_found(answer) for answer in await self.try_read(sources, reading)]

    async def try_read(
        self, sources: Sequence[bytes | Image], reading: Reading
    ) -> list[Found | Problem]:
        """Read images; give what is wrong with one in its place."""
        return await self._answers([_Job(source, reading) for source in sources])

    def follower(self, reading: Reading) -> LiveRecognizer:
        """Give what reads the pictures of one view for one client, one after the other."""
        return self._recognizer(reading).following()

    async def follow(
        self, source: bytes | Image, reading: Reading, follower: LiveRecognizer, hide: str
    ) -> Found:
        """Read the next picture of a view with its follower; to hide a part, it must be pixels."""
        (answer,) = await self._answers([_Job(source, reading, follower, hide)])
        return _found(answer)

    async def _answers(self, jobs: Sequence[_Job]) -> list[Found | Problem]:
        self._submit(jobs)
        waits = [asyncio.wrap_future(job.future) for job in jobs]
        answers = await asyncio.gather(*waits, return_exceptions=True)
        return [_answer(answer) for answer in answers]

    async def run(self, work: Callable[P, Result], *args: P.args, **named: P.kwargs) -> Result:
        """Do other work than reading beside it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(work, *args, **named))

    def close(self) -> None:
        """Finish what is being read, refuse what waits."""
        with self._ready:
            self._closed = True
            left = list(self._waiting)
            self._waiting.clear()
            self._ready.notify_all()
        for job in left:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(_stopping())
        for thread in self._threads:
            thread.join()
        self._pool.shutdown()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _submit(self, jobs: Sequence[_Job]) -> None:
        with self._ready:
            if self._closed:
                raise _stopping()
            if len(self._waiting) + len(jobs) > self.limits.queue:
                raise Problem("busy", f"{len(self._waiting)} images wait already")
            self._waiting.extend(jobs)
            self._ready.notify_all()

    def _work(self) -> None:
        while jobs := self._taken():
            alive = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            opened = sorted(filter(self._opened, alive), key=lambda job: job.reading)
            together = [job for job in opened if job.follower is None]
            for reading, group in groupby(together, key=lambda job: job.reading):
                self._read(reading, list(group))
            for job in opened:
                if job.follower is not None:
                    self._follow(job, job.follower)

    def _taken(self) -> list[_Job]:
        """Wait for images; take this thread's share of them, nothing once all is closed."""
        with self._ready:
            while not self._closed:
                self._ready.wait_for(lambda: self._waiting or self._closed)
                self._ready.wait_for(self._enough, WINDOW_S)
                share = min(BATCH, -(-len(self._waiting) // self._workers))
                if share:  # another thread may have been quicker
                    return [self._waiting.popleft() for _ in range(share)]
        return []

    def _enough(self) -> bool:
        return not self.arriving or len(self._waiting) >= BATCH or self._closed

    def _opened(self, job: _Job) -> bool:
        """Learn the size of an image before it is decoded; refuse what is none, or too large."""
        try:
            if isinstance(job.source, bytes):
                job.size_hw = images.size_hw(job.source, pixels=self.limits.pixels)
            else:
                job.size_hw = job.source.shape[0], job.source.shape[1]
        except InputError as error:
            job.future.set_exception(unreadable(error, "not_an_image"))
        except Exception as error:  # whatever it is, the thread must go on
            job.future.set_exception(error)
        return not job.future.done()

    def _read(self, reading: Reading, jobs: Sequence[_Job]) -> None:
        try:
            found = list(self._recognizer(reading).many([job.source for job in jobs]))
        except InputError as error:
            if len(jobs) == 1:
                jobs[0].future.set_exception(unreadable(error, "broken_image"))
            else:  # the others are not to suffer from one that is broken
                for job in jobs:
                    self._read(reading, [job])
        except Exception as error:  # as above
            for job in jobs:
                job.future.set_exception(error)
        else:
            self.seen(len(jobs), sum(map(len, found)))
            for job, predictions in zip(jobs, found, strict=True):
                self._finish(job, predictions)

    def _follow(self, job: _Job, follower: LiveRecognizer) -> None:
        try:
            if isinstance(job.source, bytes):
                image, found = None, follower(job.source)
            else:
                image, found = follower.hiding(job.source, job.hide)
        except InputError as error:
            job.future.set_exception(unreadable(error, "broken_image"))
        except DataError as error:
            told = f"{job.hide} cannot be drawn on a face: {error}"
            job.future.set_exception(Problem("invalid", told))
        except Exception as error:  # as above
            job.future.set_exception(error)
        else:
            self.seen(1, len(found))
            self._finish(job, found, image)

    def _finish(self, job: _Job, predictions: list[Prediction], image: Image | None = None) -> None:
        most, count = self.limits.faces, len(predictions)
        if count > most:
            text = f"the image shows {count} faces, more than {most}"
            job.future.set_exception(Problem("too_many_faces", text))
        else:
            took = time.perf_counter() - job.queued
            job.future.set_result(Found(predictions, job.size_hw, took, image))

    def _recognizer(self, reading: Reading) -> LiveRecognizer:
        """Give the recognizer for a reading; all share what finds the faces."""
        with self._opening:
            if reading not in self._recognizers:
                made = copy.copy(self._base)
                made.reader = self._open_reader(**asdict(reading))
                self._recognizers[reading] = made
            return self._recognizers[reading]


def _stopping() -> Problem:
    return Problem("stopping", "the server is being stopped")


def _answer(answer: Found | BaseException) -> Found | Problem:
    if isinstance(answer, BaseException) and not isinstance(answer, Problem):
        raise answer
    return answer


def _found(answer: Found | Problem) -> Found:
    if isinstance(answer, Problem):
        raise answer
    return answer
