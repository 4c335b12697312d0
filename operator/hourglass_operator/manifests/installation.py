"""What may differ from one installation of the operator to the next."""

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.manifests.roles import NAME, NAMESPACE


def selector(label: str = NAME) -> JSON:
    """The label by which Deployment, Service and the others find the pods."""
    return {"app.kubernetes.io/name": label}


def apart(label: str = NAME) -> JSON:
    """Replicas on different nodes, if there are any."""
    return {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "podAffinityTerm": {
                        "topologyKey": "kubernetes.io/hostname",
                        "labelSelector": {"matchLabels": selector(label)},
                    },
                }
            ]
        }
    }


@dataclass(frozen=True, slots=True)
class Installation:
    """`name` is that of all objects, `label` what their pods are found by.

    `args` and what follows it are of the forms that a PodSpec has.
    The chart puts expressions of its template language in the places of all values.
    """

    name: str = NAME
    label: str = NAME
    namespace: str = NAMESPACE
    image: str = f"{NAME}:{version(NAME)}"
    pull_policy: str = ""
    replicas: Any = 2
    args: Any = field(default_factory=lambda: ["--log-format=json"])
    resources: Any = field(
        # No limit of CPU: a throttled leader loses its Lease.
        default_factory=lambda: {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "1Gi"},
        }
    )
    node_selector: Any = field(default_factory=lambda: {"kubernetes.io/os": "linux"})
    tolerations: Any = field(default_factory=list)
    image_pull_secrets: Any = field(default_factory=list)
    affinity: Any = field(default_factory=apart)
    topology_spread: Any = field(default_factory=list)
    priority_class: Any = ""
    env: Any = field(default_factory=list)
    volumes: Any = field(default_factory=list)
    volume_mounts: Any = field(default_factory=list)
    pod_labels: Any = field(default_factory=selector)
    pod_annotations: Any = field(default_factory=dict)


DEFAULT = Installation()
