"""A pod as far as scheduling reads it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf
from typing import Any

import orjson

from hourglass_kube import podresources, time
from hourglass_kube.types import JSON
from hourglass_simulator.scheduler.terms import Terms, terms_of

ANY_ADDRESS = "0.0.0.0"
# kube-scheduler's assumption for containers that request nothing, in scores only.
_LEAST = {"cpu": 100, "memory": 200 * 1024 * 1024}
_STATIC = ("nodeName", "nodeSelector", "tolerations")
_RESIZED = ("resources", "allocatedResources")


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port that a pod takes on its node."""

    address: str
    protocol: str
    number: int

    def clashes(self, other: "HostPort") -> bool:
        """Whether both cannot be had."""
        same = self.number == other.number and self.protocol == other.protocol
        return same and (
            self.address == other.address or ANY_ADDRESS in (self.address, other.address)
        )


@dataclass(frozen=True, slots=True, eq=False)
class PodInfo:
    """A pod; CPU in thousandths of a core."""

    uid: str
    namespace: str
    name: str
    labels: dict[str, str]
    spec: JSON
    requests: Mapping[str, int]
    assumed: tuple[int, int]
    """CPU and memory as scores count them: containers without a request have one there."""
    ports: tuple[HostPort, ...]
    priority: int
    terms: Terms
    started: float
    """Seconds since 1970; infinite before the kubelet has seen it."""
    terminating: bool
    preempted: bool
    """It is terminating because the scheduler wants its place."""
    nominated: str
    """The node on which room is being made for it."""
    owner: tuple[str, str, str] | None
    """apiVersion, kind and name of its controller."""
    volume_claims: tuple[str, ...]
    """Names of the PersistentVolumeClaims that its volumes are, in their order."""
    resource_claims: tuple[tuple[str, str | None], ...]
    """Names of its claims in the pod, and of their ResourceClaims as far as they were made."""
    generated_claims: frozenset[str]
    """Those that were made of templates, for this pod alone."""
    resized: JSON | None
    """What the status says of resizes; None if it says nothing."""


