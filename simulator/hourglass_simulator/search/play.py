"""Plays a plan, watched by every oracle."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any
from zlib import crc32

from hourglass_kube.types import JSON
from hourglass_operator.transport.calls import Request
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.harness.cache_check import differences
from hourglass_simulator.harness.operator import SimulatedOperator
from hourglass_simulator.harness.target import LEASE
from hourglass_simulator.kubernetes.version import version
from hourglass_simulator.scenario.actions import calls
from hourglass_simulator.scenario.backend import Change, RefusedError, Write
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History, key_of
from hourglass_simulator.scenario.run import OBSERVED
from hourglass_simulator.scenario.waiting import settle
from hourglass_simulator.search.census import Census
from hourglass_simulator.search.monitors import MONITORS
from hourglass_simulator.search.monitors.monitor import Judge, Seen
from hourglass_simulator.search.objects import OPERATOR
from hourglass_simulator.search.plan import Plan, moment

_LOGGER = logging.getLogger("hourglass_operator")
SETTLES, CACHE, ANEW, ERROR, LEADER = "settles", "cache", "anew", "error", "leader"
"""Oracles that are no monitors of changes."""
_UNDER_WAY = 1.0
"""Seconds in which the last events of a run arrive."""
_NO_RESYNC = 1e6
"""Seconds: beyond the end of any run, as a look at everything would hide what was forgotten."""
_TO_START = 40.0
"""Seconds in which an operator takes over from one that has crashed, and does what is due."""
_ANEW_OF = 4
"""Of so many seeds one ends with an operator that starts anew, which takes as long as half a run.

Files have the seed 0, and so has each single trouble."""
_LATE = ("events-missed", "late-events", "stale-cache")
"""Faults by which one of two replicas may know of a change, and the other not."""
_NEWS = 10.0
"""Seconds in which a replica that lags behind the other comes to know of a pod."""
_MOST_RECORDS, _MOST_STEPS = 5_000, 100_000
"""Changes and writes of one run, and steps of its clock; ten times as many as of any that ends."""
_ENOUGH = 20
"""Findings of one run; what comes after so many says nothing new."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What should not have been; `time` is seconds since the start."""

    time: float
    oracle: str
    subject: str
    expected: str
    seen: str

    def __str__(self) -> str:
        return f"{self.oracle}: {self.subject}: expected {self.expected}; {self.seen}"


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a plan. The same plan and seed have the same digest."""

    findings: tuple[Finding, ...]
    refused: frozenset[int]
    """Numbers of the plan's steps that the API server refused, or that were not possible."""
    coverage: frozenset[str]
    duration: float
    """Seconds of the plan's own time."""
    digest: str


def play(plan: Plan, seed: int = 0, census: Census | None = None) -> Played:
    """Play a plan to its end."""
    return _Play(plan, seed, census).result()


