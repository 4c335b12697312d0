"""The phases and reasons that Performers went through, to compare two backends by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hourglass_operator.controller import Settings
from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.history import condition_of

CONDITIONS = ("Ready", "Available", "Progressing", "Degraded")

BRIEF = Settings().status_delay + 0.1
"""Seconds: a state that lasts less may not come about on the other backend.

The operator writes a new phase at once, with the reason of that moment, and later changes only
after the status delay: a pass a moment later would have written the later reason at once.
"""

LATE_ENDPOINTS = 1.0 + 2.0 + BRIEF
"""Seconds a state may last on one backend alone while it waits for nothing but an EndpointSlice.

The real controller of slices tries again after one second, then two, when it finds its own cache
behind, which it does after two changes in quick succession, on some runs and not on others:
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/endpointslice/endpointslice_controller.go
"""

Key = tuple[str, str, int]
"""Namespace, name, and which Performer of that name, from 1."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The phase and the reasons in a Performer's status."""

    phase: str
    reasons: tuple[str, ...]
    """Of `CONDITIONS`."""

    def __str__(self) -> str:
        return f"{self.phase} ({'/'.join(self.reasons)})" if any(self.reasons) else self.phase


class Lasting(Protocol):
    """Something that stayed for a while."""

    @property
    def summary(self) -> object:
        """What it was, hashable and printable."""
        ...

    @property
    def seconds(self) -> float:
        """For how long it stayed."""
        ...

    @property
    def brief(self) -> bool:
        """It may be missing on the other backend."""
        ...


@dataclass(frozen=True, slots=True)
class State:
    """A status, and for how many seconds it stayed."""

    summary: Summary
    seconds: float

    @property
    def brief(self) -> bool:
        """It may be missing on the other backend."""
        late = "EndpointsNotReady" in self.summary.reasons
        return self.seconds < (LATE_ENDPOINTS if late else BRIEF)


def status_histories(records: Iterable[Change | Write], end: float) -> dict[Key, list[State]]:
    """The states of every Performer, without repetitions; the last one lasts until `end`."""
    seen: dict[Key, list[tuple[float, Summary | None]]] = {}
    uids: dict[tuple[str, str], list[str]] = {}
    for record in records:
        if isinstance(record, Write) or record.resource != "performers":
            continue
        meta = record.object["metadata"]
        names = uids.setdefault((meta["namespace"], meta["name"]), [])
        if meta["uid"] not in names:
            names.append(meta["uid"])
        moments = seen.setdefault(
            (meta["namespace"], meta["name"], names.index(meta["uid"]) + 1), []
        )
        summary = None if record.type == "DELETED" else summary_of(record.object)
        if not moments or moments[-1][1] != summary:
            moments.append((record.time, summary))
    return {key: _states(moments, end) for key, moments in seen.items()}


def summary_of(performer: dict[str, Any]) -> Summary:
    """Phase and reasons of a Performer object."""
    found = (condition_of(performer, type_) for type_ in CONDITIONS)
    reasons = tuple(condition["reason"] if condition else "" for condition in found)
    return Summary(performer.get("status", {}).get("phase", ""), reasons)


def _states(moments: Sequence[tuple[float, Summary | None]], end: float) -> list[State]:
    until = [time for time, _ in moments[1:]] + [end]
    return [
        State(summary, ended - began)
        for (began, summary), ended in zip(moments, until, strict=True)
        if summary is not None
    ]


def difference(simulated: Sequence[Lasting], real: Sequence[Lasting]) -> str | None:
    """None if both went through the same, else what each of them shows.

    States that were brief on their side may be missing on the other; the last one counts however
    long it lasted. Without the brief states, equal neighbours are one state.
    """
    if _match(simulated, real):
        return None
    return "\n".join(
        f"  {who}: {' → '.join(f'{s.summary} {s.seconds:.1f} s' for s in states)}"
        for who, states in (("simulated", simulated), ("real", real))
    )


def _match(one: Sequence[Lasting], other: Sequence[Lasting]) -> bool:
    """Whether both are the same once some of their brief states are left out."""
    return bool(_variants(one) & _variants(other))


def _variants(states: Sequence[Lasting]) -> set[tuple[object, ...]]:
    """The history with and without each of its brief states, in every combination."""
    variants: set[tuple[object, ...]] = {()}
    for number, state in enumerate(states):
        longer = {
            variant if variant[-1:] == (state.summary,) else (*variant, state.summary)
            for variant in variants
        }
        last = number == len(states) - 1
        variants = longer | variants if state.brief and not last else longer
    return variants
