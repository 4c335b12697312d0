"""Record what a real kube-scheduler makes of the situations of tests/goldens/scheduler.

    cluster/up DIR
    KUBECONFIG=DIR/kubeconfig PYTHONPATH=tests python -m goldens.record_scheduler [SITUATION…]

Needs a control plane without other nodes. situations.yaml says what is done in which order;
verdicts.golden.json gets the calls as they were made and, after each, what the scheduler made of
every pod, and its Events at the end. No pod has a kubelet: one that is being deleted stays on its
node until a step says that it is gone. KUBERNETES=1.37 says that the cluster is newer than 1.34
(see `newer`).
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from kubernetes import client, config
from ruamel.yaml import YAML

from hourglass_kube.types import JSON

HERE = Path(__file__).parent / "scheduler"
GOLDEN = HERE / "verdicts.golden.json"
QUIET_SECONDS = 1.2
ALLOCATABLE = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "50Gi", "pods": "110"}
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
CLUSTER_WIDE: list[tuple[str, JSON]] = [
    ("priorityclasses", {"metadata": {"name": "low"}, "value": 100}),
    ("priorityclasses", {"metadata": {"name": "high"}, "value": 1000}),
    ("priorityclasses", {"metadata": {"name": "higher"}, "value": 2000}),
    (
        "priorityclasses",
        {"metadata": {"name": "polite"}, "value": 1000, "preemptionPolicy": "Never"},
    ),
    (
        "runtimeclasses",
        {
            "metadata": {"name": "kata"},
            "handler": "kata",
            "overhead": {"podFixed": {"cpu": "1", "tdx.intel.com/keys": "1"}},
        },
    ),
]
_PATHS = {
    "namespaces": "/api/v1/namespaces",
    "nodes": "/api/v1/nodes",
    "pods": "/api/v1/namespaces/{}/pods",
    "events": "/api/v1/namespaces/{}/events",
    "serviceaccounts": "/api/v1/namespaces/{}/serviceaccounts",
    "priorityclasses": "/apis/scheduling.k8s.io/v1/priorityclasses",
    "runtimeclasses": "/apis/node.k8s.io/v1/runtimeclasses",
}
_PATCH = "application/strategic-merge-patch+json"


def situations() -> dict[str, JSON]:
    """The situations by id."""
    loaded: dict[str, JSON] = YAML(typ="safe").load((HERE / "situations.yaml").read_text())
    return loaded


def calls_of(situation: JSON) -> list[JSON]:
    """A situation as calls: `do` is create, patch, delete or gone."""
    nodes = [{"node": node} for node in situation.get("nodes") or ()]
    return [_call(step) for step in [*nodes, *situation["steps"]]]


def _call(step: JSON) -> JSON:
    if "node" in step:
        return {"do": "create", "resource": "nodes", "body": node_of(step["node"])}
    if "pod" in step:
        return {"do": "create", "resource": "pods", "body": pod_of(step["pod"])}
    if "namespace" in step:
        meta = {"name": step["namespace"], "labels": step["labels"]}
        return {"do": "create", "resource": "namespaces", "body": {"metadata": meta}}
    if "patch" in step:
        resource, name = step["patch"].split("/")
        body = {k: v for k, v in step.items() if k != "patch"}
        return {"do": "patch", "resource": resource, "name": name, "body": body}
    verb = "delete" if "delete" in step else "gone"
    resource, name = step[verb].split("/")
    return {"do": verb, "resource": resource, "name": name}


def node_of(given: JSON) -> JSON:
    """A node of 4 cores and 16 GiB, Ready unless it says otherwise."""
    name, ready = given["name"], given.get("ready", True)
    allocatable = {**ALLOCATABLE, **{k: str(v) for k, v in given.get("allocatable", {}).items()}}
    spec: JSON = {"taints": [*given.get("taints", []), *([] if ready else [NOT_READY])]}
    if given.get("unschedulable"):
        spec["unschedulable"] = True
    labels = {"kubernetes.io/hostname": name, **given.get("labels", {})}
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {
            "allocatable": allocatable,
            "capacity": allocatable,
            "conditions": [condition],
        },
    }


def pod_of(given: JSON) -> JSON:
    """A pod with one container, which requests and limits what `requests` and `limits` say."""
    spec = {k: v for k, v in given.items() if k not in _OWN}
    container: JSON = {"name": "performer", "image": "avs/performer:1"}
    resources = {k: given[k] for k in ("requests", "limits") if k in given}
    container["resources"] = {k: {r: str(n) for r, n in v.items()} for k, v in resources.items()}
    if "ports" in given:
        container["ports"] = given["ports"]
    meta = {"name": given["name"], "labels": given.get("labels", {})}
    if "in" in given:
        meta["namespace"] = given["in"]
    return {
        "metadata": meta,
        "spec": {"automountServiceAccountToken": False, "containers": [container], **spec},
    }


_OWN = ("name", "in", "labels", "requests", "limits", "ports")


def seen_of(pod: JSON) -> JSON:
    """What the scheduler made of a pod."""
    conditions = {c["type"]: c for c in pod["status"].get("conditions") or ()}
    seen: JSON = {}
    if node := pod["spec"].get("nodeName"):
        seen["node"] = node
    if nominated := pod["status"].get("nominatedNodeName"):
        seen["nominated"] = nominated
    if "deletionTimestamp" in pod["metadata"]:
        seen["deleting"] = True
    for kind in ("PodScheduled", "DisruptionTarget"):
        if found := conditions.get(kind):
            seen[kind] = {k: v for k, v in found.items() if k not in ("type", "lastTransitionTime")}
    return seen


def event_of(event: JSON, uids: dict[str, str]) -> JSON:
    """An Event without what differs from run to run."""
    message = event["message"]
    for uid, name in uids.items():
        message = message.replace(uid, f"{{uid of {name}}}")
    return {
        "pod": event["involvedObject"]["name"],
        "type": event["type"],
        "reason": event["reason"],
        "message": message,
        "action": event.get("action"),
        "reportingComponent": event["reportingComponent"],
        "times": (event.get("series") or {}).get("count") or event.get("count") or 1,
        **({"related": event["related"]["name"]} if event.get("related") else {}),
    }


class Recorder:
    """Calls a real API server and looks at what comes of it."""

    def __init__(self) -> None:
        config.load_kube_config()
        self._client = client.ApiClient()

    def _send(self, method: str, path: str, body: Any = None, kind: str = "") -> JSON:
        headers = {"Content-Type": kind or "application/json"}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        host, pool = self._client.configuration.host, self._client.rest_client.pool_manager
        text = None if body is None else json.dumps(body)
        answer: JSON = json.loads(
            pool.request(method, host + path, body=text, headers=headers).data
        )
        if answer.get("kind") == "Status" and answer.get("status") == "Failure":
            raise RuntimeError(f"{method} {path}: {answer['message']}")
        return answer

    def prepare(self) -> None:
        """Classes that the situations use."""
        for resource, body in CLUSTER_WIDE:
            path = _PATHS[resource]
            known = {item["metadata"]["name"] for item in self._send("GET", path)["items"]}
            if body["metadata"]["name"] not in known:
                self._send("POST", path, body)

    def record(self, situation: JSON, number: int) -> JSON:
        """The calls of one situation and what was seen after each."""
        own = f"golden-{number}"
        calls = calls_of(situation)
        spaces = [c["body"]["metadata"]["name"] for c in calls if c.get("resource") == "namespaces"]
        names = {"golden": own, **{name: f"{own}-{name}" for name in spaces}}
        self._namespace(own, {})
        steps, uids = [], {}
        for call in calls:
            self._do(call, names)
            if call["do"] == "create" and call["resource"] in ("nodes", "namespaces"):
                steps.append({"call": call})
                continue
            pods = self._settled(names)
            uids.update({pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in pods})
            seen = {pod["metadata"]["name"]: seen_of(pod) for pod in pods}
            steps.append({"call": call, "seen": self._plain(seen, names)})
        events = [event_of(event, uids) for name in names.values() for event in self._events(name)]
        self._clear(names)
        return {"steps": steps, "events": self._plain(events, names)}

    def _plain(self, value: Any, names: dict[str, str]) -> Any:
        text = json.dumps(value)
        for plain, real in sorted(names.items(), key=lambda pair: -len(pair[1])):
            text = text.replace(f"{real}/", f"{plain}/")
        return json.loads(text)

    def _events(self, namespace: str) -> list[JSON]:
        items = self._send("GET", _PATHS["events"].format(namespace))["items"]
        mine = [e for e in items if e["reportingComponent"] == "default-scheduler"]
        return sorted(mine, key=lambda e: e["eventTime"])

    def _do(self, call: JSON, names: dict[str, str]) -> None:
        if call["do"] == "create":
            self._create(call, names)
            return
        path = f"{_PATHS[call['resource']].format(names['golden'])}/{call['name']}"
        if call["do"] == "patch":
            for part in ("", "/status") if "status" in call["body"] else ("",):
                self._send("PATCH", path + part, call["body"], _PATCH)
        else:
            self._send("DELETE", path, {"gracePeriodSeconds": 0} if call["do"] == "gone" else {})

    def _create(self, call: JSON, names: dict[str, str]) -> None:
        resource, body = call["resource"], call["body"]
        if resource == "namespaces":
            labels = body["metadata"]["labels"]
            self._namespace(names[body["metadata"]["name"]], labels)
            return
        if resource == "pods":
            body = json.loads(json.dumps(body))
            body["metadata"]["namespace"] = names[body["metadata"].get("namespace", "golden")]
        if resource == "nodes":
            body = _alive(body)
        namespace = body["metadata"].get("namespace", "")
        self._send("POST", _PATHS[resource].format(namespace), body)
        if resource == "nodes":
            self._taints_settle(body)

    def _taints_settle(self, node: JSON) -> None:
        wanted = [(t["key"], t["effect"]) for t in node["spec"]["taints"]]
        wanted += [(t, "NoSchedule") for t in _UNSCHEDULABLE if node["spec"].get("unschedulable")]
        path = f"{_PATHS['nodes']}/{node['metadata']['name']}"
        while True:
            taints = self._send("GET", path)["spec"].get("taints") or ()
            if {(t["key"], t["effect"]) for t in taints} >= set(wanted) and not any(
                t["key"] == NOT_READY["key"] and (t["key"], "NoSchedule") not in wanted
                for t in taints
            ):
                return
            time.sleep(0.05)

    def _namespace(self, name: str, labels: JSON) -> None:
        body = {"metadata": {"name": name, "labels": labels}}
        self._send("POST", _PATHS["namespaces"], body)
        while not self._send("GET", _PATHS["serviceaccounts"].format(name))["items"]:
            time.sleep(0.05)

    def _pods(self, names: dict[str, str]) -> list[JSON]:
        paths = [_PATHS["pods"].format(name) for name in names.values()]
        return [pod for path in paths for pod in self._send("GET", path)["items"]]

    def _settled(self, names: dict[str, str]) -> list[JSON]:
        """The pods when nothing has changed for a while and each has its verdict."""
        before, since = "", time.monotonic()
        while True:
            pods = self._pods(names)
            events = [self._events(name) for name in names.values()]
            now = json.dumps([pods, events])
            if now != before:
                before, since = now, time.monotonic()
            judged = all(
                pod["status"].get("conditions") or pod["spec"].get("nodeName") for pod in pods
            )
            if judged and time.monotonic() - since > QUIET_SECONDS:
                return pods
            time.sleep(0.1)

    def _clear(self, names: dict[str, str]) -> None:
        for pod in self._pods(names):
            meta = pod["metadata"]
            path = f"{_PATHS['pods'].format(meta['namespace'])}/{meta['name']}"
            self._send("DELETE", path, {"gracePeriodSeconds": 0})
        self._send("DELETE", _PATHS["nodes"])
        for name in names.values():
            self._send("DELETE", f"{_PATHS['namespaces']}/{name}")
        while self._send("GET", _PATHS["nodes"])["items"]:
            time.sleep(0.1)


_UNSCHEDULABLE = ("node.kubernetes.io/unschedulable",)


def _alive(node: JSON) -> JSON:
    """With a heartbeat, so that the node lifecycle controller leaves it alone for a while."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    beat = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    others = ("MemoryPressure", "DiskPressure", "PIDPressure")
    conditions = [
        *node["status"]["conditions"],
        *({"type": kind, "status": "False"} for kind in others),
    ]
    return {**node, "status": {**node["status"], "conditions": [{**c, **beat} for c in conditions]}}


