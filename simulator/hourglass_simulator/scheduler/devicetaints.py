"""What keeps claims off devices: taints of ResourceSlices and of DeviceTaintRules.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/dynamic-resource-allocation/resourceclaim/devicetoleration.go
https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/dynamic-resource-allocation/resourceslice/tracker/tracker.go
"""

from collections.abc import Iterable, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.scheduler.pools import Device, DeviceID

NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"


def matches(rule: JSON, device: DeviceID) -> bool:
    """Whether a DeviceTaintRule is about a device; without a selector it is about none."""
    selector = rule["spec"].get("deviceSelector")
    if selector is None:
        return False
    names = zip(("driver", "pool", "device"), device, strict=True)
    return all(selector.get(key) in (None, name) for key, name in names)


def tolerates(toleration: JSON, taint: JSON) -> bool:
    """Whether a toleration is for a taint, whatever their effect."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if (toleration.get("operator") or "Equal") == "Exists":
        return True
    return bool((toleration.get("value") or "") == (taint.get("value") or ""))


def tolerated(device: Device, tolerations: Sequence[JSON], rules: Iterable[JSON]) -> bool:
    """Whether no taint keeps a claim with these tolerations off a device."""
    taints = [
        *(device.spec.get("taints") or ()),
        *(rule["spec"]["taint"] for rule in rules if matches(rule, device.id)),
    ]
    return all(
        any(tolerates(toleration, taint) for toleration in tolerations)
        for taint in taints
        if taint["effect"] in (NO_SCHEDULE, NO_EXECUTE)
    )
