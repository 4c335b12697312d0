"""A pod as far as scheduling reads it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from hourglass_kube import podresources, time
from hourglass_kube.types import JSON
from hourglass_simulator.scheduler.terms import Terms, terms_of

ANY_ADDRESS = "0.0.0.0"
# kube-scheduler's assumption for containers that request nothing, in scores only.
_LEAST = {"cpu": 100, "memory": 200 * 1024 * 1024}
_STATIC = ("nodeName", "nodeSelector", "tolerations")


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
    requests: dict[str, int]
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


def pod_info(pod: JSON) -> PodInfo:
    """Trim a pod as the API returns it."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    labels = meta.get("labels") or {}
    requests = podresources.requests(spec)
    started = status.get("startTime")
    terminating = "deletionTimestamp" in meta
    return PodInfo(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        labels=labels,
        spec=spec,
        requests=requests,
        assumed=_assumed(spec, requests),
        ports=tuple(_ports(spec)),
        priority=spec.get("priority") or 0,
        terms=terms_of(meta["namespace"], labels, spec),
        started=time.parse(started).timestamp() if started else inf,
        terminating=terminating,
        preempted=terminating and _preempted(status),
        nominated=status.get("nominatedNodeName") or "",
    )


def kind_of(pod: PodInfo) -> str:
    """Equal for pods that every filter and score treats alike, other pods aside."""
    spec: JSON = {key: pod.spec.get(key) for key in _STATIC}
    spec["affinity"] = (pod.spec.get("affinity") or {}).get("nodeAffinity")
    ports = [(port.address, port.protocol, port.number) for port in pod.ports]
    return json.dumps([spec, pod.requests, pod.assumed, ports], sort_keys=True)


def _preempted(status: JSON) -> bool:
    return any(
        c["type"] == "DisruptionTarget" and c.get("reason") == "PreemptionByScheduler"
        for c in status.get("conditions") or ()
    )


def _assumed(spec: JSON, requests: dict[str, int]) -> tuple[int, int]:
    assumed = [requests.get("cpu", 0), requests.get("memory", 0)]
    for container in spec.get("containers") or ():
        resources = container.get("resources") or {}
        for i, resource in enumerate(_LEAST):
            if resource not in {
                **(resources.get("limits") or {}),
                **(resources.get("requests") or {}),
            }:
                assumed[i] += _LEAST[resource]
    return assumed[0], assumed[1]


def _ports(spec: JSON) -> Iterator[HostPort]:
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    for container in (*sidecars, *(spec.get("containers") or ())):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                address = port.get("hostIP") or ANY_ADDRESS
                yield HostPort(address, port.get("protocol", "TCP"), port["hostPort"])
