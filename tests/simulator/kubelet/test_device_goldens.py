"""What becomes of pods whose devices fall ill on a real kubelet, and in the simulated cluster."""

import json
from functools import partial

import pytest

from goldens import newer, record_kubelet
from goldens import record_devices as recorder
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet import Workload
from hourglass_simulator.kubernetes.version import Version, version

GOLDENS = {v: newer.whole(recorder.GOLDEN, v) for v in newer.recorded(recorder.GOLDEN)}
RECORDED = [(v, name) for v in GOLDENS for name in GOLDENS[v]]
NAMESPACE, NODE = "golden-1", "node-1"
RACES = {
    (
        "Warning",
        "FailedResourceClaimCreation",
        'PodResourceClaim gpu: resource claim template "gpu": '
        'resourceclaimtemplate.resource.k8s.io "gpu" not found',
    ),
}
"""What the controller of claims says when it sees a pod before its template, made just before."""
PLURALS = {"DeviceClass": "deviceclasses", "ResourceClaim": "resourceclaims"}
PLURALS |= {"ResourceClaimTemplate": "resourceclaimtemplates"}


class Replay:
    """A situation in a simulated cluster with one node, seen as the recorder sees it."""

    def __init__(self, situation: JSON, kubernetes: str) -> None:
        self.situation = situation
        self.cluster = Cluster(version=version(kubernetes))
        self.seen: JSON = {"states": [], "claims": [], "slices": []}
        self._plugin: JSON = dict(situation.get("plugin") or {})
        self._uid = ""
        self._was: list[JSON] = []

    def run(self) -> JSON:
        cluster, api = self.cluster, self.cluster.api
        self._prepare()
        cluster.run_until(recorder.SETTLING_SECONDS)
        api.watch("resourceslices", sink=lambda _: self._look("slices"))
        api.watch("resourceclaims", sink=lambda _: self._look("claims"))
        api.watch("pods", sink=self._pod_event)
        steps = self.situation.get("steps") or ()
        for step in steps:
            if step["at"] < 0:
                self._step(step)
        began = cluster.clock.now
        pod = api.create("pods", record_kubelet.pod_of(self.situation), namespace=NAMESPACE)
        self._uid = pod["metadata"]["uid"]
        for step in steps:
            if step["at"] >= 0:
                cluster.clock.at(began + step["at"], partial(self._step, step))
        cluster.run_until(began + self.situation["until"])
        return self.seen

    def _prepare(self) -> None:
        cluster, situation = self.cluster, self.situation
        for container in ("performer", "init"):
            said = record_kubelet.behaviour_of(situation, container)
            after = said.get("exit-after")
            workload = Workload(exit_after=None if after is None else float(after))
            cluster.kubelets.behave(NAMESPACE, "performer", workload, container)
        plugged = {recorder.GPU: len(self._plugin)} if self._plugin else {}
        cluster.add_node(NODE, devices=plugged)
        cluster.kubelets.preload(NODE, record_kubelet.IMAGE)
        self._be_healthy(self._plugin)
        cluster.api.create("namespaces", {"metadata": {"name": NAMESPACE}})
        cluster.api.create("deviceclasses", recorder.DEVICE_CLASS)
        for one in situation.get("objects") or ():
            self._create(one)
        if "driver" in situation:
            self._drive(situation["driver"])

    def _step(self, step: JSON) -> None:
        kubelets, driver = self.cluster.kubelets, step.get("driver")
        if "devices" in step:
            self._be_healthy(step["devices"])
        elif "offer" in step:
            kubelets.plugins.plug(NODE, recorder.GPU, len(step["offer"]))
        elif "plugin" in step:
            change = kubelets.plugins.unplug if step["plugin"] == "gone" else kubelets.plugins.plug
            change(NODE, recorder.GPU)
        elif driver == "gone":
            kubelets.drivers.stop(NODE, recorder.DRIVER)
        elif driver == "back":
            kubelets.drivers.start(NODE, recorder.DRIVER)
        elif driver is not None:
            self._drive(driver)
        elif "object" in step:
            self._create(step["object"])
        else:
            grace = step["delete"].get("grace")
            self.cluster.api.delete("pods", NAMESPACE, "performer", grace_period_seconds=grace)

    def _create(self, body: JSON) -> None:
        space = "" if body["kind"] == "DeviceClass" else NAMESPACE
        self.cluster.api.create(PLURALS[body["kind"]], body, namespace=space)

    def _be_healthy(self, devices: JSON) -> None:
        """The device plugin says how its devices d0, d1 … are."""
        kubelets = self.cluster.kubelets
        for device, health in devices.items():
            if health == "Healthy":
                kubelets.plugins.repair(NODE, recorder.GPU, {int(device[1:])})
            else:
                kubelets.plugins.fail(NODE, recorder.GPU, 1)

    def _drive(self, said: JSON) -> None:
        drivers = self.cluster.kubelets.drivers
        if "slices" in said:
            drivers.start(NODE, recorder.DRIVER, said["slices"][0]["devices"])
        drivers.refuse(NODE, recorder.DRIVER, said.get("refuse", ""))
        for device, health in (said.get("health") or {}).items():
            text = health.get("message", "")
            drivers.report(NODE, recorder.DRIVER, device, health["health"], text)

    def _pod_event(self, event: WatchEvent) -> None:
        pod = event.object
        if pod["metadata"]["name"] != "performer":
            return
        uid, ours = pod["metadata"]["uid"], self.cluster.api.get("nodes", "", NODE)["status"]
        (address,) = [a["address"] for a in ours["addresses"] if a["type"] == "InternalIP"]
        status = json.loads(json.dumps(pod["status"]).replace(address, record_kubelet.HOSTS[0]))
        state = {
            "deleting": "deletionTimestamp" in pod["metadata"],
            "status": record_kubelet.normalised(status, uid, {}),
        }
        if event.type == "DELETED":
            state["gone"] = True
        self.seen["states"] = recorder.distinct([*self.seen["states"], state])

    def _look(self, what: str) -> None:
        api = self.cluster.api
        if what == "slices":
            found = [one["spec"] for one in api.list("resourceslices").items]
            state: JSON | None = {"slices": found} if found else None
        else:
            claims = api.list("resourceclaims").items
            state = {c["metadata"]["name"]: c.get("status") or {} for c in claims} or None
        seen = self.seen[what]
        if state is not None and (not seen or seen[-1] != recorder.comparable(state)):
            seen.append(recorder.comparable(state))

    def events(self) -> set[tuple[str, str, str]]:
        return {
            said(e | {"message": record_kubelet.text(e["message"], self._uid)})
            for e in self.cluster.api.list("events").items
            if e["involvedObject"].get("uid") == self._uid
        }