def pod_info(pod: JSON) -> PodInfo:
    """Trim a pod as the API returns it."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    labels = meta.get("labels") or {}
    resized = _resizes(status)
    requests, assumed = _sizes(spec, resized)
    started = status.get("startTime")
    terminating = "deletionTimestamp" in meta
    return PodInfo(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        labels=labels,
        spec=spec,
        requests=requests,
        assumed=assumed,
        ports=tuple(_ports(spec)),
        priority=spec.get("priority") or 0,
        terms=terms_of(meta["namespace"], labels, spec),
        started=time.parse(started).timestamp() if started else inf,
        terminating=terminating,
        preempted=terminating and _preempted(status),
        nominated=status.get("nominatedNodeName") or "",
        owner=_owner(meta),
        volume_claims=tuple(_volume_claims(meta["name"], spec)),
        resource_claims=tuple(_resource_claims(spec, status)),
        generated_claims=_generated_claims(status),
        resized=resized,
    )


def restated(known: PodInfo, pod: JSON) -> PodInfo:
    """A pod whose spec is as it was, but for its status and labels."""
    meta, status = pod["metadata"], pod.get("status") or {}
    resized = _resizes(status)
    requests, assumed = known.requests, known.assumed
    if resized != known.resized:
        requests, assumed = _sizes(known.spec, resized)
    started = status.get("startTime")
    terminating = "deletionTimestamp" in meta
    labels = meta.get("labels") or {}
    same = labels == known.labels
    return replace(
        known,
        labels=labels,
        requests=requests,
        assumed=assumed,
        terms=known.terms if same else terms_of(meta["namespace"], labels, known.spec),
        started=time.parse(started).timestamp() if started else inf,
        terminating=terminating,
        preempted=terminating and _preempted(status),
        nominated=status.get("nominatedNodeName") or "",
        resized=resized,
    )


def images(pod: PodInfo) -> list[str]:
    """The images of its containers and volumes as nodes list them: with a tag or a digest."""
    containers = (*(pod.spec.get("initContainers") or ()), *(pod.spec.get("containers") or ()))
    volumes = (v["image"] for v in pod.spec.get("volumes") or () if v.get("image"))
    names = [
        *(container.get("image") or "" for container in containers),
        *(volume.get("reference") or "" for volume in volumes),
    ]
    return [n if n.rfind(":") > n.rfind("/") else f"{n}:latest" for n in names]


def counts_as(pod: PodInfo, other: PodInfo) -> bool:
    """Whether for scheduling it makes no difference which of both is on a node."""
    return (
        not (pod.terms or other.terms)
        and pod.labels == other.labels
        and pod.terminating == other.terminating
        and pod.requests == other.requests
        and pod.assumed == other.assumed
        and pod.ports == other.ports
        and (pod.priority, pod.volume_claims) == (other.priority, other.volume_claims)
    )


def kind_of(pod: PodInfo) -> str:
    """Equal for pods that every filter and score treats alike, other pods and images aside."""
    spec: JSON = {key: pod.spec.get(key) for key in _STATIC}
    spec["affinity"] = (pod.spec.get("affinity") or {}).get("nodeAffinity")
    ports = [(port.address, port.protocol, port.number) for port in pod.ports]
    said = (spec, pod.requests, pod.assumed, ports)
    try:
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return json.dumps(said, sort_keys=True)


def _preempted(status: JSON) -> bool:
    return any(
        c["type"] == "DisruptionTarget" and c.get("reason") == "PreemptionByScheduler"
        for c in status.get("conditions") or ()
    )


def resizes(pod: JSON) -> JSON | None:
    """What the status of a pod says of resizes, which decides what the pod requests."""
    return _resizes(pod.get("status") or {})


def _resizes(status: JSON) -> JSON | None:
    found: JSON = {}
    for kind in ("containerStatuses", "initContainerStatuses"):
        found[kind] = [
            {"name": one["name"], **{key: one[key] for key in _RESIZED if key in one}}
            for one in status.get(kind) or ()
            if one.get("resources") is not None
        ]
    if not found["containerStatuses"] and not found["initContainerStatuses"]:
        return None
    pending = [c for c in status.get("conditions") or () if c["type"] == "PodResizePending"]
    return {
        **found,
        "conditions": [{"type": c["type"], "reason": c.get("reason")} for c in pending],
    }


def _owner(meta: JSON) -> tuple[str, str, str] | None:
    for owner in meta.get("ownerReferences") or ():
        if owner.get("controller"):
            return owner["apiVersion"], owner["kind"], owner["name"]
    return None


def _volume_claims(name: str, spec: JSON) -> Iterator[str]:
    for volume in spec.get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            yield volume["persistentVolumeClaim"]["claimName"]
        elif "ephemeral" in volume:
            yield f"{name}-{volume['name']}"


def _resource_claims(spec: JSON, status: JSON) -> Iterator[tuple[str, str | None]]:
    made = {
        one["name"]: one.get("resourceClaimName")
        for one in status.get("resourceClaimStatuses") or ()
    }
    for claim in spec.get("resourceClaims") or ():
        name = claim["name"]
        if claim.get("resourceClaimName"):
            yield name, claim["resourceClaimName"]
        elif name not in made:
            yield name, None
        elif made[name]:
            yield name, made[name]


def _generated_claims(status: JSON) -> frozenset[str]:
    made = status.get("resourceClaimStatuses") or ()
    return frozenset(one["resourceClaimName"] for one in made if one.get("resourceClaimName"))


_Sizes = tuple[Mapping[str, int], tuple[int, int]]
"""What a pod requests, and CPU and memory as scores count them."""


def _sizes(spec: JSON, resized: JSON | None) -> _Sizes:
    """Counted once for all pods of a size."""
    containers = [(c["name"], c.get("resources")) for c in spec.get("containers") or ()]
    before = [
        (c["name"], c.get("resources"), c.get("restartPolicy"))
        for c in spec.get("initContainers") or ()
    ]
    counted = (containers, before, spec.get("resources"), spec.get("overhead"), resized)
    try:
        return _counted_once(orjson.dumps(counted))
    except TypeError:
        return _counted(*counted)


@lru_cache(maxsize=4096)
def _counted_once(text: bytes) -> _Sizes:
    return _counted(*orjson.loads(text))


def _counted(
    containers: Iterable[Sequence[Any]],
    before: Iterable[Sequence[Any]],
    resources: JSON | None,
    overhead: JSON | None,
    resized: JSON | None,
) -> _Sizes:
    spec = {
        "containers": [{"name": name, "resources": own} for name, own in containers],
        "initContainers": [
            {"name": name, "resources": own, "restartPolicy": policy}
            for name, own, policy in before
        ],
        "resources": resources,
        "overhead": overhead,
    }
    requests = podresources.requests(spec, resized)
    return requests, _assumed(spec, requests, resized)


def _assumed(spec: JSON, requests: Mapping[str, int], resized: JSON | None) -> tuple[int, int]:
    """https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/types.go#L1095"""
    missing = _LEAST
    if podresources.requests_of_the_pod(spec):
        missing = {resource: n for resource, n in _LEAST.items() if resource not in requests}
    counted = podresources.requests(spec, resized, missing) if missing else requests
    return counted.get("cpu", 0), counted.get("memory", 0)


def assumed_of_new(pod: PodInfo) -> tuple[int, int]:
    """CPU and memory as LeastAllocated counts those of the pod that is being scheduled.

    Unlike those of pods on nodes, what is requested for the pod as a whole has no part in it.
    """
    counted = podresources.requests(pod.spec, missing=_LEAST, whole_pod=False)
    return counted["cpu"], counted["memory"]


def _ports(spec: JSON) -> Iterator[HostPort]:
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    for container in (*sidecars, *(spec.get("containers") or ())):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                address = port.get("hostIP") or ANY_ADDRESS
                yield HostPort(address, port.get("protocol", "TCP"), port["hostPort"])
