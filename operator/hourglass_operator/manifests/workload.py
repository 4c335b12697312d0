"""The Deployment of the operator and what goes with it."""

from importlib.metadata import version
from typing import Any

from hourglass_operator.manifests.roles import NAME, NAMESPACE
from hourglass_operator.runtime.settings import RuntimeSettings, host_and_port

JSON = dict[str, Any]

USER = 65532
"""The user of the Containerfile, and of images without a shell in general."""

_SELECTOR = {"app.kubernetes.io/name": NAME}
_METADATA = {"name": NAME, "namespace": NAMESPACE, "labels": _SELECTOR}
_GRACE_SECONDS = 10
"""Beyond the time that calls under way are given: to stop watching and to release the Lease."""


def namespace() -> JSON:
    """A namespace whose pods get no more than the operator needs.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": labels},
    }


def deployment() -> JSON:
    """Two replicas, apart if there is more than one node; one of them leads."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _METADATA,
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": _SELECTOR},
            "template": {"metadata": {"labels": _SELECTOR}, "spec": _pod()},
        },
    }


def disruption_budget() -> JSON:
    """Drains take the replicas one by one."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _METADATA,
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _SELECTOR}},
    }


def metrics_service() -> JSON:
    """Where Prometheus finds the replicas."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _METADATA,
        "spec": {
            "selector": _SELECTOR,
            "ports": [{"name": "metrics", "port": _ports()["metrics"], "targetPort": "metrics"}],
        },
    }


def _pod() -> JSON:
    shutdown = _default("shutdown_timeout")
    return {
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": int(shutdown) + _GRACE_SECONDS,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 100,
                        "podAffinityTerm": {
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": {"matchLabels": _SELECTOR},
                        },
                    }
                ]
            }
        },
        "containers": [_container()],
    }


def _container() -> JSON:
    return {
        "name": "operator",
        "image": f"{NAME}:{version(NAME)}",
        "args": ["--log-format=json"],
        "ports": [{"name": name, "containerPort": port} for name, port in _ports().items()],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "health"}, "timeoutSeconds": 5},
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": "health"},
            "periodSeconds": 5,
            "timeoutSeconds": 5,
        },
        # No limit of CPU: a throttled leader loses its Lease.
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "1Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }


def _ports() -> dict[str, int]:
    """The ports that the operator serves on unless told otherwise, by name."""
    ports = {}
    for name in ("health", "metrics"):
        address = host_and_port(_default(f"{name}_address"))
        assert address is not None
        ports[name] = address[1]
    return ports


def _default(setting: str) -> Any:
    return RuntimeSettings.model_fields[setting].default
