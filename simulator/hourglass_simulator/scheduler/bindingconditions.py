"""Conditions of devices that a pod waits for before it is bound.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go#L1998
"""

import json
from collections.abc import Iterator

from hourglass_kube.types import JSON


def any_of(allocation: JSON) -> bool:
    """Whether one of the devices has such conditions."""
    return any(one.get("bindingConditions") for one in _results(allocation))


def ready(claim: JSON) -> bool:
    """Whether all conditions of a claim's devices are true."""
    return all(
        (_conditions(claim, one).get(name) or {}).get("status") == "True"
        for one in _results(_allocation(claim))
        for name in one.get("bindingConditions") or ()
    )


def failure(claim: JSON) -> str:
    """Which device will never be ready; "" if none is known."""
    for one in _results(_allocation(claim)):
        if not one.get("bindingConditions"):
            continue
        conditions = _conditions(claim, one)
        for name in one.get("bindingFailureConditions") or ():
            found = conditions.get(name) or {}
            if found.get("status") == "True":
                message = json.dumps(found.get("message") or "", ensure_ascii=False)
                return (
                    f"device binding failed: claim={claim['metadata']['name']}, "
                    f"reason={found.get('reason') or ''}, message={message}"
                )
    return ""


def _allocation(claim: JSON) -> JSON:
    found: JSON = (claim.get("status") or {}).get("allocation") or {}
    return found


def _results(allocation: JSON) -> Iterator[JSON]:
    yield from (allocation.get("devices") or {}).get("results") or ()


def _conditions(claim: JSON, result: JSON) -> dict[str, JSON]:
    keys = ("driver", "pool", "device", "shareID")
    for one in (claim.get("status") or {}).get("devices") or ():
        if all(one.get(key) == result.get(key) for key in keys):
            return {c["type"]: c for c in one.get("conditions") or ()}
    return {}
