"""Record what a real kube-controller-manager makes of the sequences of controllers/sequences.yaml.

    PYTHONPATH=tests python -m goldens.record_controllers KUBE_APISERVER KUBE_CONTROLLER_MANAGER

A third argument is a part of the names of those that are recorded anew.

There is no kubelet and no scheduler: pods become what the steps say. All sequences are played at
once, each in a namespace of its own, step by step; after each step everything is left to settle.
The golden has what each step has changed, with tokens in the place of generated names and times.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from ruamel.yaml import YAML

from goldens import newer
from goldens.record_kinds import JSON_TYPE, MERGE, TIME, UUID
from goldens.record_requests import namespace

HERE = Path(__file__).parent / "controllers"
GOLDEN = HERE / "sequences.golden.json"
NODES = ("node-1", "node-2", "node-3")
QUIET_SECONDS = 3.0
CONTROLLERS = "*,-node-lifecycle-controller,-node-ipam-controller,-taint-eviction-controller"

RESOURCES = {
    "pods": "/api/v1",
    "persistentvolumeclaims": "/api/v1",
    "persistentvolumes": "/api/v1",
    "replicationcontrollers": "/api/v1",
    "events": "/api/v1",
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "daemonsets": "/apis/apps/v1",
    "controllerrevisions": "/apis/apps/v1",
    "jobs": "/apis/batch/v1",
    "cronjobs": "/apis/batch/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "services": "/api/v1",
    "storageclasses": "/apis/storage.k8s.io/v1",
}
_CLUSTER_WIDE = ("persistentvolumes", "storageclasses")
_KINDS = {
    "Pod": "pods",
    "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "StorageClass": "storageclasses",
    "ReplicationController": "replicationcontrollers",
    "Deployment": "deployments",
    "ReplicaSet": "replicasets",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "Job": "jobs",
    "CronJob": "cronjobs",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "Service": "services",
}

Snapshot = dict[str, Any]


class Reply(Protocol):
    @property
    def code(self) -> int: ...
    @property
    def body(self) -> Any: ...


class Cluster(Protocol):
    """A real API server with its controllers, or the simulated ones."""

    def call(
        self, method: str, path: str, body: Any = None, *, content_type: str, accept: str
    ) -> Reply: ...

    def settle(self, seconds: float) -> None:
        """Let so much time pass, and then wait until nothing changes."""

    def timestamp(self) -> str:
        """Now, as in objects."""


def load() -> dict[str, list[dict[str, Any]]]:
    """The steps of each sequence by its name."""
    found = json.loads(json.dumps(YAML(typ="safe").load(HERE / "sequences.yaml")))
    found.pop("templates")
    cases: dict[str, list[dict[str, Any]]] = found
    return cases


def play(cluster: Cluster, cases: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[Snapshot]]:
    """What each step of each sequence has changed."""
    player = _Player(cluster)
    for node in NODES:
        player.node(node)
    for name in cases:
        player.post("/api/v1/namespaces", {"metadata": {"name": namespace(name)}})
    cluster.settle(0)
    answers: dict[str, list[Snapshot]] = {name: [] for name in cases}
    before: dict[str, Snapshot] = {name: {} for name in cases}
    for number in range(max(map(len, cases.values()))):
        going = [name for name, steps in cases.items() if number < len(steps)]
        seconds, refusals = 0.0, {}
        for name in going:
            step = cases[name][number]
            seconds = max(seconds, step.get("wait", 0))
            if "minute" in step:
                seconds = max(seconds, 63 - int(cluster.timestamp()[17:19]))
            try:
                refusals[name] = player.do(namespace(name), step)
            except AssertionError as error:
                sys.stderr.write(f"{name}: step {number + 1}: {error}\n")
                refusals[name] = str(error)
        cluster.settle(seconds)
        places = {name: namespace(name) for name in going}
        for name, snapshot in player.snapshots(places).items():
            answers[name].append(_changed(before[name], snapshot, refusals[name]))
            before[name] = snapshot
    return answers


def _changed(before: Snapshot, after: Snapshot, refusal: str) -> Snapshot:
    changes = {
        key: after.get(key)
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    }
    return {**changes, "refused": refusal} if refusal else changes


class _Player:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._addresses: dict[str, int] = {}
        self._tokens: dict[str, dict[str, str]] = {}

    def call(self, method: str, path: str, body: Any = None, kind: str = JSON_TYPE) -> Any:
        reply = self._cluster.call(method, path, body, content_type=kind, accept=JSON_TYPE)
        assert reply.code < 300, f"{method} {path}: {reply.body}"
        return reply.body

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", path, body)

    def node(self, name: str) -> None:
        labels = {"kubernetes.io/hostname": name, "number": name[-1]}
        made = {"metadata": {"name": name, "labels": labels}}
        status = {
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
            "allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"},
            "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
        }
        self.post("/api/v1/nodes", made)
        self.call("PATCH", f"/api/v1/nodes/{name}", {"spec": {"taints": None}}, MERGE)
        self.call("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, MERGE)

    def do(self, where: str, step: Mapping[str, Any]) -> str:
        """One step; the message of a refusal where it is refused."""
        [what] = [key for key in step if key not in ("minute", "wait")] or ["wait"]
        if what == "create":
            obj = step["create"]
            self.post(_path(where, _KINDS[obj["kind"]]), obj)
        elif what == "patch":
            resource, name = step["patch"]["object"].split("/")
            path = f"{_path(where, resource)}/{name}"
            self.call("PATCH", path, step["patch"]["merge"], MERGE)
        elif what == "delete":
            resource, name = step["delete"]["object"].split("/")
            options = {"propagationPolicy": step["delete"].get("policy", "Background")}
            self.call("DELETE", f"{_path(where, resource)}/{name}", options)
        elif what == "evict":
            answers = [self._evict(where, pod) for pod in self._pods(where, step["evict"])]
            return "; ".join(filter(None, answers))
        elif what in ("run", "unready", "finish", "gone", "remove", "label", "annotate"):
            for pod in self._pods(where, step[what]):
                getattr(self, f"_{what}")(where, pod, step[what])
                if step[what].get("slowly"):
                    self._cluster.settle(0)
        elif what != "wait":
            raise ValueError(f"sequences.yaml: unknown step {what}")
        return ""

    def _pods(self, where: str, chosen: Mapping[str, Any]) -> list[Any]:
        """Pods by name, label and phase, in the order of their names, at most `count` of them."""
        items = self.call("GET", _path(where, "pods"))["items"]
        found = [
            pod
            for pod in sorted(items, key=lambda pod: pod["metadata"]["name"])
            if _chosen(pod, chosen)
        ]
        return found[: chosen.get("count", len(found))]

    def _run(self, where: str, pod: Any, chosen: Mapping[str, Any]) -> None:
        name = pod["metadata"]["name"]
        path = f"{_path(where, 'pods')}/{name}"
        if not pod["spec"].get("nodeName"):
            target = {"kind": "Node", "name": _wanted_node(pod) or chosen.get("node", NODES[0])}
            self.post(f"{path}/binding", {"metadata": {"name": name}, "target": target})
        if pod["status"].get("podIP"):
            address = pod["status"]["podIP"]
        else:
            number = self._addresses[where] = self._addresses.get(where, 0) + 1
            address = f"10.1.0.{number}"
        self._status(path, pod, "Running", ready=chosen.get("ready", True), address=address)

    def _unready(self, where: str, pod: Any, _: Mapping[str, Any]) -> None:
        path = f"{_path(where, 'pods')}/{pod['metadata']['name']}"
        self._status(path, pod, "Running", ready=False, address=pod["status"]["podIP"])

    def _status(
        self, path: str, pod: Any, phase: str, *, ready: bool, address: str, code: int | None = None
    ) -> None:
        now = self._cluster.timestamp()
        kinds = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready}
        kinds["Ready"] = ready
        conditions = [
            {"type": kind, "status": str(value), "lastTransitionTime": now}
            for kind, value in kinds.items()
        ]
        conditions += [
            c for c in pod["status"].get("conditions") or () if c["type"] == "DisruptionTarget"
        ]
        state: Any = {"running": {"startedAt": now}}
        if code is not None:
            state = {"terminated": {"exitCode": code, "startedAt": now, "finishedAt": now}}
        containers = [
            {
                "name": each["name"],
                "image": each["image"],
                "imageID": "",
                "restartCount": 0,
                "ready": ready,
                "state": state,
            }
            for each in pod["spec"]["containers"]
        ]
        status = {"phase": phase, "conditions": conditions, "containerStatuses": containers}
        status |= {"startTime": now}
        if address:
            status |= {"podIP": address, "podIPs": [{"ip": address}], "hostIP": "10.0.0.1"}
        self.call("PATCH", f"{path}/status", {"status": status}, MERGE)

    def _finish(self, where: str, pod: Any, chosen: Mapping[str, Any]) -> None:
        path = f"{_path(where, 'pods')}/{pod['metadata']['name']}"
        code = chosen.get("code", 0)
        phase = "Failed" if code else "Succeeded"
        if chosen.get("disrupted"):
            pod["status"].setdefault("conditions", []).append(
                {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "lastTransitionTime": self._cluster.timestamp(),
                    "reason": "PreemptionByScheduler",
                }
            )
        address = pod["status"].get("podIP", "")
        self._status(path, pod, phase, ready=False, address=address, code=code)

    def _evict(self, where: str, pod: Any) -> str:
        name = pod["metadata"]["name"]
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": where},
        }
        path = f"{_path(where, 'pods')}/{name}/eviction"
        reply = self._cluster.call("POST", path, eviction, content_type=JSON_TYPE, accept=JSON_TYPE)
        if reply.code < 300:
            return ""
        causes = (reply.body.get("details") or {}).get("causes") or ()
        text = " | ".join(cause["message"] for cause in causes)
        return f"{reply.code} {reply.body['message']} {text}".strip()

    def _gone(self, where: str, pod: Any, _: Mapping[str, Any]) -> None:
        """What a kubelet does at last with a pod that is being deleted."""
        if "deletionTimestamp" in pod["metadata"]:
            options = {"gracePeriodSeconds": 0}
            self.call("DELETE", f"{_path(where, 'pods')}/{pod['metadata']['name']}", options)

    def _remove(self, where: str, pod: Any, _: Mapping[str, Any]) -> None:
        self.call("DELETE", f"{_path(where, 'pods')}/{pod['metadata']['name']}")

    def _label(self, where: str, pod: Any, chosen: Mapping[str, Any]) -> None:
        path = f"{_path(where, 'pods')}/{pod['metadata']['name']}"
        self.call("PATCH", path, {"metadata": {"labels": chosen["set"]}}, MERGE)

    def _annotate(self, where: str, pod: Any, chosen: Mapping[str, Any]) -> None:
        path = f"{_path(where, 'pods')}/{pod['metadata']['name']}"
        self.call("PATCH", path, {"metadata": {"annotations": chosen["set"]}}, MERGE)

    def snapshots(self, cases: Mapping[str, str]) -> dict[str, Snapshot]:
        """What there is in the namespaces of sequences."""
        objects: dict[str, dict[str, list[Any]]] = {name: {} for name in cases}
        by_namespace = {where: name for name, where in cases.items()}
        for resource, prefix in RESOURCES.items():
            for obj in self.call("GET", f"{prefix}/{resource}")["items"]:
                name = by_namespace.get(_namespace_of(obj))
                if name is not None:
                    objects[name].setdefault(resource, []).append(obj)
        return {
            name: snapshot(cases[name], found, self._tokens.setdefault(name, {}))
            for name, found in objects.items()
        }


def _path(where: str, resource: str) -> str:
    if resource in _CLUSTER_WIDE:
        return f"{RESOURCES[resource]}/{resource}"
    return f"{RESOURCES[resource]}/namespaces/{where}/{resource}"


def _chosen(pod: Any, chosen: Mapping[str, Any]) -> bool:
    meta, labels = pod["metadata"], pod["metadata"].get("labels") or {}
    if "name" in chosen and meta["name"] != chosen["name"]:
        return False
    if any(labels.get(key) != value for key, value in chosen.get("labels", {}).items()):
        return False
    if "image" in chosen and pod["spec"]["containers"][0]["image"] != chosen["image"]:
        return False
    if "phase" in chosen and pod["status"].get("phase") != chosen["phase"]:
        return False
    if pod["status"].get("phase") in ("Succeeded", "Failed") and not chosen.get("ended"):
        return "deletionTimestamp" in meta and bool(chosen.get("terminating"))
    return bool(chosen.get("terminating", False)) == ("deletionTimestamp" in meta)


def _namespace_of(obj: Any) -> str:
    """The namespace of an object; of a volume that of its claim."""
    claim = (obj.get("spec") or {}).get("claimRef") or {}
    return str(obj["metadata"].get("namespace") or claim.get("namespace") or "")


def _wanted_node(pod: Any) -> str:
    """The node to which a DaemonSet's pod is tied."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name":
                return str(field["values"][0])
    return ""


