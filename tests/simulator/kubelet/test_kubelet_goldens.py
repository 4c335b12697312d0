"""What a real kubelet made of each situation, and what the simulated one makes of it."""

import json
import re
import sys
from functools import partial
from pathlib import Path

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet import ImageRegistry, Kubelets, Workload
from hourglass_simulator.kubelet.images import Pull

GOLDENS = Path(__file__).parents[2] / "goldens"
sys.path.insert(0, str(GOLDENS))
import record_kubelet as recorder  # noqa: E402

GOLDEN: dict[str, JSON] = json.loads((GOLDENS / "kubelet/kubelet.golden.json").read_text())
SITUATIONS = recorder.situations()
NAMESPACE = "golden-1"
NODE: JSON = {
    "metadata": {
        "name": "node-1",
        "labels": {"kubernetes.io/os": "linux", "kubernetes.io/hostname": "node-1"},
    },
    "spec": {},
    "status": {
        "addresses": [{"address": "10.243.0.1", "type": "InternalIP"}],
        "capacity": {"cpu": "2", "memory": "24684096Ki", "pods": "110", "nvidia.com/gpu": "2"},
        "allocatable": {"cpu": "2", "memory": "24684096Ki", "pods": "110", "nvidia.com/gpu": "2"},
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "x"}],
    },
}


def workload(situation: JSON) -> Workload:
    behaviour = situation.get("behaviour") or {}

    def seconds(name: str, default: float | None) -> float | None:
        value = behaviour.get(name, default)
        return None if value == -1 else value

    command = (situation.get("pod") or {}).get("spec", {}).get("containers", [{}])[0].get("command")
    return Workload(
        ready_after=seconds("ready-after", 0),
        ready_until=seconds("ready-until", None),
        exit_after=0.05 if "eat" in behaviour else seconds("exit-after", None),
        exit_code=behaviour.get("exit-code", 0),
        out_of_memory="eat" in behaviour,
        stop_after=seconds("stop-after", 0),
        executable=command is None,
    )


class Replay:
    """One situation in the simulator, recorded in the form of the goldens."""

    def __init__(self, situation: JSON) -> None:
        self.clock = Clock()
        self.api = APIServer(self.clock)
        images = ImageRegistry()
        images.fail("localhost:5055/performer:missing", Pull.MISSING)
        images.fail("localhost:5055/private:1", Pull.UNAUTHORIZED)
        images.fail("localhost:5055/broken:1", Pull.REGISTRY_FAILS)
        images.fail("localhost:5056/*", Pull.REGISTRY_DOWN)
        images.behave("*", workload(situation))
        images.take("localhost:5055/*", 0.1)
        self.kubelets = Kubelets(self.clock, self.api, images)
        self.api.create("nodes", NODE)
        self.kubelets.preload("node-1", "localhost/performer:1")
        self.api.create("namespaces", {"metadata": {"name": NAMESPACE}})
        self.states: list[JSON] = []
        self.uid = ""
        self.situation = situation

    def run(self) -> JSON:
        for step in self.situation.get("steps") or ():
            if step["at"] < 0:
                self._step(step)
            else:
                self.clock.at(step["at"], partial(self._step, step))
        self.api.watch("pods", sink=self._sink)
        pod = self.api.create("pods", recorder.pod_of(self.situation), namespace=NAMESPACE)
        self.uid = pod["metadata"]["uid"]
        if "nodeName" not in pod["spec"]:
            self.clock.at(0.05, lambda: self.api.bind(NAMESPACE, "performer", "node-1"))
        self.clock.run_until(self.situation["until"])
        return {"states": self.states, "events": self._events()}

    def _sink(self, event: WatchEvent) -> None:
        pod = event.object
        state = {
            "deleting": "deletionTimestamp" in pod["metadata"],
            "status": recorder.normalised(pod["status"], pod["metadata"]["uid"]),
        }
        if event.type == "DELETED":
            state["gone"] = True
        if not self.states or {**self.states[-1], "seconds": 0} != {**state, "seconds": 0}:
            self.states.append({"seconds": round(self.clock.now, 1), **state})

    def _events(self) -> list[JSON]:
        return [
            {
                "type": e["type"],
                "reason": e["reason"],
                "message": recorder.text(e["message"], self.uid),
                "count": e["count"],
                "source": e["source"]["component"],
                **({"fieldPath": p} if (p := e["involvedObject"].get("fieldPath")) else {}),
            }
            for e in self.api.list("events").items
        ]

    def _step(self, step: JSON) -> None:
        if "delete" in step:
            grace = step["delete"].get("grace")
            self.api.delete("pods", NAMESPACE, "performer", grace_period_seconds=grace)
        elif "evict" in step:
            self.api.evict(NAMESPACE, "performer")
        else:
            data = dict.fromkeys(step["keys"], "x")
            body = {"metadata": {"name": step["name"]}, "data": data}
            self.api.create(step["create"], body, namespace=NAMESPACE)


