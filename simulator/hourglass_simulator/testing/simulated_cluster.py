"""A simulated cluster in the process of a test."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.clock import EPOCH
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.faults import FaultNotPossibleError, Undo
from hourglass_simulator.harness.setup import set_up
from hourglass_simulator.http.router import Router
from hourglass_simulator.kubernetes.version import version
from hourglass_simulator.scenario import duration
from hourglass_simulator.testing import explain, faults
from hourglass_simulator.testing.client import DEFAULT_NAMESPACE, Client
from hourglass_simulator.testing.options import Options
from hourglass_simulator.testing.recorder import Recorder
from hourglass_simulator.testing.target import FaultTarget
from hourglass_simulator.testing.timeline import Entry, conditions
from hourglass_simulator.testing.writes import Writes

T = TypeVar("T")

TEST = "test"
"""As whom a test makes its calls."""
WITHIN = "5m"
QUIET = 30.0
"""Clients have stopped writing when none has written for so many seconds of the cluster's time."""

LOOK = 1.0
"""What is waited for is looked at after all that happens, and whenever so many seconds passed."""
FILLING = 1.0
"""Seconds after which every namespace has what it comes with."""

Duration = str | float
"""`90s`, `5m`, `1h30m`, or seconds."""


class _Named(NamedTuple):
    kind: str
    name: str
    namespace: str


