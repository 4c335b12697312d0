"""What the endpoints of a Service look like: EndpointSlices, and the older Endpoints.

https://github.com/kubernetes/endpointslice/blob/v0.34.4/reconciler.go
"""

import json
from collections.abc import Callable, Mapping, Sequence

from hourglass_kube.types import JSON

MAX_ENDPOINTS = 100
"""Endpoints in one slice."""
SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_SLICE_CONTROLLER = "endpointslice-controller.k8s.io"
_HEADLESS = "service.kubernetes.io/headless"
_RESERVED = (SERVICE_NAME, _MANAGED_BY, _HEADLESS)

Zone = Callable[[str], str | None]
"""The zone of a node by its name."""


def eligible(pod: JSON) -> bool:
    """Whether a pod is an endpoint at all: it has an address and is not over."""
    status = pod.get("status") or {}
    return bool(status.get("podIP")) and status.get("phase") not in ("Succeeded", "Failed")


def ready(pod: JSON) -> bool:
    """The pod's Ready condition."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def ports(service: JSON, pod: JSON) -> list[JSON]:
    """The Service's ports as this pod has them; named ones it does not have are left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = _number(port, pod)
        if number is not None:
            entry = {"name": port.get("name", ""), "port": number}
            entry["protocol"] = port.get("protocol", "TCP")
            if "appProtocol" in port:
                entry["appProtocol"] = port["appProtocol"]
            found.append(entry)
    return found


def _number(port: JSON, pod: JSON) -> int | None:
    target = port.get("targetPort") or port["port"]
    if not isinstance(target, str):
        return int(target)
    for container in pod["spec"]["containers"]:
        for offered in container.get("ports") or ():
            same = offered.get("protocol", "TCP") == port.get("protocol", "TCP")
            if offered.get("name") == target and same:
                return int(offered["containerPort"])
    return None


def endpoint(service: JSON, pod: JSON, zone: Zone) -> JSON:
    """One endpoint of a slice."""
    serving = ready(pod)
    terminating = "deletionTimestamp" in pod["metadata"]
    published = bool(service["spec"].get("publishNotReadyAddresses"))
    found: JSON = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": published or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": _target(pod),
    }
    if name := _hostname(service, pod):
        found["hostname"] = name
    if where := zone(pod["spec"]["nodeName"]):
        found["zone"] = where
    return found


def slices(service: JSON, pods: Sequence[JSON], zone: Zone) -> list[JSON]:
    """The content of each slice: endpoints by their ports, at most MAX_ENDPOINTS each.

    Without endpoints there is one empty slice.
    """
    groups: dict[str, tuple[list[JSON], list[JSON]]] = {}
    for pod in pods:
        if eligible(pod):
            offered = ports(service, pod)
            group = groups.setdefault(json.dumps(offered), (offered, []))
            group[1].append(endpoint(service, pod, zone))
    contents: list[JSON] = [
        {"endpoints": found[start : start + MAX_ENDPOINTS], "ports": offered}
        for offered, found in groups.values()
        for start in range(0, len(found), MAX_ENDPOINTS)
    ]
    return contents or [{"endpoints": None, "ports": None}]


def slice_labels(service: JSON) -> dict[str, str]:
    """The Service's labels and those that the controller adds."""
    meta = service["metadata"]
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k not in _RESERVED}
    if service["spec"].get("clusterIP") in (None, "", "None"):
        labels[_HEADLESS] = ""
    return {**labels, SERVICE_NAME: meta["name"], _MANAGED_BY: _SLICE_CONTROLLER}


def new_slice(service: JSON, content: JSON) -> JSON:
    """A slice to create."""
    meta = service["metadata"]
    owner = {
        "apiVersion": "v1",
        "kind": "Service",
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "metadata": {
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
            "labels": slice_labels(service),
            "ownerReferences": [owner],
        },
        "addressType": "IPv4",
        **content,
    }


def subsets(service: JSON, pods: Sequence[JSON]) -> list[JSON]:
    """The subsets of the older Endpoints: pods on their way out are left out."""
    groups: dict[str, JSON] = {}
    published = bool(service["spec"].get("publishNotReadyAddresses"))
    for pod in pods:
        if not eligible(pod) or ("deletionTimestamp" in pod["metadata"] and not published):
            continue
        offered = ports(service, pod)
        subset = groups.setdefault(json.dumps(offered), {"ports": offered})
        kind = "addresses" if published or ready(pod) else "notReadyAddresses"
        address = {
            "ip": pod["status"]["podIP"],
            "nodeName": pod["spec"]["nodeName"],
            "targetRef": _target(pod),
        }
        if name := _hostname(service, pod):
            address["hostname"] = name
        subset[kind] = [*subset.get(kind, ()), address]
    return list(groups.values())


def endpoints_labels(service: JSON) -> Mapping[str, str]:
    """The labels of the older Endpoints."""
    labels = dict(service["metadata"].get("labels") or {})
    if service["spec"].get("clusterIP") in (None, "", "None"):
        labels[_HEADLESS] = ""
    return {**labels, "endpoints.kubernetes.io/managed-by": "endpoint-controller"}


def _hostname(service: JSON, pod: JSON) -> str:
    """The name that a pod has below its Service in the DNS."""
    own = pod["spec"].get("subdomain") == service["metadata"]["name"]
    return str(pod["spec"].get("hostname") or "") if own else ""


def _target(pod: JSON) -> JSON:
    meta = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
    }
