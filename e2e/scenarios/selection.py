"""Which scenario files are played on a real cluster, and why the others are not."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from hourglass_simulator.scenario.backend import Change
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
    KUBELET = "what its pods report only a kubelet can find out (Secrets, images on a node)"
    LONG = f"it takes more than {LONGEST:.0f} s"


def left_out(scenario: Scenario, play: Callable[[], Result]) -> LeftOut | None:
    """The rule by which a scenario is left out, if any; `play` plays it on the simulator."""
    if not scenario.portable:
        return LeftOut.FAULTS
    if any(image.builds for image in scenario.cluster.images.values()):
        return LeftOut.KUBELET
    simulated = play()
    if not simulated.met:
        return LeftOut.UNMET
    if waiting_reasons(simulated) - PLAYED_BY_STAGES:
        return LeftOut.KUBELET
    if simulated.duration > LONGEST:
        return LeftOut.LONG
    return None


def waiting_reasons(result: Result) -> set[str]:
    """What the containers of all pods have waited for."""
    return {
        status["state"]["waiting"]["reason"]
        for record in result.records
        if isinstance(record, Change) and record.resource == "pods"
        for status in record.object.get("status", {}).get("containerStatuses") or ()
        if "waiting" in status["state"]
    }