class SimulatedCluster(Client):
    """A Kubernetes whose time passes when the test says so; its calls are made as `test`.

    What is waited for is a function that returns something true once it holds. While it raises
    LookupError, AssertionError or APIError, it does not hold yet.
    """

    def __init__(self, wanted: Options | None = None, *, epoch: datetime = EPOCH) -> None:
        wanted = wanted or Options()
        cluster = Cluster(
            epoch=epoch,
            version=version(wanted.cluster.kubernetes, resizes_pods=wanted.cluster.resizes_pods),
            managed_fields=True,
        )
        self._begin(wanted, cluster, Router(cluster.api), threading.RLock())

    def _begin(
        self, wanted: Options, cluster: Cluster, router: Router, lock: threading.RLock
    ) -> None:
        super().__init__(cluster.api, router, lock, TEST)
        self.operator = wanted.user
        """The user whose calls faults of the API strike."""
        self._cluster = cluster
        self._target = FaultTarget(cluster, wanted.user, DEFAULT_NAMESPACE, self._drop_watch)
        self._healing: dict[str, list[Undo]] = {}
        self._recorder = Recorder(cluster.api)
        cluster.fill_namespaces()
        cluster.images.push("*")
        set_up(cluster, wanted.cluster, DEFAULT_NAMESPACE)
        if wanted.rbac:
            cluster.api.enable_rbac()
        self.advance(FILLING)
        for file in wanted.manifests:
            self.apply(file)
        self._recorder.forget()

    # Time

    @property
    def now(self) -> float:
        """Seconds of the cluster's time since its start."""
        return self._cluster.clock.now

    @property
    def time(self) -> datetime:
        """The cluster's time."""
        clock = self._cluster.clock
        return datetime.fromtimestamp(clock.epoch, UTC) + timedelta(seconds=clock.now)

    def advance(self, by: Duration) -> None:
        """Let time pass at once; everything that is due in it happens before this returns."""
        with self._lock:
            self._cluster.run_until(self.now + seconds(by))

    def wait_until(self, condition: Callable[[], T], within: Duration = WITHIN) -> T:
        """Let time pass until a condition holds; returns what the condition returned.

        Raises AssertionError, which shows what happened, when it does not hold in time.
        """
        return self._wait(condition, within, "the condition does not hold")

    def _wait(
        self, condition: Callable[[], T], within: Duration, claim: str, about: _Named | None = None
    ) -> T:
        found: list[T] = []
        last: Exception | None = None

        def holds() -> bool:
            nonlocal last
            try:
                found[:], last = [condition()], None
            except (LookupError, AssertionError, APIError) as error:
                found[:], last = [], error
            return any(found)

        if self._pass_time(self.now + seconds(within), holds):
            return found[0]
        claim = f"{claim} within {duration.text(seconds(within))} of the cluster's time"
        if last is not None:
            claim += f": {type(last).__name__}: {last}"
        subject = about and self._subject(about)
        text = explain.explanation(claim, subject, self.timeline, self.writes)
        raise AssertionError(text) from last

    def _pass_time(self, until: float, done: Callable[[], bool]) -> bool:
        """Let time pass until then, or until it is done; says whether it is."""
        while not done():
            if self.now >= until:
                return False
            look = min(until, self.now + LOOK)
            if not self._cluster.clock.step(look):
                self._cluster.run_until(look)
        return True

    # What happened

    @property
    def timeline(self) -> list[Entry]:
        """What happened to which object so far; `print(*cluster.timeline, sep="\\n")` shows it."""
        with self._lock:
            return list(self._recorder.entries)

    @property
    def writes(self) -> Writes:
        """What clients wrote so far; `print(cluster.writes)` shows who wrote what how often."""
        with self._lock:
            return Writes(self._recorder.writes)

    def happened(self) -> str:
        """The timeline and the table of writes in text, which pytest shows with a failed test."""
        return explain.happened(self.timeline, self.writes)

    # Assertions

    def assert_condition(
        self,
        kind: str,
        name: str,
        condition: str = "Ready",
        namespace: str = DEFAULT_NAMESPACE,
        *,
        status: str = "True",
        reason: str | None = None,
        within: Duration = WITHIN,
    ) -> JSON:
        """An object has a condition, now or soon; returns the object."""

        def holds() -> JSON | None:
            obj = self.get(kind, name, namespace)
            for found in conditions(obj.get("status")):
                if found["type"] == condition and found.get("status") == status:
                    return obj if reason in (None, found.get("reason")) else None
            return None

        wanted = f"{condition}={status}" + (f" ({reason})" if reason else "")
        named = _Named(self.resource(kind).kind, name, namespace)
        claim = f"{named.kind} {name} does not become {wanted}"
        obj = self._wait(holds, within, claim, named)
        assert obj is not None  # what is waited for is something true
        return obj

    def assert_gone(
        self,
        kind: str,
        name: str,
        namespace: str = DEFAULT_NAMESPACE,
        *,
        within: Duration = WITHIN,
    ) -> None:
        """There is no such object, now or soon."""
        named = _Named(self.resource(kind).kind, name, namespace)
        claim = f"{named.kind} {name} does not go"
        self._wait(lambda: self._find(named) is None, within, claim, named)

    def assert_settles(self, within: Duration = WITHIN) -> None:
        """Clients stop writing, Leases left out: QUIET seconds pass without a write of theirs."""
        start = self.now

        def holds() -> bool:
            times = [write.time for write in self._recorder.writes if write.resource != "leases"]
            return self.now - max(start, *times[-1:]) >= QUIET

        self._wait(holds, within, f"clients do not stop writing for {duration.text(QUIET)}")

    def _subject(self, named: _Named) -> explain.Subject:
        resource = self.resource(named.kind)
        key = (resource.kind, named.namespace if resource.namespaced else "", named.name)
        with self._lock:
            family = self._recorder.family(key)
        return explain.Subject(key, self._find(named), family)

    def _find(self, named: _Named) -> JSON | None:
        try:
            return self.get(named.kind, named.name, named.namespace)
        except APIError as error:
            if error.code != 404:
                raise
            return None

    # Faults

    def inject(self, fault: str, **parameters: Any) -> None:
        """Begin a fault, with names and parameters as in scenarios: docs/faults.md.

        Raises ValueError for what is no fault or no parameter of it, and FaultNotPossibleError for
        one of something that is not there.
        """
        with self._lock:
            begun = self._healing.get(fault, [])
            undo = faults.begin(fault, self._target, parameters, str(len(begun)))
            self._healing[fault] = [*begun, undo]

    def heal(self, fault: str) -> None:
        """End every fault of this name; ValueError when none was injected."""
        with self._lock:
            if fault not in self._healing:
                raise ValueError(f"{fault}: nothing to heal")
            for undo in self._healing.pop(fault):
                undo()

    def _drop_watch(self, resource: str) -> None:
        raise FaultNotPossibleError(f"nobody watches {resource} in a cluster that is not served")


def seconds(given: Duration) -> float:
    """A duration in seconds; ValueError for what is none."""
    return duration.parse(given) if isinstance(given, str) else float(given)
