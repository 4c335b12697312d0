"""The pod of a Performer."""

from collections.abc import Mapping

from hourglass_kube.types import JSON
from hourglass_operator.api import HealthCheck, PerformerConfig, PerformerSpec
from hourglass_operator.hardware.requirement import Requirement
from hourglass_operator.hardware.terms import device_resources, node_affinity
from hourglass_operator.resources import names
from hourglass_operator.resources.owner import owner_reference

DRAIN_SECONDS = 5
"""How long a stopping server still answers: until every kube-proxy knows that it is going."""

GRACE_SECONDS = 30 + DRAIN_SECONDS
"""The server keeps the 30 s to stop that Kubernetes gives by default; draining counts as well.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""


def build_pod(
    name: str,
    namespace: str,
    uid: str,
    avs_address: str,
    template_hash: str,
    attempt: int,
    pod_spec: JSON,
) -> JSON:
    """The pod of the Performer `namespace/name` (`uid`) with this PodSpec; see `build_pod_spec`."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": names.pod_name(name, template_hash, attempt),
            "namespace": namespace,
            "labels": names.labels(name, avs_address, template_hash),
            "ownerReferences": [owner_reference(name, uid)],
        },
        "spec": pod_spec,
    }


def build_pod_spec(spec: PerformerSpec, needed: Requirement | None) -> JSON:
    """The PodSpec that a spec with this hardware requirement asks for.

    Fields that say nothing are left out. Without a ServiceAccount of its own the pod gets no token;
    with one, that account's own automountServiceAccountToken holds. Taints of GPU nodes are
    tolerated only if `scheduling.tolerations` says so: a taint is the cluster administrator's no,
    and clusters that mean to let every GPU pod pass run the ExtendedResourceToleration admission
    plugin.
    """
    scheduling, config = spec.scheduling, spec.config
    return _present(
        {
            "containers": [_container(spec, needed)],
            "serviceAccountName": config.service_account_name,
            "automountServiceAccountToken": None if config.service_account_name else False,
            "enableServiceLinks": False,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "imagePullSecrets": spec.image_pull_secrets,
            "nodeSelector": scheduling.node_selector,
            "affinity": node_affinity(scheduling.affinity, needed),
            "tolerations": scheduling.tolerations,
            "runtimeClassName": scheduling.runtime_class,
            "priorityClassName": scheduling.priority_class_name,
        }
    )


def pod_repair(
    labels: Mapping[str, str], owner: str, wanted_labels: Mapping[str, str], name: str, uid: str
) -> JSON | None:
    """A merge patch that gives a pod back the labels and the owner it has lost; None if it has all.

    `owner` is the uid of its controller, empty when it has none.
    """
    metadata: JSON = {}
    if lost := {key: value for key, value in wanted_labels.items() if labels.get(key) != value}:
        metadata["labels"] = lost
    if not owner:
        metadata["ownerReferences"] = [owner_reference(name, uid)]
    return {"metadata": metadata} if metadata else None


def _container(spec: PerformerSpec, needed: Requirement | None) -> JSON:
    config = spec.config
    return _present(
        {
            "name": names.CONTAINER,
            "image": spec.image,
            "imagePullPolicy": spec.image_pull_policy,
            "command": config.command,
            "args": config.args,
            "env": _environment(config),
            "envFrom": config.environment_from,
            "ports": [{"name": names.PORT, "containerPort": config.grpc_port, "protocol": "TCP"}],
            "resources": device_resources(spec.resources, needed),
            "readinessProbe": _readiness_probe(config),
            "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
            "securityContext": {"allowPrivilegeEscalation": False},
        }
    )


def _environment(config: PerformerConfig) -> list[JSON]:
    """`env` as it is, after what the plain map has besides: $(NAME) refers to what came before."""
    named = {variable["name"] for variable in config.env}
    plain = sorted(item for item in config.environment.items() if item[0] not in named)
    return [*({"name": key, "value": value} for key, value in plain), *config.env]


def _readiness_probe(config: PerformerConfig) -> JSON | None:
    match config.health_check:
        case HealthCheck.NONE:
            return None
        case HealthCheck.GRPC:
            return {"grpc": {"port": config.grpc_port}, "periodSeconds": 5}
        case HealthCheck.TCP:
            return {"tcpSocket": {"port": names.PORT}, "periodSeconds": 5}


def _present(fields: JSON) -> JSON:
    return {name: value for name, value in fields.items() if value not in (None, [], {})}
