"""Which scenario files are left out of a real cluster, by which rule."""

from typing import Any

import pytest

from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.cluster import Cluster
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.model import Scenario
from hourglass_simulator.scenario.result import Result, StepResult
from scenarios.selection import LONGEST, LeftOut, left_out, waiting_reasons


def scenario(*steps: dict[str, Any]) -> Scenario:
    return Scenario.model_validate({"scenario": "A", "shows": "B", "steps": list(steps)})


def pod(*reasons: str) -> Change:
    statuses = [{"state": {"waiting": {"reason": reason}}} for reason in reasons]
    statuses.append({"state": {"running": {}}})
    body = {"metadata": {"name": "worker-0"}, "status": {"containerStatuses": statuses}}
    return Change(1, "MODIFIED", "pods", body)


def played(
    *, seconds: float = 10, met: bool = True, records: tuple[Change | Write, ...] = (pod(),)
) -> Result:
    failures = () if met else (Mismatch("writes", "none", "one"),)
    steps = (StepResult("settles", "it settles", 0, 1, failures),)
    return Result("a.yaml", scenario(), 0, steps, (), records, seconds)


PORTABLE = scenario({"drain": "node-1"})
FAULTY = scenario({"drain": "node-1"}, {"fault": "operator-crash"})
RESIZED = [Write(1, "patch", "pods", "default", "worker-0", "resize", code) for code in (200, 422)]
FRESH = Change(0, "ADDED", "pods", {"metadata": {"name": "worker-0"}, "status": {}})

RULES = {
    "played: plain steps, short": (PORTABLE, played(), None),
    "played: a pod without a status, and one that fails to pull": (
        PORTABLE,
        played(records=(FRESH, pod("ContainerCreating"), pod("ErrImagePull"))),
        None,
    ),
    "played: just short enough": (PORTABLE, played(seconds=LONGEST), None),
    "faults": (FAULTY, played(), LeftOut.FAULTS),
    "unmet: its windows cannot be shortened": (PORTABLE, played(met=False), LeftOut.UNMET),
    "a Secret is missing": (
        PORTABLE,
        played(records=(pod("CreateContainerConfigError"),)),
        LeftOut.KUBELET,
    ),
    "a pod is resized": (PORTABLE, played(records=(RESIZED[0],)), LeftOut.KUBELET),
    "played: the API server refuses to resize a pod": (
        PORTABLE,
        played(records=(RESIZED[1],)),
        None,
    ),
    "a cluster that cannot resize pods": (
        PORTABLE.model_copy(update={"cluster": Cluster(resizes_pods=False)}),
        played(),
        LeftOut.LESS,
    ),
    "too long": (PORTABLE, played(seconds=LONGEST + 1), LeftOut.LONG),
}


@pytest.mark.parametrize(("found", "simulated", "rule"), RULES.values(), ids=RULES)
def test_rule(found: Scenario, simulated: Result, rule: LeftOut | None) -> None:
    assert left_out(found, lambda: simulated) is rule


def test_the_containers_of_all_pods_show_what_they_wait_for() -> None:
    assert waiting_reasons(played(records=(FRESH, pod("A", "B"), pod("C")))) == {"A", "B", "C"}
