"""LimitRanger: the defaults of containers, and what pods and claims may ask for.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/plugin/pkg/admission/limitranger/admission.go
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.pod_quantities import of_pod
from hourglass_simulator.apiserver.quantities import canonical

_NOTE = "kubernetes.io/limit-ranger"
_CONTAINERS = (("containers", "container"), ("initContainers", "init container"))

Amounts = Mapping[str, Any]


def with_defaults(ranges: Iterable[JSON], pod: JSON) -> JSON:
    """A new pod with the requests and limits that its containers do not name."""
    for each in ranges:
        requests: dict[str, str] = {}
        limits: dict[str, str] = {}
        for limit in each["spec"].get("limits") or ():
            if limit.get("type") == "Container":
                requests |= limit.get("defaultRequest") or {}
                limits |= limit.get("default") or {}
        pod = _merged(pod, requests, limits)
    return pod


def refusal(ranges: Iterable[JSON], plural: str, obj: JSON) -> str:
    """Why a pod or a claim does not fit; empty when it does."""
    for each in ranges:
        limits = each["spec"].get("limits") or ()
        found = _of_claim(limits, obj) if plural != "pods" else _of_pod(limits, obj["spec"])
        texts = list(dict.fromkeys(found))
        if texts:
            return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return ""


def _merged(pod: JSON, requests: Amounts, limits: Amounts) -> JSON:
    spec, notes = dict(pod["spec"]), []
    for field, kind in _CONTAINERS:
        containers = []
        for container in spec.get(field) or ():
            resources = dict(container.get("resources") or {})
            for name, defaults, what in (
                ("requests", requests, "request"),
                ("limits", limits, "limit"),
            ):
                own = resources.get(name) or {}
                if added := sorted(key for key in defaults if key not in own):
                    resources[name] = {**own, **{key: defaults[key] for key in added}}
                    notes.append(f"{', '.join(added)} {what} for {kind} {container['name']}")
            containers.append({**container, "resources": resources})
        if containers:
            spec[field] = containers
    if not notes:
        return pod
    meta = pod["metadata"]
    note = {_NOTE: f"LimitRanger plugin set: {'; '.join(notes)}"}
    meta = {**meta, "annotations": {**(meta.get("annotations") or {}), **note}}
    return {**pod, "metadata": meta, "spec": spec}


def _of_claim(limits: Iterable[JSON], claim: JSON) -> Iterator[str]:
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    for limit in limits:
        if limit.get("type") == "PersistentVolumeClaim":
            yield from _below(limit, requests, {})
            for name, most in sorted((limit.get("max") or {}).items()):
                yield from _above(limit["type"], name, most, requests, {}, requests_only=True)


def _of_pod(limits: Iterable[JSON], spec: JSON) -> Iterator[str]:
    for limit in limits:
        if limit.get("type") == "Container":
            for field, _ in _CONTAINERS:
                for container in spec.get(field) or ():
                    resources = container.get("resources") or {}
                    own = resources.get("requests") or {}
                    yield from _against(limit, own, resources.get("limits") or {})
        elif limit.get("type") == "Pod":
            yield from _against(limit, of_pod(spec, "requests"), of_pod(spec, "limits"))


def _against(limit: JSON, requests: Amounts, limits: Amounts) -> Iterator[str]:
    yield from _below(limit, requests, limits)
    for name, most in sorted((limit.get("max") or {}).items()):
        yield from _above(limit["type"], name, most, requests, limits)
    for name, ratio in sorted((limit.get("maxLimitRequestRatio") or {}).items()):
        yield from _ratio(limit["type"], name, ratio, requests, limits)


def _below(limit: JSON, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, least in sorted((limit.get("min") or {}).items()):
        begins = f"minimum {name} usage per {limit['type']} is {canonical(least)}"
        if name not in requests:
            yield f"{begins}.  No request is specified"
        elif _value(requests[name]) < _value(least):
            yield f"{begins}, but request is {canonical(requests[name])}"
        elif name in limits and _value(limits[name]) < _value(least):
            yield f"{begins}, but limit is {canonical(limits[name])}"


def _above(
    kind: str,
    name: str,
    most: Any,
    requests: Amounts,
    limits: Amounts,
    *,
    requests_only: bool = False,
) -> Iterator[str]:
    begins = f"maximum {name} usage per {kind} is {canonical(most)}"
    if requests_only and name not in requests:
        yield f"{begins}.  No request is specified"
    elif not requests_only and name not in limits:
        yield f"{begins}.  No limit is specified"
    elif not requests_only and _value(limits[name]) > _value(most):
        yield f"{begins}, but limit is {canonical(limits[name])}"
    elif name in requests and _value(requests[name]) > _value(most):
        yield f"{begins}, but request is {canonical(requests[name])}"


def _ratio(kind: str, name: str, most: Any, requests: Amounts, limits: Amounts) -> Iterator[str]:
    begins = f"{name} max limit to request ratio per {kind} is {canonical(most)}, but"
    request, limit = _value(requests.get(name, 0)), _value(limits.get(name, 0))
    if not request:
        yield f"{begins} no request is specified or request is 0"
    elif not limit:
        yield f"{begins} no limit is specified or limit is 0"
    elif limit / request > _value(most):
        yield f"{begins} provided ratio is {float(limit / request):.6f}"


def _value(amount: Any) -> Decimal:
    return quantity.parse(amount)
