"""When a device was tainted, which the API server says where nobody else has.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/resource/v1/defaults.go#L50
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.generic import GenericStrategy
from hourglass_simulator.apiserver.users import User


class SliceStrategy(GenericStrategy):
    """A ResourceSlice, whose devices may have taints."""

    def noted(self, obj: JSON, old: JSON | None, user: User, timestamp: str) -> JSON:
        """With the times of taints."""
        obj = super().noted(obj, old, user, timestamp)
        devices = obj["spec"].get("devices") or ()
        if not any(device.get("taints") for device in devices):
            return obj
        dated = [
            {**d, "taints": [_dated(t, timestamp) for t in d["taints"]]} if d.get("taints") else d
            for d in devices
        ]
        return {**obj, "spec": {**obj["spec"], "devices": dated}}


class TaintRuleStrategy(GenericStrategy):
    """A DeviceTaintRule."""

    def noted(self, obj: JSON, old: JSON | None, user: User, timestamp: str) -> JSON:
        """With the time of its taint."""
        obj = super().noted(obj, old, user, timestamp)
        taint = _dated(obj["spec"]["taint"], timestamp)
        return {**obj, "spec": {**obj["spec"], "taint": taint}}


def _dated(taint: JSON, timestamp: str) -> JSON:
    return taint if taint.get("timeAdded") else {**taint, "timeAdded": timestamp}
