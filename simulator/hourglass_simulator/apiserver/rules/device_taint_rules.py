"""DeviceTaintRules.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/resource/validation/validation.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import device_names, device_slices, labels, object_meta
from hourglass_simulator.apiserver.rules.fault import Faults, too_many

_SELECTOR = "spec.deviceSelector"
_MOST_CONDITIONS = 8


def created(found: JSON) -> Faults:
    """What is wrong with a new DeviceTaintRule."""
    yield from object_meta.created("devicetaintrules", found["metadata"])
    yield from _spec(found, None)


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed DeviceTaintRule."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from _spec(new, old)


def status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    conditions = (new.get("status") or {}).get("conditions") or []
    yield from labels.conditions("status.conditions", conditions)
    if len(conditions) > _MOST_CONDITIONS:
        yield too_many("status.conditions", len(conditions), _MOST_CONDITIONS)


def _spec(found: JSON, old: JSON | None) -> Faults:
    spec = found.get("spec") or {}
    selector = spec.get("deviceSelector") or {}
    if selector.get("driver") is not None:
        yield from device_names.driver(f"{_SELECTOR}.driver", selector["driver"])
    if selector.get("pool") is not None:
        yield from device_names.pool_name(f"{_SELECTOR}.pool", selector["pool"])
    if selector.get("device") is not None:
        yield from device_names.label(f"{_SELECTOR}.device", selector["device"])
    before = None if old is None else ((old.get("spec") or {}).get("taint") or {})
    taint = spec.get("taint") or {}
    is_old_effect = before is not None and before.get("effect") == taint.get("effect")
    for fault in device_slices.taint("spec.taint", taint):
        if not (is_old_effect and fault.field == "spec.taint.effect"):
            yield fault
