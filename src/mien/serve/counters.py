"""What /metrics tells: counts and times, of no image and of no client."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mien.serve.engine import BATCH
from mien.serve.live import Live
from mien.serve.uploads import Gate

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Counters(Collector):
    """The counts of one server."""

    def __init__(self, gate: Gate, live: Live) -> None:
        self.registry = here = CollectorRegistry()
        self._gate, self._live = gate, live
        labels = ["method", "route", "status"]
        self.requests = Counter("mien_requests", "Requests answered", labels, registry=here)
        self.seconds = Histogram(
            "mien_request_seconds", "Time to the answer", ["route"], buckets=SECONDS, registry=here
        )
        self.faces = Counter("mien_faces", "Faces found", registry=here)
        self.batches = Histogram(
            "mien_batch_images", "Read together", buckets=range(1, BATCH + 1), registry=here
        )
        ProcessCollector(registry=here)
        here.register(self)
        gate.engine.seen = self.seen

    def seen(self, images: int, faces: int) -> None:
        """Count a batch."""
        self.batches.observe(images)
        self.faces.inc(faces)

    def collect(self) -> Iterator[Metric]:
        """Tell what is so at this moment."""
        yield GaugeMetricFamily("mien_requests_inside", "Being answered", self._gate.inside)
        yield GaugeMetricFamily("mien_held_bytes", "Of requests inside", self._gate.held_bytes)
        yield GaugeMetricFamily("mien_images_waiting", "In the queue", self._gate.engine.waiting)
        yield GaugeMetricFamily("mien_live_clients", "Served live", self._live.clients)
        yield CounterMetricFamily("mien_live_frames_read", "Answered", self._live.read)
        yield CounterMetricFamily("mien_live_frames_dropped", "Too late", self._live.dropped)
