"""Record what a kube-scheduler decides about the cases of tests/goldens/scheduler/cases.

    PYTHONPATH=tests python -m goldens.record_scheduler_cases KUBE_APISERVER KUBE_SCHEDULER [FILE…]

FILE is the name of a case file without its suffix; a case that was recorded with the same calls is
kept, one with `since` is only for that version and newer ones (see `newer`). An API server and the
scheduler run, and nothing else: nodes are objects without a kubelet, no controller binds a volume,
makes a claim or taints a node, and a pod that is being deleted stays until a step says that it is
gone. FILE.golden.json gets the calls of each case as they were made and, after each step, what the
scheduler made of pods, volumes and claims, with the score that every plugin gave to every node;
Events come at the end.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ruamel.yaml import YAML

from goldens import newer
from goldens.bare_apiserver import BareServer, bare_apiserver, free_ports, running
from goldens.record_scheduler import CLUSTER_WIDE, event_of, node_of, pod_of, seen_of
from hourglass_kube.types import JSON

HERE = Path(__file__).parent / "scheduler/cases"
NAMESPACE = "golden"
QUIET_SECONDS = 0.5
PATHS = {
    "namespaces": "/api/v1/namespaces",
    "nodes": "/api/v1/nodes",
    "pods": f"/api/v1/namespaces/{NAMESPACE}/pods",
    "services": f"/api/v1/namespaces/{NAMESPACE}/services",
    "replicasets": f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets",
    "poddisruptionbudgets": f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets",
    "persistentvolumes": "/api/v1/persistentvolumes",
    "persistentvolumeclaims": f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims",
    "storageclasses": "/apis/storage.k8s.io/v1/storageclasses",
    "csinodes": "/apis/storage.k8s.io/v1/csinodes",
    "csidrivers": "/apis/storage.k8s.io/v1/csidrivers",
    "csistoragecapacities": f"/apis/storage.k8s.io/v1/namespaces/{NAMESPACE}/csistoragecapacities",
    "priorityclasses": "/apis/scheduling.k8s.io/v1/priorityclasses",
    "runtimeclasses": "/apis/node.k8s.io/v1/runtimeclasses",
    "deviceclasses": "/apis/resource.k8s.io/v1/deviceclasses",
    "resourceslices": "/apis/resource.k8s.io/v1/resourceslices",
    "resourceclaims": f"/apis/resource.k8s.io/v1/namespaces/{NAMESPACE}/resourceclaims",
    "devicetaintrules": "/apis/resource.k8s.io/v1/devicetaintrules",
}
_KEPT = ("namespaces", "priorityclasses", "runtimeclasses")
_EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"
_PATCH = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
_SHORT = {
    "pv": "persistentvolumes",
    "pvc": "persistentvolumeclaims",
    "class": "storageclasses",
    "csinode": "csinodes",
    "deviceclass": "deviceclasses",
    "slice": "resourceslices",
    "claim": "resourceclaims",
    "taintrule": "devicetaintrules",
    "pdb": "poddisruptionbudgets",
    "driver": "csidrivers",
    "capacity": "csistoragecapacities",
    "service": "services",
    "replicaset": "replicasets",
}
_SCORED = re.compile(
    r'"Plugin scored node for pod" pod="[^/]*/([^"]*)" plugin="([^"]*)" node="([^"]*)" '
    r"score=(-?\d+)"
)


def cases(file: str) -> dict[str, JSON]:
    """The cases of a file by id."""
    loaded: dict[str, JSON] = YAML(typ="safe").load((HERE / f"{file}.yaml").read_text())
    return loaded


def calls_of(case: JSON) -> list[list[JSON]]:
    """A case as calls, step by step: `do` is create, status, patch, delete or gone."""
    given = [{kind: one} for kind in ("node", *_SHORT) for one in case.get(f"{kind}s") or ()]
    first = [call for step in given for call in _calls(step)]
    return [*([first] if first else []), *(list(_calls(step)) for step in case["steps"])]


def _calls(step: JSON) -> Iterator[JSON]:
    if "all" in step:
        for one in step["all"]:
            yield from _calls(one)
        return
    for verb in ("patch", "delete", "gone"):
        if verb in step:
            resource, name = step[verb].split("/")
            call = {"do": verb, "resource": resource, "name": name}
            if verb == "patch":
                status = {"status": step.pop("status")} if "status" in step else None
                body = {k: v for k, v in step.items() if k != "patch"}
                if body:
                    yield {**call, "body": body}
                if status:
                    yield {**call, "do": "status", "body": status}
            else:
                yield call
            return
    if "namespace" in step:
        meta = {"name": step["namespace"], "labels": step.get("labels", {})}
        yield {"do": "create", "resource": "namespaces", "body": {"metadata": meta}}
        return
    ((kind, given),) = step.items()
    resource, body = _object(kind, given)
    status = None if resource == "nodes" else body.pop("status", None)
    yield {"do": "create", "resource": resource, "body": body}
    if status:
        name = body["metadata"]["name"]
        yield {"do": "status", "resource": resource, "name": name, "body": {"status": status}}


def _object(kind: str, given: JSON) -> tuple[str, JSON]:
    if kind == "node":
        body = node_of({k: v for k, v in given.items() if k != "status"})
        body["metadata"].setdefault("annotations", given.get("annotations", {}))
        body["status"].update(given.get("status", {}))
        return "nodes", body
    if kind == "pod":
        return "pods", _pod(given)
    name, labels = given.pop("name"), given.pop("labels", {})
    meta: JSON = {"name": name, "labels": labels}
    if "annotations" in given:
        meta["annotations"] = given.pop("annotations")
    if "owners" in given:
        meta["ownerReferences"] = given.pop("owners")
    body = {"metadata": meta}
    if kind == "pv":
        body |= _volume(given)
    elif kind == "pvc":
        if "volume" in given and given.get("bound", True):
            meta.setdefault("annotations", {})["pv.kubernetes.io/bind-completed"] = "yes"
        body |= _claim(given)
    elif kind == "class":
        body |= {"provisioner": "kubernetes.io/no-provisioner", **given}
    elif kind == "csinode":
        body["spec"] = {
            "drivers": [
                {"name": d, "nodeID": name, "topologyKeys": [], "allocatable": {"count": n}}
                for d, n in given["drivers"].items()
            ]
        }
    elif kind == "capacity":
        body |= given
    elif kind == "service":
        body["spec"] = {"selector": given["selector"], "ports": [{"port": 80}]}
    elif kind == "replicaset":
        template = {"containers": [{"name": "c", "image": "i:1"}]}
        body["spec"] = {
            "replicas": 0,
            "selector": {"matchLabels": given["selector"]},
            "template": {"metadata": {"labels": given["selector"]}, "spec": template},
        }
    elif kind == "pdb":
        allowed = given.pop("allowed")
        spec = {"selector": {"matchLabels": given["selector"]}, "maxUnavailable": 1}
        body["spec"] = spec
        body["status"] = {
            "disruptionsAllowed": allowed,
            "currentHealthy": 1,
            "desiredHealthy": 1,
            "expectedPods": 1,
            "disruptedPods": given.get("disrupted", {}),
            "observedGeneration": 1,
        }
    else:
        status = given.pop("status", None)
        body["spec"] = given.pop("spec", None) or given
        if status:
            body["status"] = status
    return _SHORT[kind], body


def _pod(given: JSON) -> JSON:
    ours = ("claims", "on", "status", "owners", "annotations", "init", "containers_more")
    plain = {k: v for k, v in given.items() if k not in ours}
    body = pod_of(plain)
    if "on" in given:
        body["spec"]["nodeName"] = given["on"]
    if "claims" in given:
        body["spec"].setdefault("volumes", []).extend(
            {"name": f"v{i}", "persistentVolumeClaim": {"claimName": c}}
            for i, c in enumerate(given["claims"])
        )
    if "owners" in given:
        body["metadata"]["ownerReferences"] = given["owners"]
    if "annotations" in given:
        body["metadata"]["annotations"] = given["annotations"]
    if "status" in given:
        body["status"] = given["status"]
    return body


def _volume(given: JSON) -> JSON:
    spec: JSON = {
        "capacity": {"storage": given.get("size", "1Gi")},
        "accessModes": given.get("modes", ["ReadWriteOnce"]),
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": given.get("class", "local"),
    }
    if "driver" in given:
        spec["csi"] = {"driver": given["driver"], "volumeHandle": given["handle"]}
    else:
        spec["hostPath"] = {"path": "/data"}
    if "nodes" in given:
        expression = {"key": given.get("key", "kubernetes.io/hostname"), "operator": "In"}
        term = {"matchExpressions": [{**expression, "values": given["nodes"]}]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [term]}}
    if "claim" in given:
        spec["claimRef"] = {"kind": "PersistentVolumeClaim", "namespace": NAMESPACE} | (
            {"name": given["claim"]} if isinstance(given["claim"], str) else given["claim"]
        )
    for key in ("volumeMode",):
        if key in given:
            spec[key] = given[key]
    return {"spec": spec, "status": {"phase": given.get("phase", "Available")}}


def _claim(given: JSON) -> JSON:
    spec: JSON = {
        "accessModes": given.get("modes", ["ReadWriteOnce"]),
        "resources": {"requests": {"storage": given.get("size", "1Gi")}},
    }
    if given.get("class", "local") is not None:
        spec["storageClassName"] = given.get("class", "local")
    for key in ("volumeMode", "selector"):
        if key in given:
            spec[key] = given[key]
    body: JSON = {"spec": spec}
    if "volume" in given:
        spec["volumeName"] = given["volume"]
        body["status"] = {"phase": given.get("phase", "Bound")}
    return body


def others(listed: Callable[[str], list[JSON]]) -> JSON:
    """What the scheduler wrote elsewhere; `listed` gives the objects of a resource."""
    found: JSON = {}
    for claim in listed("persistentvolumeclaims"):
        annotations = claim["metadata"].get("annotations") or {}
        node = annotations.get("volume.kubernetes.io/selected-node")
        if node:
            found.setdefault("selected", {})[claim["metadata"]["name"]] = node
    for volume in listed("persistentvolumes"):
        reference = volume["spec"].get("claimRef")
        if reference:
            found.setdefault("bound", {})[volume["metadata"]["name"]] = reference["name"]
    for claim in listed("resourceclaims"):
        status = claim.get("status") or {}
        made = bool(claim["metadata"].get("generateName"))
        if status:
            shown = {k: v for k, v in status.items() if k != "reservedFor"}
            shown["reservedFor"] = [user["name"] for user in status.get("reservedFor") or ()]
            if "allocation" in shown:
                shown["allocation"] = _allocation(shown["allocation"])
            if made:
                shown["spec"] = claim["spec"]
            found.setdefault("claims", {})[_claim_name(claim)] = shown
    for pod in listed("pods"):
        extended = (pod.get("status") or {}).get("extendedResourceClaimStatus")
        if extended:
            shown = {k: v for k, v in extended.items() if k != "resourceClaimName"}
            found.setdefault("extended", {})[pod["metadata"]["name"]] = shown
    return found


def _claim_name(claim: JSON) -> str:
    name: str = claim["metadata"]["name"]
    made = claim["metadata"].get("generateName")
    return re.sub(r"-[a-z0-9]{5}$", "-{random}", name) if made else name


def _allocation(allocation: JSON) -> JSON:
    """Without what is another every time."""
    found = {k: v for k, v in allocation.items() if k != "allocationTimestamp"}
    devices = dict(found.get("devices") or {})
    if "results" in devices:
        devices["results"] = [
            {**one, **({"shareID": "{random}"} if "shareID" in one else {})}
            for one in devices["results"]
        ]
        found["devices"] = devices
    return found


class Recorder:
    """Calls a real API server and looks at what comes of it."""

    def __init__(self, server: BareServer, log: Path) -> None:
        self._server = server
        self._version = newer.version_of(server)
        self._log = log.open()

    def _send(self, method: str, path: str, body: Any = None, kind: str = "merge") -> JSON:
        content = _PATCH[kind] if method == "PATCH" else "application/json"
        # Without spaces: opaque parameters are compared byte by byte when a claim is updated.
        text = None if body is None else json.dumps(body, separators=(",", ":"))
        reply = self._server.call(method, path, text, content_type=content)
        if reply.code >= 400:
            raise RuntimeError(f"{method} {path}: {reply.body}")
        answer: JSON = reply.body
        return answer

    def prepare(self) -> None:
        """The namespace and the classes that the cases use."""
        self._send("POST", PATHS["namespaces"], {"metadata": {"name": NAMESPACE}})
        for resource, body in CLUSTER_WIDE:
            self._send("POST", PATHS[resource], body)

    def record(self, case: JSON) -> JSON:
        """The calls of one case and what was seen after each step."""
        self._log.read()
        steps, uids = [], dict[str, str]()
        for calls in calls_of(case):
            for call in calls:
                self._do(call)
            scores: JSON = {}
            pods = self._settled(scores)
            seen = {"pods": {pod["metadata"]["name"]: seen_of(pod) for pod in pods}}
            seen |= others(self._list)
            uids |= {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in pods}
            steps.append({"calls": calls, **seen, **({"scores": scores} if scores else {})})
        # Pods of an earlier case may still be reported about.
        events = [event_of(e, uids) for e in self._events() if e["involvedObject"]["uid"] in uids]
        self.clear()
        return {"steps": steps, "events": events}

    def _serves(self, resource: str) -> bool:
        return resource != "devicetaintrules" or self._version != newer.OLDEST

    def _list(self, resource: str) -> list[JSON]:
        items: list[JSON] = self._send("GET", PATHS[resource])["items"]
        return items

    def _events(self) -> list[JSON]:
        items = self._send("GET", _EVENTS)["items"]
        return sorted(items, key=lambda e: e["eventTime"])

    def _do(self, call: JSON) -> None:
        path, body = PATHS[call["resource"]], call.get("body")
        if call["resource"] == "pods" and body and "namespace" in (body.get("metadata") or {}):
            path = path.replace(f"/{NAMESPACE}/", f"/{body['metadata']['namespace']}/")
        if call["do"] == "create":
            self._send("POST", path, body)
        elif call["do"] == "status":
            self._send("PATCH", f"{path}/{call['name']}/status", body)
        elif call["do"] == "patch":
            self._send("PATCH", f"{path}/{call['name']}", body)
        else:
            grace = {"gracePeriodSeconds": 0} if call["do"] == "gone" else {}
            self._send("DELETE", f"{path}/{call['name']}", grace)

    def _pods(self) -> list[JSON]:
        items: list[JSON] = self._send("GET", "/api/v1/pods")["items"]
        return items

    def _settled(self, scores: JSON) -> list[JSON]:
        """The pods when nothing has changed for a while and each has its verdict."""
        before, since = "", time.monotonic()
        while True:
            pods = self._pods()
            now = json.dumps([pods, self._events()])
            lines = self._log.read()
            for pod, plugin, node, score in _SCORED.findall(lines):
                scores.setdefault(pod, {}).setdefault(node, {})[plugin] = int(score)
            if now != before or lines.count("scored node"):
                before, since = now, time.monotonic()
            judged = all(
                pod["status"].get("conditions") or pod["spec"].get("nodeName") for pod in pods
            )
            waited = time.monotonic() - since
            if waited > QUIET_SECONDS and (judged or waited > 4):
                return pods
            time.sleep(0.1)

    def clear(self) -> None:
        """Nothing is left of a case."""
        self._send("DELETE", PATHS["nodes"])
        for pod in self._pods():
            meta = pod["metadata"]
            path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
            if meta.get("finalizers"):
                self._send("PATCH", path, {"metadata": {"finalizers": None}})
            self._server.call("DELETE", path, {"gracePeriodSeconds": 0})
        self._send("DELETE", _EVENTS)
        for resource in PATHS:
            if resource in ("nodes", "pods", *_KEPT) or not self._serves(resource):
                continue
            for one in self._list(resource):
                path = f"{PATHS[resource]}/{one['metadata']['name']}"
                if resource == "services" and one["metadata"]["name"] == "kubernetes":
                    continue
                if one["metadata"].get("finalizers"):
                    self._send("PATCH", path, {"metadata": {"finalizers": None}})
                self._server.call("DELETE", path, {})
        while self._pods() or self._list("nodes"):
            time.sleep(0.05)
        time.sleep(0.2)


def printed(recorded: dict[str, JSON]) -> str:
    """As JSON with a line for each step and each Event."""

    def lines(values: list[Any]) -> str:
        return "[" + ",".join(f"\n    {json.dumps(value)}" for value in values) + "]"

    found = ",\n".join(
        f'  {json.dumps(name)}: {{"steps": {lines(one["steps"])},\n'
        f'   "events": {lines(one["events"])}}}'
        for name, one in recorded.items()
    )
    return f"{{\n{found}\n}}\n"


def main() -> None:
    """Write the golden of each file asked for, or of all."""
    apiserver, scheduler, *asked = sys.argv[1:]
    files = asked or sorted(path.stem for path in HERE.glob("*.yaml"))
    off = "ServiceAccount,TaintNodesByCondition,StorageObjectInUseProtection"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        server = stack.enter_context(
            bare_apiserver(Path(apiserver), f"--disable-admission-plugins={off}")
        )
        (folder / "kubeconfig").write_text(json.dumps(server.kubeconfig()))
        log = folder / "scheduler.log"
        (port,) = free_ports(1)
        stack.enter_context(
            running(
                log,
                scheduler,
                f"--kubeconfig={folder / 'kubeconfig'}",
                "--leader-elect=false",
                f"--secure-port={port}",
                "--kube-api-qps=1000",
                "--kube-api-burst=1000",
                "-v=10",
                "--vmodule=round_trippers=0",
            )
        )
        recorder = Recorder(server, log)
        recorder.prepare()
        version = newer.version_of(server)
        for file in files:
            golden = HERE / f"{file}.golden.json"
            known = newer.whole(golden, version) if golden.exists() else {}
            found: dict[str, JSON] = {}
            for name, case in cases(file).items():
                if case.get("since", newer.OLDEST) > version:
                    continue
                made = calls_of(json.loads(json.dumps(case)))
                before = known.get(name) if newer.file_of(golden, version).exists() else None
                if before and [step["calls"] for step in before["steps"]] == made:
                    found[name] = before
                    continue
                found[name] = recorder.record(case)
            save(golden, version, found)


def save(golden: Path, version: str, found: dict[str, JSON]) -> None:
    """Write what a version did; of a newer one only what the oldest did otherwise."""
    if version == newer.OLDEST:
        golden.write_text(printed(found))
        return
    oldest = json.loads(golden.read_text())
    different = {name: one for name, one in found.items() if oldest.get(name) != one}
    newer.file_of(golden, version).write_text(printed(different))


if __name__ == "__main__":
    main()
