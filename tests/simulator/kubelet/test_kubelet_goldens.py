"""What a real kubelet made of each situation, and what the simulated one makes of it."""

import json
import re
from functools import partial
from typing import Any

import pytest

from goldens import newer
from goldens import record_kubelet as recorder
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.patches import STRATEGIC
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet import ImageRegistry, Kubelets, Workload
from hourglass_simulator.kubelet.images import Pull
from hourglass_simulator.kubelet.workload import KINDS, Answers, Hook
from hourglass_simulator.kubernetes.version import OLDEST, VERSIONS, version

GOLDENS: dict[str, dict[str, JSON]] = {
    version: newer.whole(recorder.GOLDEN, version) for version in VERSIONS
}
SITUATIONS = recorder.situations()
TIMED = recorder.situations("situations.yaml")
"""Those that were recorded on a machine that did nothing else."""
RECORDED = [(version, name) for version in VERSIONS for name in GOLDENS[version]]
SEEN_RUNNING = {
    "command is not in the path",
    "crashes and is deleted while it waits",
    "exits at once with an error",
    "exits with an error again and again",
    "runs out of memory",
}
"""Containers that the kubelet of 1.37, on a busy machine, saw running before it saw their end."""
NAMESPACE = "golden-1"
PATHS = {
    "/nowhere": "",
    "/etc/hostname": "File",
    "/sys/module/apparmor/parameters/enabled": "",
    "/var/lib/kubelet/seccomp/absent.json": "",
}
"""What the node that was recorded had not, or not as the pods wanted it."""
NODE: JSON = {
    "metadata": {
        "name": "node-1",
        "labels": {"kubernetes.io/os": "linux", "kubernetes.io/hostname": "node-1"},
    },
    "spec": {},
    "status": {
        "addresses": [{"address": "10.243.0.1", "type": "InternalIP"}],
        "capacity": {"cpu": "2", "memory": "24684084Ki", "pods": "110", "nvidia.com/gpu": "2"},
        "allocatable": {"cpu": "2", "memory": "24684084Ki", "pods": "110", "nvidia.com/gpu": "2"},
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "x"}],
    },
}


def workload(situation: JSON, container: JSON) -> Workload:
    behaviour = recorder.behaviour_of(situation, container["name"])
    if not behaviour:
        args = container.get("args") or []
        behaviour = dict(zip(args[::2], args[1::2], strict=False))

    def seconds(name: str, default: float | None) -> float | None:
        value = behaviour.get(name, default)
        return None if value in (-1, None) else float(value)

    command, path = container.get("command"), container.get("terminationMessagePath")
    kinds: dict[str, Any] = {
        kind: answers_of(probe, behaviour) for kind, probe in probes_of(container).items()
    }
    hooks: dict[str, Any] = {
        snake: hook_of(handled, behaviour)
        for kind, snake in (("postStart", "post_start"), ("preStop", "pre_stop"))
        if (handled := (container.get("lifecycle") or {}).get(kind))
    }
    return Workload(
        ready_after=seconds("ready-after", 0),
        ready_until=seconds("ready-until", None),
        exit_after=seconds("exit-after", None),
        exit_code=139 if "exit-signal" in behaviour else int(behaviour.get("exit-code", 0)),
        stop_after=seconds("stop-after", 0),
        stop_code=int(behaviour.get("stop-code", 0)),
        executable=command in (None, ["/etc/hosts"], ["/dev"]),
        permitted=command not in (["/etc/hosts"], ["/dev"]),
        log=behaviour["say"] + "\n" if "say" in behaviour else "",
        termination_message="" if path == "/other" else behaviour.get("message", ""),
        memory=int(behaviour.get("eat", 0)) << 20,
        user="0",
        **{kind: answers for kind, answers in kinds.items() if answers},
        **hooks,
    )


def probes_of(container: JSON) -> dict[str, JSON]:
    return {kind: probe for kind in KINDS if (probe := container.get(f"{kind}Probe"))}


def answers_of(probe: JSON, behaviour: JSON) -> Answers | None:
    """How performer.c answers a probe; None: as it answers on its port."""
    if "exec" in probe:
        command, there = probe["exec"]["command"], behaviour.get("file-after")
        output = "nothing is there\n" if "say" in command else ""
        absent, slow = command == ["/nowhere"], "exit-after" in command
        return Answers(there, output=output, missing=absent, hangs=slow)
    http, tcp = probe.get("httpGet") or {}, probe.get("tcpSocket") or {}
    status = behaviour.get("http-status", 200)
    if http.get("scheme") == "HTTPS":
        return Answers(None, output="http: server gave HTTP response to HTTPS client")
    if http.get("host") or tcp.get("port") == "web" or (probe.get("grpc") or {}).get("service"):
        return Answers(None)
    if not http or status == 200:
        return None
    until = behaviour.get("http-after")
    after = None if until is None else 0.0
    return Answers(after, until, status=max(status, 0), hangs=status < 0)


