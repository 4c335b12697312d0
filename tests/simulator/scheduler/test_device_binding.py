"""Pods wait for devices that are bound late, and what was written is taken back if in vain."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubernetes.version import version
from hourglass_simulator.scheduler import Scheduler

RESULT = {"driver": "gpu.example.com", "pool": "a", "device": "d0"}


class World:
    """A node with a device that has to be attached, and a pod that claims it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.api = APIServer(self.clock, version("1.37"))
        Scheduler(self.clock, self.api)
        allocatable = {"cpu": "4", "memory": "8Gi", "pods": "10"}
        self.api.create(
            "nodes", {"metadata": {"name": "a"}, "status": {"allocatable": allocatable}}
        )
        self.api.create("deviceclasses", {"metadata": {"name": "gpu"}, "spec": {}})
        device = {
            "name": "d0",
            "bindingConditions": ["attached"],
            "bindingFailureConditions": ["failed"],
        }
        pool = {"name": "a", "generation": 1, "resourceSliceCount": 1}
        spec: JSON = {"driver": "gpu.example.com", "nodeName": "a", "pool": pool}
        slices = {"metadata": {"name": "s"}, "spec": {**spec, "devices": [device]}}
        self.api.create("resourceslices", slices)
        requests = [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]
        claim = {"metadata": {"name": "c"}, "spec": {"devices": {"requests": requests}}}
        self.api.create("resourceclaims", claim, namespace="default")
        container = {"name": "c", "image": "i:1"}
        claims = [{"name": "gpu", "resourceClaimName": "c"}]
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
        pod["spec"]["resourceClaims"] = claims  # type: ignore[index]
        self.api.create("pods", pod, namespace="default")
        self.run(1)

    def run(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now + seconds)

    def say(self, condition: str) -> None:
        """The driver says that a condition of the device is true."""
        now = self.clock.timestamp()
        found = {"type": condition, "status": "True", "reason": "Said", "message": "so it is"}
        devices = [{**RESULT, "conditions": [{**found, "lastTransitionTime": now}]}]
        status = {**self.claim["status"], "devices": devices}
        self.api.set_status("resourceclaims", "default", "c", status)

    @property
    def claim(self) -> JSON:
        return self.api.get("resourceclaims", "default", "c")

    @property
    def pod(self) -> JSON:
        return self.api.get("pods", "default", "p")

    @property
    def messages(self) -> list[str]:
        return [event["message"] for event in self.api.list("events").items]


def test_a_pod_is_bound_when_its_devices_are_ready() -> None:
    world = World()
    world.run(30)
    assert "nodeName" not in world.pod["spec"]
    assert world.pod["status"]["nominatedNodeName"] == "a"
    world.say("attached")
    world.run(6)
    assert world.pod["spec"]["nodeName"] == "a"
    assert "nominatedNodeName" not in world.pod["status"]
    assert world.messages == [
        "waiting for binding conditions for device on node a",
        "Successfully assigned default/p to a",
    ]


@pytest.mark.parametrize(
    ("condition", "seconds", "message"),
    [
        pytest.param(
            "failed",
            6,
            'device binding failed: claim=c, reason=Said, message="so it is"',
            id="they cannot be",
        ),
        pytest.param(
            "", 601, "device binding timeout: context deadline exceeded", id="they are not in time"
        ),
    ],
)
def test_others_are_sought_when_devices_will_not_be_ready(
    condition: str, seconds: float, message: str
) -> None:
    world = World()
    if condition:
        world.say(condition)
    world.run(seconds)
    assert f'running PreBind plugin "DynamicResources": {message}' in world.messages
    world.run(5)
    said = [text for text in world.messages if "deallocation of ResourceClaim completed" in text]
    assert said
    assert world.messages.count("waiting for binding conditions for device on node a") > 1
