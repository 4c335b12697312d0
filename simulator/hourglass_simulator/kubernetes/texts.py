"""What components say in other words from one version to the next; all else they say alike.

Those of the scheduler, the controllers and the API server were recorded (tests/goldens), those of
the kubelet of 1.37 are from its source:
https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/kuberuntime/kuberuntime_container.go
https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/preemption/preemption.go
https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
"""

from typing import NamedTuple


class Texts(NamedTuple):
    """Texts with `{placeholders}` for `str.format`."""

    scheme: str
    """The API server's name for the scheme of its types: where in apimachinery it is made."""
    authorizer: str
    """What comes before the errors of the authorizer: its name, since there may be several."""
    created_container: str
    started_container: str
    image_present: str
    nothing_to_deallocate: str
    """What the scheduler's plugin for dynamic resources says of a pod without claims."""
    still_no_devices: str
    """What it says where nothing that it can take back would help."""
    too_many_devices: str
    failing_selector: str
    """What is wrong with the selector of that number, behind whose it is."""
    no_such_key: str
    """What is added where a selector asks for what a device has not."""
    preempting: str
    """What is said of a pod for which others have to go."""
    capital_verbs: bool
    """Whether events of StatefulSets begin with a capital."""


TEXTS = {
    "1.34": Texts(
        scheme="pkg/runtime/scheme.go:110",
        authorizer="",
        created_container="Created container: {name}",
        started_container="Started container {name}",
        image_present='Container image "{image}" already present on machine',
        nothing_to_deallocate="no new claims to deallocate",
        still_no_devices="still not schedulable",
        too_many_devices="claim {claim}: number of requested devices {total} exceeds the claim "
        "limit of {limit}",
        failing_selector="{number}: CEL runtime error: {error}",
        no_such_key="",
        preempting="",
        capital_verbs=False,
    ),
    "1.37": Texts(
        scheme="pkg/runtime/scheme.go:111",
        authorizer="rbac: ",
        created_container="Container created",
        started_container="Container started",
        image_present='Container image "{image}" already present on machine and can be accessed'
        " by the pod",
        nothing_to_deallocate="",
        still_no_devices="",
        too_many_devices="claim {claim}, request {request}: adding {count} devices exceeds the "
        "claim limit of {limit}, with {before} already accounted for",
        failing_selector="{number} on device {device}: CEL runtime error: {error}",
        no_such_key=". consider using CEL optional chaining (.? followed by orValue()) or guarding"
        " the check with has() for optional fields",
        preempting="found a potential placement for pod on node {node}, preempting {victims}"
        " victims",
        capital_verbs=True,
    ),
}
"""By minor version."""