# Normalising

_DROPPED_META = (
    "creationTimestamp",
    "managedFields",
    "namespace",
    "resourceVersion",
    "uid",
    "generateName",
    "selfLink",
    "deletionGracePeriodSeconds",
)
_REPEAT = ("persistentvolume-controller", "controllermanager")
_POD_SPEC = ("hostname", "restartPolicy", "subdomain")


def snapshot(where: str, objects: Mapping[str, list[Any]], known: dict[str, str]) -> Snapshot:
    """The objects of a namespace by resource and name; equal ones are counted.

    `known` are the tokens of names, from step to step.
    """
    names = _names(objects, known)
    result: dict[str, list[Any]] = {}
    for resource, found in objects.items():
        if resource == "events":
            continue
        for obj in found:
            shown = _tokens(_object(resource, obj), names, where)
            key = f"{resource}/{shown['metadata'].pop('name')}"
            result.setdefault(key, []).append(shown)
    counted = {
        key: _counted(sorted(shown, key=lambda each: json.dumps(each, sort_keys=True)))
        for key, shown in result.items()
    }
    if found := _events(objects.get("events", ()), names, where):
        counted["events"] = found
    return counted


def _counted(shown: list[Any]) -> Any:
    if len(shown) == 1:
        return shown[0]
    unlike: list[Any] = []
    for each in shown:
        if not unlike or unlike[-1]["object"] != each:
            unlike.append({"count": 0, "object": each})
        unlike[-1]["count"] += 1
    return unlike


