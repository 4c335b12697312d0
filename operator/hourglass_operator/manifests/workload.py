"""The Deployment of the operator and what goes with it."""

from copy import deepcopy
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.manifests.installation import DEFAULT, Installation, selector
from hourglass_operator.manifests.roles import NAMESPACE
from hourglass_operator.runtime.process.settings import RuntimeSettings, host_and_port

USER = 65532
"""The user of the Containerfile, and of images without a shell in general."""

_GRACE_SECONDS = 5
"""Beyond the shutdown timeout: to close connections, and for the container runtime."""


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


def deployment(chosen: Installation = DEFAULT) -> JSON:
    """Two replicas, apart if there is more than one node; one of them leads.

    The object is the caller's to change.
    """
    made = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(chosen),
        "spec": {
            "replicas": chosen.replicas,
            "selector": {"matchLabels": selector(chosen.label)},
            "template": {
                "metadata": {
                    "labels": chosen.pod_labels,
                    **_given({"annotations": chosen.pod_annotations}),
                },
                "spec": _pod(chosen),
            },
        },
    }
    return deepcopy(made)


def disruption_budget(chosen: Installation = DEFAULT) -> JSON:
    """Drains take the replicas one by one."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(chosen),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(chosen.label)}},
    }


def metrics_service(chosen: Installation = DEFAULT) -> JSON:
    """Where Prometheus finds the replicas."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(chosen),
        "spec": {
            "selector": selector(chosen.label),
            "ports": [{"name": "metrics", "port": _ports()["metrics"], "targetPort": "metrics"}],
        },
    }


def network_policy(chosen: Installation = DEFAULT) -> JSON:
    """Others reach the metrics and the probes and nothing else; the API server is not a pod.

    https://kubernetes.io/docs/concepts/services-networking/network-policies/
    """
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(chosen),
        "spec": {
            "podSelector": {"matchLabels": selector(chosen.label)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": port} for port in sorted(_ports().values())]}],
        },
    }


def _metadata(chosen: Installation) -> JSON:
    labels = selector(chosen.label)
    return {"name": chosen.name, "namespace": chosen.namespace, "labels": labels}


def _pod(chosen: Installation) -> JSON:
    shutdown = _default("shutdown_timeout")
    optional = {
        "tolerations": chosen.tolerations,
        "topologySpreadConstraints": chosen.topology_spread,
        "priorityClassName": chosen.priority_class,
        "imagePullSecrets": chosen.image_pull_secrets,
    }
    return {
        "serviceAccountName": chosen.name,
        "terminationGracePeriodSeconds": int(shutdown) + _GRACE_SECONDS,
        "nodeSelector": chosen.node_selector,
        **_given(optional),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "affinity": chosen.affinity,
        "containers": [_container(chosen)],
        **_given({"volumes": chosen.volumes}),
    }


def _container(chosen: Installation) -> JSON:
    return {
        "name": "operator",
        "image": chosen.image,
        **_given({"imagePullPolicy": chosen.pull_policy}),
        "args": chosen.args,
        **_given({"env": chosen.env}),
        "ports": [{"name": name, "containerPort": port} for name, port in _ports().items()],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "health"}, "timeoutSeconds": 5},
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": "health"},
            "periodSeconds": 5,
            "timeoutSeconds": 5,
        },
        "resources": chosen.resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        **_given({"volumeMounts": chosen.volume_mounts}),
    }


def _given(optional: JSON) -> JSON:
    """Fields without those that say nothing."""
    return {name: value for name, value in optional.items() if value}


def _ports() -> dict[str, int]:
    """The ports that the operator serves on unless flags name others, by name."""
    ports = {}
    for name in ("health", "metrics"):
        address = host_and_port(_default(f"{name}_address"))
        assert address is not None
        ports[name] = address[1]
    return ports


def _default(setting: str) -> Any:
    return RuntimeSettings.model_fields[setting].default
