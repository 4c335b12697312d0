"""Feature gates whose defaults differ between the versions of kube-scheduler.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/features/kube_features.go
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gates:
    """What is on by default in a version."""

    device_taints: bool
    """DRADeviceTaints."""


def gates_of(version: str) -> Gates:
    """The defaults of a minor version: `1.34`."""
    minor = int(version.split(".")[1])
    return Gates(device_taints=minor >= 36)


DEFAULTS = gates_of("1.34")
