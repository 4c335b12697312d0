"""Which scenario files are played on a real cluster, and why the others are not."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.model import Scenario
from hourglass_simulator.scenario.result import Result

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PODS = SCENARIOS / "pods"
"""Files about what kubelets do: they are played on the real node, all others on KWOK's nodes."""

LONGEST = 30.0
"""Seconds that a file may take in the simulator, at the pace of `pace.shorten_windows`."""

PLAYED_BY_STAGES = {
    "ContainerCreating",
    "ErrImagePull",
    "ImagePullBackOff",
    "RunContainerError",
    "CrashLoopBackOff",
}
"""Reasons of waiting containers that `stages` can play."""


class LeftOut(StrEnum):
    """Why a file is not played on a real cluster; the first that is true counts."""

    FAULTS = "it injects faults, which are for the simulator"
    UNMET = "at this pace, beside the cluster's own nodes, the simulator does not meet it either"
    LESS = "its cluster offers less than a real one"
    KUBELET = "what its pods report only a kubelet can find out (Secrets, images there, resizes)"
    LONG = f"it takes more than {LONGEST:.0f} s"


def left_out(scenario: Scenario, play: Callable[[], Result]) -> LeftOut | None:
    """The rule by which a scenario is left out, if any; `play` plays it on the simulator."""
    if not scenario.portable:
        return LeftOut.FAULTS
    if not scenario.cluster.resizes_pods:
        return LeftOut.LESS
    if any(image.builds for image in scenario.cluster.images.values()):
        return LeftOut.KUBELET
    simulated = play()
    if not simulated.met:
        return LeftOut.UNMET
    if waiting_reasons(simulated) - PLAYED_BY_STAGES or _is_resized(simulated):
        return LeftOut.KUBELET
    if simulated.duration > LONGEST:
        return LeftOut.LONG
    return None


def _is_resized(result: Result) -> bool:
    writes = (record for record in result.records if isinstance(record, Write))
    return any(write.subresource == "resize" and write.code == 200 for write in writes)


def waiting_reasons(result: Result) -> set[str]:
    """What the containers of all pods have waited for."""
    return {
        status["state"]["waiting"]["reason"]
        for record in result.records
        if isinstance(record, Change) and record.resource == "pods"
        for status in record.object.get("status", {}).get("containerStatuses") or ()
        if "waiting" in status["state"]
    }
