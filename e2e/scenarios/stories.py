"""What Performers went through, told in a way that two backends can be compared by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hourglass_operator.controller import Settings
from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.history import condition_of

CONDITIONS = ("Ready", "Available", "Progressing", "Degraded")

BRIEF = Settings().status_delay + 0.1
"""Seconds: a state that lasts less may not come about on the other backend.

The operator tells of a new phase at once, with the reason of that moment, and of what follows
after the status delay: had it looked a moment later, it would have told of that in the first place.
"""

Key = tuple[str, str, int]
"""Namespace, name, and which Performer of that name, from 1."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What a Performer says of itself."""

    phase: str
    reasons: tuple[str, ...]
    """Of `CONDITIONS`."""

    def __str__(self) -> str:
        return f"{self.phase} ({'/'.join(self.reasons)})" if any(self.reasons) else self.phase


@dataclass(frozen=True, slots=True)
class State:
    """How a Performer looked, and for how many seconds."""

    looks: Looks
    seconds: float


def stories(records: Iterable[Change | Write], end: float) -> dict[Key, list[State]]:
    """What every Performer went through, without repetitions; `end` ends what lasts."""
    seen: dict[Key, list[tuple[float, Looks | None]]] = {}
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
        looks = None if record.type == "DELETED" else looks_of(record.object)
        if not moments or moments[-1][1] != looks:
            moments.append((record.time, looks))
    return {key: _states(moments, end) for key, moments in seen.items()}


def looks_of(performer: dict[str, Any]) -> Looks:
    """Phase and reasons of a Performer object."""
    found = (condition_of(performer, type_) for type_ in CONDITIONS)
    reasons = tuple(condition["reason"] if condition else "" for condition in found)
    return Looks(performer.get("status", {}).get("phase", ""), reasons)


def _states(moments: Sequence[tuple[float, Looks | None]], end: float) -> list[State]:
    until = [time for time, _ in moments[1:]] + [end]
    return [
        State(looks, ended - began)
        for (began, looks), ended in zip(moments, until, strict=True)
        if looks is not None
    ]


def difference(simulated: Sequence[State], real: Sequence[State]) -> str | None:
    """None if both went through the same, else what each of them shows.

    States that lasted less than `BRIEF` on their side may be missing on the other; the last one
    counts however long it lasted. What is told without the brief states has no repetitions.
    """
    if _match(simulated, real):
        return None
    return "\n".join(
        f"  {who}: {' → '.join(f'{s.looks} {s.seconds:.1f} s' for s in states)}"
        for who, states in (("simulated", simulated), ("real", real))
    )


def _match(one: Sequence[State], other: Sequence[State]) -> bool:
    """Whether both are the same once some of their brief states are left out."""
    return bool(_tellings(one) & _tellings(other))


def _tellings(states: Sequence[State]) -> set[tuple[Looks, ...]]:
    """Every way to tell a story, with and without each brief state."""
    tellings: set[tuple[Looks, ...]] = {()}
    for number, state in enumerate(states):
        told = {
            telling if telling[-1:] == (state.looks,) else (*telling, state.looks)
            for telling in tellings
        }
        last = number == len(states) - 1
        tellings = told | tellings if state.seconds < BRIEF and not last else told
    return tellings