def _object(resource: str, obj: Any) -> Any:
    meta = {k: v for k, v in obj["metadata"].items() if k not in _DROPPED_META}
    result = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
    if resource == "pods":
        result = _pod(obj)
        meta.pop("generation", None)
    if resource == "services":
        result = {}
    if resource == "controllerrevisions":
        result["data"] = {"spec": _short(obj["data"]["spec"])}
    if "template" in (result.get("spec") or {}):
        result["spec"] = _short(result["spec"])
    if resource == "endpointslices":
        result["endpoints"] = sorted(
            result.get("endpoints") or (), key=lambda each: str(each["addresses"])
        )
        meta.pop("generation", None)
        if meta.get("annotations"):
            meta["annotations"].pop("endpoints.kubernetes.io/last-change-trigger-time", None)
    if "claimRef" in (result.get("spec") or {}):
        result["spec"]["claimRef"].pop("resourceVersion", None)
    for active in (
        (result.get("status") or {}).get("active") or () if resource == "cronjobs" else ()
    ):
        active.pop("resourceVersion", None)
    if "ownerReferences" in meta:
        meta["ownerReferences"] = [_owner(each) for each in meta["ownerReferences"]]
    if not meta.get("annotations"):
        meta.pop("annotations", None)
    return {**result, "metadata": meta}