def comparable(states: list[JSON]) -> list[JSON]:
    """The states that the kubelet wrote, repetitions of waiting for a back-off cut to one round."""
    from_kubelet = [s for s in states if "startTime" in s["status"]]
    distinct: list[JSON] = []
    for state in from_kubelet:
        cut = {k: v for k, v in state.items() if k != "seconds"}
        if cut not in distinct:
            distinct.append(cut)
    return distinct


def reported(events: list[JSON]) -> set[tuple[str, ...]]:
    return {
        (e["type"], e["reason"], e["message"], e.get("fieldPath", ""))
        for e in events
        if e["source"] == "kubelet"
    }


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_pod_goes_through_the_states_that_a_real_one_goes_through(name: str) -> None:
    replayed = comparable(Replay(SITUATIONS[name]).run()["states"])
    real = comparable(GOLDEN[name]["states"])
    if SITUATIONS[name].get("goes-on"):
        common = min(len(replayed), len(real))
        assert max(len(replayed), len(real)) - common <= 2
        replayed, real = replayed[:common], real[:common]
    assert replayed == real


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_events_are_those_of_a_real_kubelet(name: str) -> None:
    replayed = Replay(SITUATIONS[name]).run()
    assert reported(replayed["events"]) == reported(GOLDEN[name]["events"])


@pytest.mark.parametrize(
    "name", [name for name, situation in SITUATIONS.items() if not situation.get("goes-on")]
)
def test_it_takes_about_as_long_as_on_a_real_node(name: str) -> None:
    """Up to what differs from run to run on a real node: up to five seconds for a retry."""
    replayed, real = Replay(SITUATIONS[name]).run(), GOLDEN[name]
    pairs = zip(since_start(replayed["states"]), since_start(real["states"]), strict=True)
    retried = "BackOff" in str(real) or "ConfigError" in str(real)
    for simulated, seen in pairs:
        tolerance = 5.5 if retried and seen > 10 else 1.7
        assert abs(simulated - seen) < tolerance


def test_an_evicted_pod_ends_like_a_real_one() -> None:
    resources = {"requests": {"memory": "16Mi"}}
    replay = Replay({"pod": {"spec": {"containers": [{"resources": resources}]}}, "until": 20})
    replay.clock.at(10, lambda: replay.kubelets.evict(NAMESPACE, "performer"))
    replay.run()

    def without_amounts(status: JSON) -> JSON:
        amount = r"(quantity: |available: |using )[0-9]+[KMG]i"
        cut: JSON = json.loads(re.sub(amount, r"\1{amount}", json.dumps(status)))
        return cut

    real = json.loads((GOLDENS / "kubelet/evicted.golden.json").read_text())
    assert without_amounts(replay.states[-1]["status"]) == without_amounts(real)


def since_start(states: list[JSON]) -> list[float]:
    """When each distinct state of the kubelet's was first seen, from the first of them on."""
    seen: list[JSON] = []
    times: list[float] = []
    for state in states:
        cut = {k: v for k, v in state.items() if k != "seconds"}
        if "startTime" in state["status"] and cut not in seen:
            seen.append(cut)
            times.append(state["seconds"])
    return [time - times[0] for time in times]


@pytest.mark.parametrize("name", ["never becomes ready", "loses its readiness and regains nothing"])
def test_as_many_probes_fail_as_on_a_real_node(name: str) -> None:
    def failures(events: list[JSON]) -> int:
        return sum(e["count"] for e in events if e["reason"] == "Unhealthy")

    simulated = failures(Replay(SITUATIONS[name]).run()["events"])
    assert abs(simulated - failures(GOLDEN[name]["events"])) <= 1
