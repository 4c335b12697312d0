"""Plans by chance.

Each draws first which kinds of things happen at all: where everything happens at once, one trouble
hides another (swarm testing, https://dl.acm.org/doi/10.1145/2338965.2336763).
"""

from hourglass_simulator.search.draw import Draw
from hourglass_simulator.search.plan import Operation, Plan, step_of
from hourglass_simulator.search.troubles import CHANGES, KINDS, suspended
from hourglass_simulator.search.worlds import world

_GAPS = (0.0, 0.003, 0.012, 0.3, 1.0, 2.5, 6.0, 20.0, 60.0, 150.0)
"""Seconds between operations: writes follow each other by milliseconds, pods start in seconds."""


def random_plan(seed: int) -> Plan:
    """The plan of a number; what it breaks is whole again at its end."""
    draw = Draw(f"plan/{seed}")
    drawn = world(draw)
    kinds = draw.some(KINDS, 1, 5)
    if drawn.scenario.cluster.operator_replicas > 1:
        # A second replica is there for when the first one leads no longer.
        kinds.append(suspended)
    at = 0.0
    operations: list[Operation] = []
    broken: set[str] = set()
    for performer in drawn.performers.values():
        operations.append((at, "apply", performer))
        at += draw.one(_GAPS)
    for _ in range(draw.number(2, 9)):
        kind = draw.one(CHANGES) if draw.chance(0.4) else draw.one(kinds)
        for after, name, arguments in kind(draw, drawn):
            operations.append((at + after, name, arguments))
            if name == "fault":
                broken |= arguments.keys()
        at += draw.one(_GAPS)
    end = max(when for when, _, _ in operations) + 1.0
    operations += _whole_again(end, broken)
    steps = [step_of(operation) for operation in operations]
    return Plan(drawn.scenario, ()).with_steps(steps)


def _whole_again(end: float, broken: set[str]) -> list[Operation]:
    names = sorted(broken)
    return [(end, "heal", names)] if names else []