def main() -> None:
    """Write the golden of each situation asked for, or of all."""
    from goldens import newer

    wanted = {k: v for k, v in situations().items() if not sys.argv[1:] or k in sys.argv[1:]}
    recorder, first = Recorder(), int(time.time()) % 100_000 * 1000
    recorder.prepare()
    kubernetes = os.environ.get("KUBERNETES", newer.OLDEST)
    before = newer.whole(GOLDEN, kubernetes)["situations"]
    for number, (name, situation) in enumerate(wanted.items(), first):
        before[name] = recorder.record(situation, number)
        ordered = {name: before[name] for name in situations() if name in before}
        if kubernetes == newer.OLDEST:
            GOLDEN.write_text(printed(ordered))
        else:
            recorded = {"classes": newer.whole(GOLDEN, newer.OLDEST)["classes"]}
            newer.write(GOLDEN, kubernetes, {**recorded, "situations": ordered})


def printed(recorded: dict[str, JSON]) -> str:
    """As JSON with a line for each call and each Event."""

    def lines(values: list[Any]) -> str:
        return "[" + ",".join(f"\n    {json.dumps(value)}" for value in values) + "]"

    found = ",\n".join(
        f'  {json.dumps(name)}: {{"steps": {lines(one["steps"])},\n'
        f'   "events": {lines(one["events"])}}}'
        for name, one in recorded.items()
    )
    return f'{{"classes": {lines(CLUSTER_WIDE)},\n "situations": {{\n{found}\n}}}}\n'


if __name__ == "__main__":
    main()
