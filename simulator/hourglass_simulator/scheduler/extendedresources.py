"""Extended resources that are served by device classes, where no device plugin offers them.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/plugins/dynamicresources/extendeddynamicresources.go
https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/dynamic-resource-allocation/deviceclass/extendedresourcecache/extendedresourcecache.go
"""

from collections.abc import Iterable, Mapping, Sequence

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent

IMPLICIT = "deviceclass.resource.kubernetes.io/"
"""Begins the resource that every class has, before its name."""
ANNOTATION = "resource.kubernetes.io/extended-resource-claim"
NEW = "<extended-resources>"
"""What a claim for extended resources is called before it is made."""


class ResourceClasses(dict[str, str]):
    """Names of device classes by the resource that they serve."""

    def __init__(self) -> None:
        super().__init__()
        self._created: dict[str, str] = {}

    def apply(self, event: WatchEvent, before: JSON | None) -> bool:
        """Take a change of a class in; returns whether a resource is served otherwise now."""
        known = dict(self)
        device_class = event.object
        name = device_class["metadata"]["name"]
        if event.type == "DELETED":
            self._drop(device_class)
        elif self._wins(device_class):
            if before is not None:
                self._drop(before)
            self[IMPLICIT + name] = name
            if explicit := device_class["spec"].get("extendedResourceName"):
                self[explicit] = name
                self._created[explicit] = device_class["metadata"]["creationTimestamp"]
        return known != self

    def served(self, requests: Mapping[str, int]) -> dict[str, str]:
        """Those of a pod's requests that classes serve, with the class."""
        return {r: self[r] for r, count in requests.items() if count and r in self}

    def _drop(self, device_class: JSON) -> None:
        self.pop(IMPLICIT + device_class["metadata"]["name"], None)
        self.pop(device_class["spec"].get("extendedResourceName"), None)

    def _wins(self, device_class: JSON) -> bool:
        """Whether it is the newest for its resource, the first by name of equally old ones."""
        explicit = device_class["spec"].get("extendedResourceName")
        if explicit not in self:
            return True
        mine, name = device_class["metadata"]["creationTimestamp"], device_class["metadata"]["name"]
        other = self._created[explicit]
        return bool(mine > other or (mine == other and name < self[explicit]))


def claim_of(namespace: str, name: str, uid: str) -> JSON:
    """The claim that is made for a pod, without what it asks for, which depends on the node."""
    owner = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid, "controller": True}
    meta = {
        "namespace": namespace,
        "name": NEW,
        "uid": f"{uid}/{NEW}",
        "generateName": f"{name}-extended-resources-",
        "ownerReferences": [owner],
        "annotations": {ANNOTATION: "true"},
    }
    return {"metadata": meta, "spec": {}}


def is_of(claim: JSON, uid: str) -> bool:
    """Whether a claim was made for the extended resources of a pod."""
    meta = claim["metadata"]
    return (meta.get("annotations") or {}).get(ANNOTATION) == "true" and any(
        owner.get("controller") and owner["uid"] == uid
        for owner in meta.get("ownerReferences") or ()
    )


def requests_of(spec: JSON, classes: Mapping[str, str]) -> tuple[list[JSON], list[JSON]]:
    """The device requests for what a pod asks for of some resources, and who gets which.

    `classes` are device classes by resource. What containers use that run one after the other they
    get from what later ones have, and one request for the most that is needed besides.
    """
    before = list(spec.get("initContainers") or ())
    containers = [*before, *(spec.get("containers") or ())]
    brief = {
        index
        for index, container in enumerate(before)
        if container.get("restartPolicy") != "Always"
    }
    requests: list[JSON] = []
    mappings: list[JSON] = []
    for resource in sorted(classes):
        lasting: dict[int, JSON] = {}
        for index, container in enumerate(containers):
            if index not in brief:
                made, mapped = _request(index, container, resource, classes[resource], ())
                mappings += mapped
                if made:
                    lasting[index] = made
        most: JSON | None = None
        names: set[str] = set()
        shared: list[JSON] = []
        for index in sorted(brief):
            later = [lasting[i] for i in sorted(lasting) if i >= index]
            made, mapped = _request(index, containers[index], resource, classes[resource], later)
            shared += mapped
            if made:
                names.add(made["name"])
                if most is None or most["exactly"]["count"] < made["exactly"]["count"]:
                    most = made
        for mapping in shared:
            if most is not None and mapping["requestName"] in names:
                mapping["requestName"] = most["name"]
        requests += [*([most] if most else ()), *lasting.values()]
        mappings += shared
    return sorted(requests, key=lambda r: str(r["name"])), mappings


def _request(
    index: int, container: JSON, resource: str, device_class: str, reusable: Sequence[JSON]
) -> tuple[JSON | None, list[JSON]]:
    """What a container asks for beyond what it may use again, and what it gets from where."""
    asked = (container.get("resources") or {}).get("requests") or {}
    wanted = quantity.whole(asked.get(resource, "0"))
    if not wanted:
        return None, []
    used: list[str] = []
    there = 0
    for other in reusable:
        there += other["exactly"]["count"]
        used.append(other["name"])
        if there >= wanted:
            return None, _mappings(container, resource, used)
    name = f"container-{index}-request-{sorted(asked).index(resource)}"
    exactly = {
        "deviceClassName": device_class,
        "allocationMode": "ExactCount",
        "count": wanted - there,
    }
    return {"name": name, "exactly": exactly}, _mappings(container, resource, [*used, name])


def _mappings(container: JSON, resource: str, requests: Iterable[str]) -> list[JSON]:
    return [
        {"containerName": container["name"], "resourceName": resource, "requestName": request}
        for request in requests
    ]