def _pod(pod: Any) -> Any:
    """What controllers decide of a pod; not its node, which is often one of several equal ones."""
    spec, status = pod["spec"], pod["status"]
    shown: Any = {field: spec[field] for field in _POD_SPEC if field in spec}
    shown["containers"] = [
        " ".join([c["image"], *(json.dumps(each) for each in c.get("env") or ())])
        for c in spec["containers"]
    ]
    shown["volumes"] = [
        volume
        for volume in spec.get("volumes") or ()
        if not volume["name"].startswith("kube-api-access")
    ]
    shown["tolerations"] = sorted(
        f"{toleration['key']}:{toleration['effect']}"
        for toleration in spec.get("tolerations") or ()
        if "tolerationSeconds" not in toleration
    )
    shown["node"] = "bound" if "nodeName" in spec else "wanted" if _wanted_node(pod) else ""
    conditions = sorted(
        f"{c['type']}={c['status']} {c.get('reason', '')}".strip()
        for c in status.get("conditions") or ()
    )
    return {
        "spec": {name: value for name, value in shown.items() if value},
        "status": {"phase": status.get("phase"), "conditions": conditions},
    }


def _owner(reference: Any) -> str:
    flags = [flag for flag in ("controller", "blockOwnerDeletion") if reference.get(flag)]
    return " ".join([f"{reference['kind']}/{reference['name']}", *flags])


def _short(spec: Any) -> Any:
    """A spec with no more of its template than the labels and the images."""
    template = spec["template"]
    images = [container["image"] for container in template["spec"]["containers"]]
    labels = (template.get("metadata") or {}).get("labels")
    return {**spec, "template": {"images": images, "labels": labels}}


def _names(objects: Mapping[str, list[Any]], found: dict[str, str]) -> list[tuple[str, str]]:
    """What to replace by what: generated names and hashes by numbers, longest first."""
    sets = objects.get("replicasets", [])
    hashed = sorted((s for s in sets if _hash(s)), key=_revision)
    for each in hashed:
        found.setdefault(_hash(each), f"<hash {_next(found, '<hash ')}>")
    revisions = objects.get("controllerrevisions", [])
    for each in sorted(revisions, key=lambda each: (each["revision"], each["metadata"]["name"])):
        digest = each["metadata"]["name"].rsplit("-", 1)[1]
        found.setdefault(digest, f"<revision {_next(found, '<revision ')}>")
    for each in (*objects.get("pods", ()), *objects.get("endpointslices", ())):
        prefix = each["metadata"].get("generateName")
        if prefix and not re.fullmatch(r"\d{1,2}", each["metadata"]["name"][len(prefix) :]):
            found[each["metadata"]["name"]] = f"{prefix}<suffix>"
    for each in objects.get("events", ()):
        for generated in re.findall(r"(?:Created|Deleted) pod: (\S+)", each["message"]):
            if generated not in found and not re.search(r"-\d{1,2}$", generated):
                found[generated] = f"{generated.rsplit('-', 1)[0]}-<suffix>"
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def _next(found: Mapping[str, str], kind: str) -> int:
    return 1 + sum(token.startswith(kind) for token in found.values())