def hook_of(handled: JSON, behaviour: JSON) -> Hook:
    command = (handled.get("exec") or {}).get("command") or []
    if "exit-after" in command:
        return Hook(seconds=float(command[-1]))
    if command == ["/nowhere"]:
        return Hook(missing=True)
    output = "nothing is there\n" if "say" in command else ""
    fails = bool(command) or behaviour.get("ready-after") == -1
    return Hook(fails=fails, code=3, output=output)


class Replay:
    """One situation in the simulator, recorded in the form of the goldens."""

    def __init__(self, situation: JSON, kubernetes: str = OLDEST) -> None:
        self.clock = Clock()
        self.api = APIServer(self.clock, version(kubernetes))
        images = ImageRegistry()
        images.fail("localhost:5055/performer:missing", Pull.MISSING)
        images.fail("localhost:5055/private:1", Pull.UNAUTHORIZED)
        images.fail("localhost:5055/broken:1", Pull.REGISTRY_FAILS)
        images.fail("localhost:5056/*", Pull.REGISTRY_DOWN)
        images.take("localhost:5055/*", 0.1)
        self.images, self.image_ids = images, dict[str, str]()
        self.kubelets = Kubelets(self.clock, self.api, images)
        self.kubelets.declared = lambda pod, name: workload(situation, spec_of(pod, name))
        self.api.create("nodes", NODE)
        self.kubelets.preload("node-1", "localhost/performer:1")
        self.kubelets.equip("node-1", handlers=["runc"], paths=PATHS)
        self.api.create("namespaces", {"metadata": {"name": NAMESPACE}})
        self.states: list[JSON] = []
        self.uid = ""
        self.refused: list[str] = []
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
            "status": recorder.normalised(pod["status"], pod["metadata"]["uid"], self.image_ids),
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
        elif "ephemeral" in step:
            added = recorder.ephemeral(self.situation, step["ephemeral"])
            self._patch({"spec": {"ephemeralContainers": [added]}}, "ephemeralcontainers")
        elif "resize" in step:
            try:
                self._patch({"spec": recorder.resized(step["resize"])}, "resize")
            except APIError as error:
                self.refused.append(recorder.text(str(error), ""))
        elif "condition" in step:
            self._patch({"status": {"conditions": [step["condition"]]}}, "status")
        elif "push" in step:
            self.images.rebuild(f"localhost:5055/performer:{step['push']}", Workload())
        elif "object" in step:
            given = step["object"]
            plural = {"RuntimeClass": "runtimeclasses"}.get(given["kind"], "persistentvolumeclaims")
            self.api.create(plural, given, namespace=NAMESPACE if plural[0] == "p" else "")
        else:
            data = dict.fromkeys(step["keys"], "x")
            body = {"metadata": {"name": step["name"]}, "data": data}
            self.api.create(step["create"], body, namespace=NAMESPACE)

    def _patch(self, patch: JSON, subresource: str) -> None:
        self.api.patch("pods", NAMESPACE, "performer", patch, STRATEGIC, subresource=subresource)


def spec_of(pod: JSON, name: str) -> JSON:
    kinds = ("containers", "initContainers", "ephemeralContainers")
    found: JSON
    (found,) = [c for kind in kinds for c in pod["spec"].get(kind) or () if c["name"] == name]
    return found


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


@pytest.mark.parametrize(("kubernetes", "name"), RECORDED)
def test_a_pod_goes_through_the_states_and_events_that_a_real_one_goes_through(
    kubernetes: str, name: str
) -> None:
    golden, replay = GOLDENS[kubernetes][name], Replay(SITUATIONS[name], kubernetes)
    replayed = replay.run()
    assert reported(replayed["events"]) == reported(golden["events"])
    if kubernetes != OLDEST and name in SEEN_RUNNING:
        return
    ours, theirs = comparable(replayed["states"]), comparable(golden["states"])
    assert replay.refused == golden.get("refused", [])
    if SITUATIONS[name].get("goes-on"):
        common = min(len(ours), len(theirs))
        assert max(len(ours), len(theirs)) - common <= 2
        ours, theirs = ours[:common], theirs[:common]
    assert ours == theirs


@pytest.mark.parametrize("name", [name for name in TIMED if not SITUATIONS[name].get("goes-on")])
def test_it_takes_about_as_long_as_on_a_real_node(name: str) -> None:
    """Up to what differs from run to run on a real node: up to five seconds for a retry."""
    replayed, real = Replay(SITUATIONS[name]).run(), GOLDENS[OLDEST][name]
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

    real = json.loads((recorder.HERE / "evicted.golden.json").read_text())
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
    assert abs(simulated - failures(GOLDENS[OLDEST][name]["events"])) <= 1
