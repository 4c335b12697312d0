"""What is written into a claim: the devices that were chosen, how to configure them, and where.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/dynamic-resource-allocation/structured/internal/incubating/allocator_incubating.go
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hourglass_kube.types import JSON
from hourglass_simulator.scheduler.pools import Device

_LATE = ("bindingConditions", "bindingFailureConditions")


@dataclass(frozen=True, slots=True)
class Served:
    """A request, or the alternative of a request, that was served."""

    name: str
    """`request` or `request/alternative`."""
    spec: JSON
    device_class: JSON

    @property
    def admin(self) -> bool:
        """Whether it is for an administrator, beside whoever has the device."""
        return bool(self.spec.get("adminAccess"))


@dataclass(slots=True)
class Chosen:
    """A device for a request."""

    device: Device
    request: Served
    counted: bool = False
    """Whether it takes of its pool's counters."""
    share: str = ""
    """Its id where several may have the device."""
    consumed: Mapping[str, str] = field(default_factory=dict)
    """What it takes of the device's capacity there."""


def of(
    claim: JSON, chosen: Sequence[Chosen], served: Sequence[Served], node: str, *, full: bool
) -> JSON:
    """`status.allocation` of a claim; `full` with what 1.34 does not say."""
    devices: JSON = {}
    if chosen:
        devices["results"] = [_result(one, full=full) for one in chosen]
    if config := [*_class_config(served), *_claim_config(claim, served, once=full)]:
        devices["config"] = [_for_all(one, served) for one in config] if full else config
    found: JSON = {"devices": devices}
    if selector := _node_selector([one.device for one in chosen], node):
        found["nodeSelector"] = selector
    return found


def _result(one: Chosen, *, full: bool) -> JSON:
    found: JSON = {
        "request": one.request.name,
        **dict(zip(("driver", "pool", "device"), one.device.id, strict=True)),
    }
    if one.request.admin:
        found["adminAccess"] = True
    if full and one.request.spec.get("tolerations"):
        found["tolerations"] = one.request.spec["tolerations"]
    found |= {key: one.device.spec[key] for key in _LATE if one.device.spec.get(key)}
    if one.share:
        found["shareID"] = one.share
    if one.consumed:
        found["consumedCapacity"] = dict(one.consumed)
    return found


def _class_config(served: Sequence[Served]) -> list[JSON]:
    by_class: dict[str, list[JSON]] = {}
    for request in served:
        name = request.device_class["metadata"]["name"]
        if name in by_class:
            for one in by_class[name]:
                one["requests"].append(request.name)
            continue
        by_class[name] = [
            {"source": "FromClass", "requests": [request.name], **one}
            for one in request.device_class["spec"].get("config") or ()
        ]
    return [one for found in by_class.values() for one in found]


def _claim_config(claim: JSON, served: Sequence[Served], *, once: bool) -> list[JSON]:
    found = []
    for one in (claim["spec"].get("devices") or {}).get("config") or ():
        meant = one.get("requests") or ()
        times = sum(_is_meant(request, meant) for request in served) if meant else 1
        found += [{"source": "FromClaim", **one}] * (min(times, 1) if once else times)
    return found


def _is_meant(request: Served, names: Sequence[str]) -> bool:
    return request.name in names or request.name.split("/")[0] in names


def _for_all(config: JSON, served: Sequence[Served]) -> JSON:
    """Without requests where it is for all of them."""
    names = config.get("requests")
    if names and all(_is_meant(request, names) for request in served):
        return {key: value for key, value in config.items() if key != "requests"}
    return config


def _node_selector(devices: Sequence[Device], node: str) -> JSON | None:
    """The nodes that reach all of the devices; None for all nodes."""
    term: dict[str, list[JSON]] = {}
    for device in devices:
        spec = device.slice["spec"]
        where = device.spec if spec.get("perDeviceNodeSelection") else spec
        if where.get("nodeName") or device.spec.get("bindsToNode"):
            named = {"key": "metadata.name", "operator": "In", "values": [node]}
            return {"nodeSelectorTerms": [{"matchFields": [named]}]}
        for terms in (where.get("nodeSelector") or {}).get("nodeSelectorTerms") or ():
            for kind in ("matchFields", "matchExpressions"):
                for requirement in terms.get(kind) or ():
                    if requirement not in term.setdefault(kind, []):
                        term[kind].append(requirement)
    term = {kind: found for kind, found in term.items() if found}
    return {"nodeSelectorTerms": [term]} if term else None