def _hash(each: Any) -> str:
    return str((each["metadata"].get("labels") or {}).get("pod-template-hash", ""))


def _revision(each: Any) -> tuple[int, str]:
    notes = each["metadata"].get("annotations") or {}
    history = notes.get("deployment.kubernetes.io/revision-history", "")
    first = (history or notes.get("deployment.kubernetes.io/revision", "0")).split(",")[0]
    return int(first), each["metadata"]["creationTimestamp"]


def _tokens(value: Any, names: list[tuple[str, str]], where: str) -> Any:
    text = json.dumps(value, sort_keys=True)
    for name, token in names:
        text = text.replace(name, token)
    for name, token in names:
        # What a generated name begins with may hold a hash itself.
        text = text.replace(name, token)
    text = UUID.sub("<uid>", TIME.sub("<time>", text)).replace(where, "<namespace>")
    text = re.sub(r"\bnode-\d\b", "<node>", text)
    text = re.sub(r'Chose \\"[a-z]+\\" arbitrarily', "Chose one arbitrarily", text)
    text = re.sub(r"\b(hourly|minutely)-\d{8}\b", r"\1-<minute>", text)
    return json.loads(text)


def _events(events: Any, names: list[tuple[str, str]], where: str) -> list[str]:
    counted: dict[str, int] = {}
    for each in events:
        about = each["involvedObject"]
        text = f"{about['kind']}/{about['name']} {each['type']} {each['reason']}: {each['message']}"
        [shown] = _tokens([text], names, where)
        # The binder says the same every 15 seconds, the disruption controller at every sync, and
        # how often a creation is tried again depends on the time.
        repeats = each["source"].get("component") in _REPEAT or each["reason"] == "FailedCreate"
        counted[shown] = counted.get(shown, 0) + (1 if repeats else each.get("count") or 1)
    return [f"{count}x {text}" for text, count in sorted(counted.items())]


class _Real:
    """The real API server, and how long to wait for its controllers."""

    def __init__(self, server: Any) -> None:
        self.call = server.call

    def timestamp(self) -> str:
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def settle(self, seconds: float) -> None:
        time.sleep(seconds)
        before, since = self._versions(), time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS:
            time.sleep(0.5)
            now = self._versions()
            if now != before:
                before, since = now, time.monotonic()

    def _versions(self) -> list[tuple[str, str]]:
        found = []
        for resource, prefix in RESOURCES.items():
            reply = self.call("GET", f"{prefix}/{resource}")
            found += [
                (o["metadata"]["uid"], o["metadata"]["resourceVersion"])
                for o in reply.body["items"]
            ]
        return found


def main() -> None:
    """Write the golden."""
    from goldens.bare_apiserver import bare_apiserver

    apiserver, manager = map(Path, sys.argv[1:3])
    part = sys.argv[3] if len(sys.argv) > 3 else ""
    cases = load()
    chosen = {name: steps for name, steps in cases.items() if part in name}
    flags = ("--disable-admission-plugins=ServiceAccount",)
    with bare_apiserver(apiserver, *flags) as server, tempfile.TemporaryDirectory() as folder:
        version = newer.version_of(server)
        kubeconfig = Path(folder) / "kubeconfig"
        kubeconfig.write_text(json.dumps(server.kubeconfig()))
        log = Path(folder) / "log"
        command = [
            str(manager),
            f"--kubeconfig={kubeconfig}",
            f"--controllers={CONTROLLERS}",
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            "--concurrent-gc-syncs=5",
            "--v=0",
        ]
        with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
            try:
                answers = play(_Real(server), chosen)
            finally:
                process.terminate()
    if part:
        answers = {**newer.whole(GOLDEN, version), **answers}
    texts = {
        name: ",\n".join(json.dumps(step, sort_keys=True) for step in answers[name])
        for name in cases
    }
    lines = [f"{json.dumps(name)}: [\n{text}\n]" for name, text in texts.items()]
    newer.save(GOLDEN, version, answers, "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
