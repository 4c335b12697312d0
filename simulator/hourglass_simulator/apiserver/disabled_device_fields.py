"""Fields of slices and device classes behind features that are off: the server drops them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/resource/resourceslice/strategy.go
"""

from collections.abc import Iterable

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import Version

_OF_SLICES = (
    ("DRADeviceTaints", (), ("taints",)),
    (
        "DRAPartitionableDevices",
        ("sharedCounters", "perDeviceNodeSelection"),
        ("consumesCounters", "nodeName", "nodeSelector", "allNodes"),
    ),
    (
        "DRADeviceBindingConditions",
        (),
        ("bindingConditions", "bindingFailureConditions", "bindsToNode"),
    ),
    ("DRAConsumableCapacity", (), ("allowMultipleAllocations",)),
)
"""A feature gate, fields of the spec, and fields of each device in it."""


def without(plural: str, obj: JSON, version: Version) -> JSON:
    """An object without them."""
    spec = obj.get("spec") or {}
    if plural == "deviceclasses" and not version.enabled("DRAExtendedResource"):
        return {**obj, "spec": _less(spec, ("extendedResourceName",))}
    if plural != "resourceslices":
        return obj
    for gate, fields, of_devices in _OF_SLICES:
        if not version.enabled(gate):
            spec = _less(spec, fields)
            if spec.get("devices"):
                spec = {**spec, "devices": [_less(each, of_devices) for each in spec["devices"]]}
    if spec.get("devices") and not version.enabled("DRAConsumableCapacity"):
        spec = {**spec, "devices": [_without_policies(each) for each in spec["devices"]]}
    return {**obj, "spec": spec}


def _less(value: JSON, fields: Iterable[str]) -> JSON:
    return {name: each for name, each in value.items() if name not in fields}


def _without_policies(device: JSON) -> JSON:
    capacity = device.get("capacity")
    if not capacity:
        return device
    return {**device, "capacity": {k: _less(v, ("requestPolicy",)) for k, v in capacity.items()}}
