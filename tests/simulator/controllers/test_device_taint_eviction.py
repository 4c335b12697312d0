"""Pods leave devices with NoExecute taints."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.devicetainteviction import DeviceTaintEviction
from hourglass_simulator.controllers.devicetaints import condition
from hourglass_simulator.kubernetes.version import version


class World:
    """A pod `p` on a node with the device `d0`, which its claim tolerates broken for so long."""

    def __init__(self, tolerations: list[JSON]) -> None:
        self.clock = Clock()
        self.api = APIServer(self.clock, version("1.37"))
        DeviceTaintEviction(self.clock, self.api)
        self.api.create("resourceslices", _slice([]))
        container = {"name": "c", "image": "i:1"}
        spec = {
            "nodeName": "a",
            "containers": [container],
            "resourceClaims": [{"name": "gpu", "resourceClaimName": "c"}],
        }
        pod = self.api.create(
            "pods", {"metadata": {"name": "p"}, "spec": spec}, namespace="default"
        )
        exactly = {"deviceClassName": "gpu"}
        claim = {"devices": {"requests": [{"name": "r", "exactly": exactly}]}}
        self.api.create(
            "resourceclaims", {"metadata": {"name": "c"}, "spec": claim}, namespace="default"
        )
        result = {"request": "r", "driver": "gpu.example.com", "pool": "a", "device": "d0"}
        if tolerations:
            result["tolerations"] = tolerations  # type: ignore[assignment]
        user = {"resource": "pods", "name": "p", "uid": pod["metadata"]["uid"]}
        status = {"allocation": {"devices": {"results": [result]}}, "reservedFor": [user]}
        self.api.set_status("resourceclaims", "default", "c", status)
        self.run(1)

    def run(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now + seconds)

    def taint(self, *taints: JSON) -> None:
        change = {"spec": _slice(list(taints))["spec"]}
        self.api.patch("resourceslices", "", "s", change)

    @property
    def there(self) -> bool:
        return bool(
            [p for p in self.api.list("pods").items if "deletionTimestamp" not in p["metadata"]]
        )

    @property
    def events(self) -> list[str]:
        return [event["message"] for event in self.api.list("events").items]


def _slice(taints: list[JSON]) -> JSON:
    device = {"name": "d0", **({"taints": taints} if taints else {})}
    pool = {"name": "a", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "gpu.example.com", "nodeName": "a", "pool": pool, "devices": [device]}
    return {"metadata": {"name": "s"}, "spec": spec}


BROKEN = {"key": "broken", "effect": "NoExecute"}


def _for(seconds: int) -> JSON:
    toleration = {"key": "broken", "operator": "Exists", "effect": "NoExecute"}
    return {**toleration, "tolerationSeconds": seconds}


@pytest.mark.parametrize(
    ("taint", "tolerations", "after"),
    [
        pytest.param(BROKEN, [], 0, id="at once"),
        pytest.param(BROKEN, [_for(60)], 60, id="after a while"),
        pytest.param({**BROKEN, "effect": "NoSchedule"}, [], None, id="not for NoSchedule"),
        pytest.param(
            BROKEN,
            [{"key": "broken", "operator": "Exists", "effect": "NoExecute"}],
            None,
            id="never if it is tolerated",
        ),
        pytest.param(
            BROKEN,
            [{"key": "broken", "operator": "Exists"}],
            0,
            id="at once with a toleration that does not name the effect",
        ),
    ],
)
def test_a_pod_goes(taint: JSON, tolerations: list[JSON], after: float | None) -> None:
    world = World(tolerations)
    world.taint(taint)
    if after != 0:
        world.run((after or 3600) - 1)
        assert world.there
    if after is not None:
        world.run(2)
        assert not world.there
        assert world.events == ["Marking for deletion"]


def test_a_pod_stays_whose_device_is_well_again() -> None:
    world = World([_for(60)])
    world.taint(BROKEN)
    world.run(30)
    world.taint()
    world.run(600)
    assert world.there
    assert world.events == ["Cancelling deletion"]


def test_a_rule_says_how_far_it_is() -> None:
    world = World([_for(60)])
    rule: JSON = {"deviceSelector": {"driver": "gpu.example.com"}, "taint": BROKEN}
    world.api.create("devicetaintrules", {"metadata": {"name": "x"}, "spec": rule})
    said = []
    for seconds in (1, 11, 100):
        world.run(seconds)
        status = world.api.get("devicetaintrules", "", "x")["status"]
        said.append((status["conditions"][0]["reason"], status["conditions"][0]["message"]))
    assert said == [
        ("PodsPendingEviction", "1 pod needs to be evicted in 1 namespace."),
        ("PodsPendingEviction", "1 pod needs to be evicted in 1 namespace."),
        ("Completed", "1 pod evicted since starting the controller."),
    ]


@pytest.mark.parametrize(
    ("effect", "counts", "expected"),
    [
        pytest.param("NoExecute", (0, 0, 0), ("False", "NotStarted", ""), id="nobody has it"),
        pytest.param(
            "NoExecute",
            (1, 2, 2),
            (
                "True",
                "PodsPendingEviction",
                "2 pods need to be evicted in 2 different namespaces. 1 pod evicted since starting "
                "the controller.",
            ),
            id="some are gone and some will go",
        ),
        pytest.param(
            "NoSchedule",
            (0, 0, 0),
            ("False", "OtherEffect", "Eviction only happens for the NoExecute effect."),
            id="it evicts nobody",
        ),
        pytest.param(
            "None",
            (0, 1, 1),
            (
                "False",
                "NoEffect",
                "1 published device selected. 0 allocated devices selected. 1 pod would be evicted "
                "in 1 namespace if the effect was NoExecute. This information will not be updated "
                "again. Recreate the DeviceTaintRule to trigger an update.",
            ),
            id="it shows what it would do",
        ),
    ],
)
def test_the_condition_of_a_rule(
    effect: str, counts: tuple[int, int, int], expected: tuple[str, str, str]
) -> None:
    rule: dict[str, Any] = {"metadata": {"generation": 1}, "spec": {"taint": {"effect": effect}}}
    selected = "1 published device selected. 0 allocated devices selected. "
    found = condition(rule, *counts, selected)
    assert (found["status"], found["reason"], found["message"]) == expected
