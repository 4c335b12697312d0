"""Has the drivers prepare the devices of a pod's ResourceClaims.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/cm/dra/manager.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.kubelet.driver import Driver
from hourglass_simulator.kubelet.pod import NodePod


def prepare(pod: NodePod) -> str:
    """Why its claims cannot be prepared; empty if they are, or there are none."""
    found: dict[str, list[JSON]] = {}
    for one in (*(pod.object["spec"].get("resourceClaims") or ()), *_extended(pod)):
        claim, fault = _claim(pod, one)
        if fault:
            return f"prepare dynamic resources: {fault}"
        allocation = claim["status"].get("allocation") or {}
        found[one["name"]] = (allocation.get("devices") or {}).get("results") or []
        for driver in sorted({result["driver"] for result in found[one["name"]]}):
            if fault := _refusal(pod, driver, claim["metadata"]["name"]):
                return f"prepare dynamic resources: {fault}"
    pod.claimed = found
    return ""


def served(pod: JSON) -> set[str]:
    """Extended resources of a pod that a claim is for and no device plugin."""
    status = (pod.get("status") or {}).get("extendedResourceClaimStatus") or {}
    return {mapping["resourceName"] for mapping in status.get("requestMappings") or ()}


def _extended(pod: NodePod) -> list[JSON]:
    """The claim for extended resources as one of those in its spec."""
    status = (pod.object.get("status") or {}).get("extendedResourceClaimStatus")
    return [{"name": "", "resourceClaimName": status["resourceClaimName"]}] if status else []


def returned(pod: NodePod) -> bool:
    """Whether all drivers are there that take its claims back; until then it does not end."""
    used = {result["driver"] for results in pod.claimed.values() for result in results}
    return all(pod.agent.drivers.get(driver, Driver()).there for driver in used)


def _refusal(pod: NodePod, name: str, claim: str) -> str:
    driver = pod.agent.drivers.get(name, Driver())
    if not driver.there:
        return f"DRA driver {name} is not registered"
    if driver.refusal:
        return f"NodePrepareResources failed for ResourceClaim {claim}: {driver.refusal}"
    return ""


def _claim(pod: NodePod, one: JSON) -> tuple[JSON, str]:
    """A claim of a pod, and why it may not be used."""
    meta = pod.object["metadata"]
    name = _name(pod, one)
    if name is None:
        return {}, f'pod "{meta["namespace"]}/{meta["name"]}": ResourceClaim not created yet'
    try:
        claim = pod.runtime.api.get("resourceclaims", meta["namespace"], name, user=pod.user)
    except APIError as error:
        return {}, f"fetch ResourceClaim {name}: {error}"
    users = (claim.get("status") or {}).get("reservedFor") or ()
    if not any(user["uid"] == meta["uid"] for user in users):
        return {}, (
            f"pod {meta['name']} ({meta['uid']}) is not allowed to use ResourceClaim {name} "
            f"({claim['metadata']['uid']})"
        )
    return claim, ""


def _name(pod: NodePod, one: JSON) -> str | None:
    if name := one.get("resourceClaimName"):
        return str(name)
    for made in (pod.object.get("status") or {}).get("resourceClaimStatuses") or ():
        if made["name"] == one["name"]:
            found: str | None = made.get("resourceClaimName")
            return found
    return None