def said(event: JSON) -> tuple[str, str, str]:
    found: JSON = recorder.comparable(event)
    return found["type"], found["reason"], found["message"]


def of_kubelet(states: list[JSON]) -> list[JSON]:
    """The distinct states that the kubelet wrote, or where there are none those of others."""
    found: list[JSON] = []
    for state in states:
        if state not in found and state["status"].get("conditions"):
            found.append(state)
    return [s for s in found if "startTime" in s["status"]] or found


@pytest.mark.parametrize(("kubernetes", "name"), RECORDED)
def test_it_goes_as_on_a_real_node(
    kubernetes: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, situation = GOLDENS[kubernetes][name], recorder.situations(kubernetes)[name]
    by_default = Version.enabled
    # 1.34 was recorded with the gate on; it looks for claims under a wrong name and finds none.
    on = {"ResourceHealthStatus"} if "plugin" in situation else set()
    monkeypatch.setattr(Version, "enabled", lambda v, gate: gate in on or by_default(v, gate))
    replay = Replay(situation, kubernetes)
    seen = replay.run()
    assert of_kubelet(seen["states"]) == of_kubelet(real["states"])
    raced = RACES if "objects" in situation else set()
    assert replay.events() == {said(event) for event in real["events"]} - raced
    for what in ("claims", "slices"):
        # The recorder looks now and then: it misses what does not last.
        lasting = [state for state in seen[what] if state in real.get(what, [])]
        assert lasting == real.get(what, [])