class _Errors(logging.Handler):
    """Errors that the operator logs and survives."""

    def __init__(self, raised: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._raised = raised

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        error = record.exc_info[1] if record.exc_info else None
        cause = f" ({type(error).__name__}: {error})" if error else ""
        self._raised(record.getMessage() + cause)


class _EnoughError(Exception):
    """There is no point in going on."""


class _Backend(SimulatedBackend):
    """Ends the run when `is_enough()` says so."""

    is_enough: Callable[[], bool]
    steps = 0

    def advance(self, until: float, stop: Callable[[], bool]) -> None:
        """See Backend; raises _EnoughError."""
        clock = self.cluster.clock
        self.happened = False
        while clock.step(until):
            self.steps += 1
            if self.steps > _MOST_STEPS:
                raise _EnoughError
            if self.happened:
                self.happened = False
                if self.is_enough():
                    raise _EnoughError
                if stop():
                    return
        clock.run_until(until)


class _Play:
    """One run; the backend notifies it of every change and write."""

    def __init__(self, plan: Plan, seed: int, census: Census | None) -> None:
        wanted = plan.scenario.cluster
        self._plan = plan
        self._seed = seed
        self._backend = _Backend(
            seed, version(wanted.kubernetes), managed_fields=wanted.managed_fields
        )
        self._backend.is_enough = self._is_enough
        self._census = census
        self._history = History(lambda: self._backend.now)
        faults = {name for step in plan.steps for name in step.fault or ()}
        # They undo each other's work without end, which nothing but a Lease prevents.
        self._may_disagree = "two-leaders" in faults and not faults.isdisjoint(_LATE)
        self._writer = 0
        """Number of the replica that writes."""
        self._made: dict[str, tuple[int, float]] = {}
        """By uid: the replica that has made a pod, and when."""
        self._monitors = [make(self._history) for make in MONITORS]
        for monitor in self._monitors:
            monitor.calm_since = self._calm_since
        self._judges: dict[str, list[tuple[str, Judge]]] = {}
        for monitor in self._monitors:
            monitor.is_news = self._is_news
            monitor.may_disagree = self._may_disagree
            for resource, judge in monitor.changes.items():
                self._judges.setdefault(resource, []).append((monitor.oracle, judge))
        self._epoch = self._backend.cluster.clock.epoch
        self._by = ""
        self._anew = False
        self._findings: list[Finding] = []
        self._refused: set[int] = set()
        self._coverage: set[str] = set()
        self._digest = 0
        self._errors = _Errors(self._raised)

    # What the backend notifies of, and whose call it is

    def before(self, call: Call) -> None:
        """See Interceptor: whatever changes until the next call is by this user."""
        if call.mutating:
            self._by = call.user

    def after(self, call: Call) -> None:
        """See Interceptor."""

    def changed(self, change: Change) -> None:
        """See Observer."""
        resource, obj = change.resource, change.object
        key = key_of(obj)
        before = self._history.get(resource, key)
        if resource == "pods" and change.type == "ADDED" and self._by == OPERATOR:
            self._made[obj["metadata"]["uid"]] = self._writer, change.time
        if judges := self._judges.get(resource):
            now = change.time
            seen = Seen(now, self._epoch + now, change.type, obj, before, self._by)
            for oracle, judge in judges:
                if found := tuple(judge(seen)):
                    self._found(oracle, found)
        if self._anew and self._by == OPERATOR and resource not in ("events", "leases"):
            subject = "{} {}/{}".format(resource[:-1], *key)
            expected = "an operator that starts now has nothing to do"
            self._found(ANEW, [Mismatch(subject, expected, change.type)])
        self._history.changed(change)
        if resource == "performers" and change.type != "DELETED":
            self._cover(obj)
        mark = f"{change.time:.6f}{change.type}{resource}{key}{obj['metadata']['resourceVersion']}"
        self._digest = crc32(mark.encode(), self._digest)

    def wrote(self, write: Write) -> None:
        """See Observer."""
        if write.resource == "leases":
            return
        self._history.wrote(write)
        for monitor in self._monitors:
            if found := tuple(monitor.wrote(write)):
                self._found(monitor.oracle, found)
        mark = f"{write.time:.6f}{write.verb}{write.resource}{write.name}{write.code}"
        self._digest = crc32(mark.encode(), self._digest)

    # The run

    def result(self) -> Played:
        """Run, and say what came of it."""
        _LOGGER.addHandler(self._errors)
        try:
            self._run()
        except _EnoughError:
            if len(self._findings) < _ENOUGH and not self._may_disagree:
                expected = f"at most {_MOST_RECORDS} changes and {_MOST_STEPS} steps in a run"
                self._found(ERROR, [Mismatch("the operator", expected, "more")])
        except Exception as error:
            self._raised(f"{type(error).__name__}: {error}")
        finally:
            _LOGGER.removeHandler(self._errors)
        return Played(
            tuple(self._findings[:_ENOUGH]),
            frozenset(self._refused),
            frozenset(self._coverage),
            self._backend.now,
            f"{self._digest:08x}",
        )

    def _run(self) -> None:
        scenario, backend = self._plan.scenario, self._backend
        backend.cluster.api.interceptors.append(self)
        for replica in (backend.target.operator, backend.target.second):
            replica.resync(_NO_RESYNC)
            replica.on_write.append(partial(self._asks, replica))
            if scenario.cluster.operator_replicas > 1:
                replica.on_write.append(partial(self._writes, replica))
        if self._census is not None:
            self._census.begin(backend)
        backend.start(scenario.cluster, scenario.namespace, self._observed(), self)
        for number, step in enumerate(self._plan.steps):
            if moment(step) > backend.now:
                backend.advance(moment(step), lambda: False)
            try:
                for call in calls(backend, step):
                    call()
            except RefusedError:
                self._refused.add(number)
        found = settle(backend, self._history, scenario.settles, scenario.namespace)
        self._found(SETTLES, found)
        cache = backend.target.operator.cache
        if cache is not None and not found:
            backend.advance(backend.now + _UNDER_WAY, lambda: False)
            self._found(CACHE, tuple(differences(cache, backend.cluster.api)))
            for monitor in self._monitors:
                self._found(monitor.oracle, monitor.settled())
            if self._seed % _ANEW_OF == 0:
                self._starts_anew()

    def _starts_anew(self) -> None:
        """Whatever an operator changes that starts now was left undone by the one before it."""
        self._anew = True
        self._backend.target.operator.start()
        self._backend.advance(self._backend.now + _TO_START, lambda: False)

    def _observed(self) -> Sequence[str]:
        expected = (objects.resource for objects in self._plan.scenario.settles.objects)
        return sorted({*OBSERVED, *expected})

    def _asks(self, replica: SimulatedOperator, when: str, request: Request) -> None:
        """What has been suspended counts as another process, which is asked for less."""
        if when == "before":
            self._writer = 1 if replica is self._backend.target.operator else 2
            process = f"{self._writer} since {replica.awake_since}"
            for monitor in self._monitors:
                self._found(monitor.oracle, monitor.asks(process, request))

    def _is_news(self, pod: JSON) -> bool:
        maker, made = self._made.get(pod["metadata"]["uid"], (self._writer, 0.0))
        return maker != self._writer and self._backend.now - made < _NEWS

    def _writes(self, replica: SimulatedOperator, when: str, request: Request) -> None:
        """A replica is about to write: it must be the one that holds the Lease."""
        if when != "before":
            return
        lease = self._backend.cluster.api.get("leases", LEASE[1], LEASE[0])
        holder = lease["spec"].get("holderIdentity")
        if holder != replica.identity:
            seen = f"{replica.identity} does a {request.verb} of {request.resource} {request.name}"
            expected = f"only {holder} writes, which holds the Lease"
            self._found(LEADER, [Mismatch("the operator", expected, seen)])

    def _calm_since(self) -> float:
        """Since the last step of the plan, and since the operator was there again."""
        last = max(map(moment, self._plan.steps), default=0.0)
        return max(last, self._backend.target.operator.awake_since)

    def _is_enough(self) -> bool:
        return len(self._findings) >= _ENOUGH or len(self._history.records) > _MOST_RECORDS

    def _raised(self, text: str) -> None:
        self._found(ERROR, [Mismatch("the operator", "it raises nothing and logs no error", text)])

    def _found(self, oracle: str, mismatches: Iterable[Mismatch]) -> None:
        now = self._backend.now
        self._findings += [
            Finding(now, oracle, each.subject, each.expected, each.seen) for each in mismatches
        ]

    def _cover(self, performer: Any) -> None:
        """Phase and reasons: a combination that is new is worth a seed."""
        status = performer.get("status") or {}
        words = chain(
            (status.get("phase", ""),),
            (f"{each['status'][0]}{each['reason']}" for each in status.get("conditions") or ()),
        )
        self._coverage.add(" ".join(words))
