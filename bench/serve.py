"""How many photographs a second clients get from `mien serve`, how late, and for how long."""

import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench import pictures
from bench.processes import START
from bench.report import Report, Table, milliseconds, size
from mien.cli import _jobs
from mien.errors import MienError
from mien.progress import cores, track
from mien.recognizer import Recognizer

SEED = 816
PHOTOGRAPHS = 64
SETTLED = 0.2  # of the time under load, after which memory should have stopped to grow
LEAST_SHARE, MOST_LATE = 0.8, 2.0
SAMPLE_S = 2.0


@dataclass
class Load:
    """What clients saw: seconds of each photograph that was answered, and all statuses."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    took: float = 0.0
    memory: list[int] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.took

    def percentile(self, share: float) -> float:
        return float(np.quantile(self.seconds, share)) if self.seconds else float("nan")


def measure(clients: int, seconds: float, rounds: int, minutes: float, quiet: bool) -> Report:
    """Measure by turns what `mien predict` reads and what clients get, then load it for long."""
    report = Report("serve")
    with tempfile.TemporaryDirectory() as scratch, server() as (process, port):
        paths = pictures.photographs(Path(scratch), PHOTOGRAPHS, np.random.default_rng(SEED))
        requests = [request(path.read_bytes()) for path in paths]

        def loaded(many: int, time_s: float) -> Load:
            return load(process.pid, port, requests, many, time_s)

        loaded(clients, seconds / 4)  # warms what is to be warm
        _against_predict(report, paths, lambda: loaded(clients, seconds), clients, rounds, quiet)
        _overload(report, loaded(4 * clients, seconds), 4 * clients, port)
        if minutes:
            _endurance(report, loaded(clients, 60 * minutes), minutes)
    return report


def _against_predict(
    report: Report,
    paths: Sequence[Path],
    served: Callable[[], Load],
    clients: int,
    rounds: int,
    quiet: bool,
) -> None:
    recognizer = Recognizer(threads=1)
    predicted, loads = [], []
    for _ in track(range(rounds), description="rounds", quiet=quiet):
        start = time.perf_counter()
        list(_jobs.in_order(recognizer, [*paths, *paths], cores()))
        predicted.append(2 * len(paths) / (time.perf_counter() - start))
        loads.append(served())
    # Each round compares neighbours in time, so that a busy moment meets both.
    shares = [load.rate / rate for rate, load in zip(predicted, loads, strict=True)]
    lates = [
        load.percentile(0.99) * rate / clients for rate, load in zip(predicted, loads, strict=True)
    ]
    middle = sorted(range(rounds), key=shares.__getitem__)[rounds // 2]
    rate, load = predicted[middle], loads[middle]
    report.figures["throughput"] = {
        "predict_per_second": rate,
        "serve_per_second": load.rate,
        "share": shares[middle],
        "shares": shares,
        "p50_seconds": load.percentile(0.5),
        "p99_seconds": load.percentile(0.99),
        "p99_of_clients_over_rate": lates[middle],
        "all_p99_of_clients_over_rate": lates,
        "statuses": sum((each.statuses for each in loads), Counter()),
    }
    rows = [
        ("mien predict, a second", f"{rate:.1f}", ""),
        (f"mien serve, {clients} clients, a second", f"{load.rate:.1f}", ""),
        ("share", f"{shares[middle]:.2f}", f"at least {LEAST_SHARE}"),
        ("half are answered within", milliseconds(load.percentile(0.5)), ""),
        ("99 % are answered within", milliseconds(load.percentile(0.99)), ""),
        (f"that, times rate / {clients}", f"{lates[middle]:.2f}", f"at most {MOST_LATE}"),
    ]
    note = f"640x480 JPEGs; the middle of {rounds} rounds by turns; clients on the same cores"
    report.tables.append(Table("Photographs", ("what", "measured", "bar"), rows, note))


def _overload(report: Report, load: Load, clients: int, port: int) -> None:
    alive = status_of(port, b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n")
    report.figures["overload"] = {"statuses": load.statuses, "rate": load.rate, "alive": alive}
    rows = [(str(status), str(count)) for status, count in sorted(load.statuses.items())]
    rows.append(("/healthz afterwards", str(alive)))
    note = f"{load.rate:.1f} photographs a second meanwhile"
    report.tables.append(Table(f"{clients} clients at once", ("status", "answers"), rows, note))


def _endurance(report: Report, load: Load, minutes: float) -> None:
    settled = load.memory[int(SETTLED * len(load.memory)) :]
    half = len(settled) // 2
    before, after = (int(np.median(part)) for part in (settled[:half], settled[half:]))
    report.figures["endurance"] = {
        "minutes": minutes,
        "answers": load.statuses,
        "memory_bytes": load.memory,
        "medians": [before, after],
        "growth_share": after / before - 1,
    }
    rows = [
        ("first half", size(before)),
        ("second half", size(after)),
        ("growth", f"{100 * (after / before - 1):+.2f} %"),
        ("most", size(max(load.memory))),
    ]
    note = f"{load.statuses.total()} answers in {minutes:g} minutes; the first fifth left out"
    report.tables.append(Table("Memory under load", ("median of", "memory"), rows, note))


@contextmanager
def server(*words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start `mien serve` on a free port; end it when all is measured."""
    command = [sys.executable, "-c", START, "serve", "--port", "0", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        if not found:
            raise MienError(f"the server did not start: {line}{process.stderr.read()}")
        yield process, int(found[1])
    finally:
        process.terminate()
        process.communicate()


def load(pid: int, port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Let so many clients ask one photograph after another, each as soon as it has its answer."""
    found, start = Load(), time.perf_counter()
    threads = [
        threading.Thread(
            target=_client, args=(found, port, requests[number % len(requests) :], start + seconds)
        )
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        found.memory.append(memory(pid))
        time.sleep(min(SAMPLE_S, seconds / 10))
    found.took = time.perf_counter() - start
    return found


def _client(found: Load, port: int, requests: Sequence[bytes], end: float) -> None:
    try:
        _asks(found, port, requests, end)
    except (OSError, IndexError):  # the server hung up
        found.statuses[0] += 1


def _asks(found: Load, port: int, requests: Sequence[bytes], end: float) -> None:
    with socket.create_connection(("127.0.0.1", port)) as door, door.makefile("rb") as stream:
        number = 0
        while (start := time.perf_counter()) < end:
            door.sendall(requests[number % len(requests)])
            status = _status(stream)
            found.statuses[status] += 1
            if status == 200:
                found.seconds.append(time.perf_counter() - start)
            elif status == 429:
                time.sleep(0.05)
            number += 1


def request(photograph: bytes) -> bytes:
    """Write all of a request at once, so that the client costs next to nothing."""
    head = (
        "POST /v1/predict HTTP/1.1\r\nHost: bench\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {len(photograph)}\r\n\r\n"
    )
    return head.encode() + photograph


def status_of(port: int, message: bytes) -> int:
    """Ask once."""
    with socket.create_connection(("127.0.0.1", port)) as door, door.makefile("rb") as stream:
        door.sendall(message)
        return _status(stream)


def _status(stream: Any) -> int:
    status, length = int(stream.readline().split()[1]), 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    stream.read(length)
    return status


def memory(pid: int) -> int:
    """Read the bytes that a process holds in memory."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", text)[0]) * 1024
