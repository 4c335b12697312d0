"""What may differ from one installation of the operator to the next."""

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from hourglass_operator.manifests.roles import NAME, NAMESPACE


@dataclass(frozen=True, slots=True)
class Installation:
    """`args` and what follows it are of the forms that a PodSpec has.

    The chart puts expressions of its template language in the places of all values.
    """

    namespace: str = NAMESPACE
    image: str = f"{NAME}:{version(NAME)}"
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


DEFAULT = Installation()
