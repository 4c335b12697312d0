"""What kubelets declare that they can do, and which pods need it.

https://github.com/kubernetes/kubernetes/tree/v1.37.2/staging/src/k8s.io/component-helpers/nodedeclaredfeatures
"""

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import DEFAULT, Version, minor_of, nearest

_RESTARTS_ALL = "RestartAllContainersOnContainerExits"
_FEATURES = (
    "ExtendWebSocketsToKubelet",
    "InPlacePodLevelResourcesVerticalScaling",
    "InPlacePodVerticalScalingInitContainers",
    _RESTARTS_ALL,
)
"""Those that are named as their gates and are on by default in some version."""


def declared(kubelet_version: str) -> list[str]:
    """What a kubelet declares in the status of its node; its version is such as `v1.34.4`."""
    minor = minor_of(kubelet_version)
    version = DEFAULT if minor is None else nearest(minor)
    if not version.enabled("NodeDeclaredFeatures"):
        return []
    return [feature for feature in _FEATURES if version.enabled(feature)]


def needed(spec: JSON, version: Version) -> frozenset[str]:
    """What a node must have declared to run a pod."""
    if not version.enabled("NodeDeclaredFeatures"):
        return frozenset()
    rules = (
        rule
        for kind in ("initContainers", "containers")
        for container in spec.get(kind) or ()
        for rule in container.get("restartPolicyRules") or ()
    )
    restarts = any(rule.get("action") == "RestartAllContainers" for rule in rules)
    return frozenset((_RESTARTS_ALL,) if restarts else ())
