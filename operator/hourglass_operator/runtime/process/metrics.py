"""Prometheus metrics, all named `hourglass_performer_*`; docs/metrics.md is made from them."""

from collections import Counter as Count
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

PREFIX = "hourglass_performer"

_SHORT = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LONG = (1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)

PhaseAndReason = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Description:
    """A metric, for the reference; a counter's name ends in `_total`."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


class Metrics:
    """One per process; `registry` is what is served."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.described: list[Description] = []
        self.passes = self._counter(
            "passes",
            "Passes by result: unchanged (nothing to write), written, failed (a write was not"
            " done), error (a mistake in the operator).",
            "result",
        )
        self.queue_latency = self._histogram(
            "queue_latency_seconds",
            "From the moment a pass is due, and this replica may make it, to its begin.",
            _SHORT,
        )
        self.pass_duration = self._histogram(
            "pass_duration_seconds", "From the begin of a pass to its last answer.", _SHORT
        )
        self.queue_depth = self._gauge(
            "queue_depth", "Performers whose pass is due and has not begun; 0 on a standby."
        )
        self.api_calls = self._counter(
            "api_calls", "Calls to the API server; code 0: no answer.", "verb", "resource", "code"
        )
        self.api_call_duration = self._histogram(
            "api_call_duration_seconds", "Time to an answer.", _SHORT, "verb", "resource"
        )
        self.watch_restarts = self._counter(
            "watch_restarts", "Times that the watch of Performers began anew."
        )
        self.time_to_running = self._histogram(
            "time_to_running_seconds", "From a Performer's creation to its first Running.", _LONG
        )
        self.upgrades = self._counter(
            "upgrades",
            "Upgrades that ended, by result: succeeded, failed, reverted (the spec went back to"
            " what serves).",
            "result",
        )
        self.leader = self._gauge("leader", "1 if this replica leads.")
        self.synced = self._gauge("synced", "1 if the whole cluster is known and watched.")

        self._calls: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        """By verb, resource and code: looking labels up costs more than counting."""

    def called(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Count a call to the API server."""
        found = self._calls.get((verb, resource, code))
        if found is None:
            found = self._calls[verb, resource, code] = (
                self.api_calls.labels(verb, resource, str(code)),
                self.api_call_duration.labels(verb, resource),
            )
        found[0].inc()
        found[1].observe(seconds)

    def watch_events(self, received: Mapping[str, int]) -> None:
        """Serve how many events have been received, by resource, counted when asked."""
        collector = _WatchEvents(received)
        self.described.append(collector.description)
        self.registry.register(collector)

    def performers(self, now: Callable[[], Iterable[PhaseAndReason]]) -> None:
        """Serve how many Performers there are by phase and reason, counted when asked."""
        collector = _Performers(now)
        self.described.append(collector.description)
        self.registry.register(collector)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        full = f"{PREFIX}_{name}_total"
        self.described.append(Description(full, "counter", labels, help_text))
        return Counter(full, help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str) -> Gauge:
        full = f"{PREFIX}_{name}"
        self.described.append(Description(full, "gauge", (), help_text))
        return Gauge(full, help_text, registry=self.registry)

    def _histogram(
        self, name: str, help_text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        full = f"{PREFIX}_{name}"
        self.described.append(Description(full, "histogram", labels, help_text))
        return Histogram(full, help_text, labels, buckets=buckets, registry=self.registry)


class _Performers(Collector):
    description = Description(
        f"{PREFIX}_performers",
        "gauge",
        ("phase", "reason"),
        "Performers by phase and by the reason of their Ready condition.",
    )

    def __init__(self, now: Callable[[], Iterable[PhaseAndReason]]) -> None:
        self._now = now

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Count."""
        description = self.description
        family = GaugeMetricFamily(description.name, description.help, labels=description.labels)
        for (phase, reason), count in sorted(Count(self._now()).items()):
            family.add_metric([phase, reason], count)
        return [family]


class _WatchEvents(Collector):
    description = Description(
        f"{PREFIX}_watch_events_total", "counter", ("resource",), "Objects and events received."
    )

    def __init__(self, received: Mapping[str, int]) -> None:
        self._received = received

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Count."""
        description = self.description
        family = CounterMetricFamily(description.name, description.help, labels=description.labels)
        for resource, count in sorted(self._received.items()):
            family.add_metric([resource], count)
        return [family]
