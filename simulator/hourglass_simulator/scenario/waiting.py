"""Lets time pass until something holds, or until a scenario has settled."""

from collections.abc import Callable

from hourglass_simulator.scenario import duration
from hourglass_simulator.scenario.backend import Backend
from hourglass_simulator.scenario.evaluation import Settlement
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.expectation import Expectation, Settles
from hourglass_simulator.scenario.history import History
from hourglass_simulator.scenario.settled import settles_mismatches


def watch(
    backend: Backend,
    history: History,
    expected: Expectation,
    seconds: float,
    holds: Callable[[], bool],
    *,
    until: bool,
) -> bool:
    """Let time pass until `holds()`, which judges `expected`, is as `until` says.

    False if it never was.
    """
    end = backend.now + seconds
    version, held = history.version, holds()
    while held is not until and backend.now < end:

        def stop() -> bool:
            nonlocal version, held
            if version != history.version:
                version, held = history.version, holds()
            return held is until

        backend.advance(min(end, _quiet_from(history, expected, backend.now, end)), stop)
        held = holds()
    return held is until


def _quiet_from(history: History, expected: Expectation, now: float, otherwise: float) -> float:
    """When `noWritesFor` comes to hold if nothing is written from now on."""
    if expected.no_writes_for is None:
        return otherwise
    moment = history.last_write + expected.no_writes_for
    return moment if moment > now else otherwise


def settle(backend: Backend, history: History, settles: Settles, namespace: str) -> list[Mismatch]:
    """From some moment within the time given on, all is as it should be and nothing written.

    What is not so if there was no such moment; empty if there was.
    """
    settlement = Settlement(settles, history, namespace)
    deadline = backend.now + settles.within
    while True:
        left = max(0.0, deadline - backend.now)
        if not watch(backend, history, settles, left, settlement.holds, until=True):
            within = f"within {duration.text(settles.within)}"
            found = settles_mismatches(settles, history, namespace)
            return [Mismatch(f.subject, f"{f.expected} {within}", f.seen) for f in found]
        writes = len(history.writes)

        def undisturbed(writes: int = writes) -> bool:
            return len(history.writes) == writes and settlement.holds()

        if not watch(backend, history, settles, settles.quiet_for, undisturbed, until=False):
            return []
        if backend.now >= deadline:
            quiet = f"for {duration.text(settles.quiet_for)} after it has settled"
            found = _disturbances(history, settles, namespace, writes)
            return [Mismatch(f.subject, f"{f.expected} {quiet}", f.seen) for f in found]


def _disturbances(
    history: History, settles: Settles, namespace: str, writes: int
) -> list[Mismatch]:
    late = history.writes[writes:]
    if late:
        seen = ", ".join(f"{found.verb} {found.resource} {found.name}" for found in late)
        return [Mismatch("writes", "none", seen)]
    return settles_mismatches(settles, history, namespace)
