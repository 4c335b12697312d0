"""The pod of a Performer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hourglass_kube.types import JSON
from hourglass_operator.api import HealthCheck, PerformerConfig, PerformerSpec
from hourglass_operator.hardware.requirement import Requirement
from hourglass_operator.hardware.terms import device_resources, node_affinity
from hourglass_operator.resources import names
from hourglass_operator.resources.drift import Drift, label_drifts, owner_drift
from hourglass_operator.resources.owner import owner_reference
from hourglass_operator.resources.resizable import asked_for, to_annotation

DRAIN_SECONDS = 5
"""How long a stopping server still answers: until every kube-proxy knows that it is going."""

_NEVER = 2**31 - 1
"""A failureThreshold that nobody lives to see."""

GRACE_SECONDS = 30 + DRAIN_SECONDS
"""The server keeps the 30 s to stop that Kubernetes gives by default; draining counts as well.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""


@dataclass(frozen=True, slots=True)
class PodDefaults:
    """What the operator's settings say for Performers that do not say it themselves.

    They are no part of the template hash: a setting that changes reaches pods that are created
    from then on, and restarts none. Security contexts are merged field by field.
    """

    security_context: JSON = field(default_factory=dict)
    pod_security_context: JSON = field(default_factory=dict)
    liveness_check: HealthCheck = HealthCheck.NONE


_NO_DEFAULTS = PodDefaults()


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
    made_for = asked_for(pod_spec["containers"][0].get("resources") or {})
    annotations = {"annotations": {names.MADE_FOR: to_annotation(made_for)}} if made_for else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": names.pod_name(name, template_hash, attempt),
            "namespace": namespace,
            "labels": names.labels(name, avs_address, template_hash),
            **annotations,
            "ownerReferences": [owner_reference(name, uid)],
        },
        "spec": pod_spec,
    }


def build_pod_spec(
    spec: PerformerSpec, needed: Requirement | None, defaults: PodDefaults = _NO_DEFAULTS
) -> JSON:
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
            "containers": [_container(spec, needed, defaults)],
            "serviceAccountName": config.service_account_name,
            "automountServiceAccountToken": None if config.service_account_name else False,
            "enableServiceLinks": False,
            "securityContext": {
                "seccompProfile": {"type": "RuntimeDefault"},
                **defaults.pod_security_context,
                **(config.pod_security_context or {}),
            },
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "imagePullSecrets": spec.image_pull_secrets,
            "nodeSelector": scheduling.node_selector,
            "affinity": node_affinity(scheduling.affinity, needed),
            "tolerations": scheduling.tolerations,
            "runtimeClassName": scheduling.runtime_class,
            "priorityClassName": scheduling.priority_class_name,
            "resourceClaims": config.resource_claims,
        }
    )


def pod_drifts(
    labels: Mapping[str, str], owner: str, wanted_labels: Mapping[str, str | None], name: str
) -> tuple[Drift, ...]:
    """What a pod of the Performer `name` has lost; `owner` is as in `owner_uid`."""
    drifts = label_drifts(labels, wanted_labels)
    return drifts if owner else (*drifts, owner_drift(name))


def pod_repair(
    labels: Mapping[str, str],
    owner: str,
    wanted_labels: Mapping[str, str | None],
    name: str,
    uid: str,
) -> JSON:
    """A merge patch that gives a pod back the labels and the owner it has lost.

    A wanted label that is None is one that it must not have.
    """
    metadata: JSON = {}
    if lost := {key: value for key, value in wanted_labels.items() if labels.get(key) != value}:
        metadata["labels"] = lost
    if not owner:
        metadata["ownerReferences"] = [owner_reference(name, uid)]
    return {"metadata": metadata}


def _container(spec: PerformerSpec, needed: Requirement | None, defaults: PodDefaults) -> JSON:
    config = spec.config
    liveness = _liveness_check(config, defaults)
    return _present(
        {
            "name": names.CONTAINER,
            "image": spec.image,
            "imagePullPolicy": spec.image_pull_policy,
            "command": config.command,
            "args": config.args,
            "env": _environment(config),
            "envFrom": [source for source in config.environment_from if "name" not in source],
            "ports": [{"name": names.PORT, "containerPort": config.grpc_port, "protocol": "TCP"}],
            "resources": device_resources(spec.resources, needed),
            "readinessProbe": _probe(config, config.health_check, periodSeconds=5),
            # A slow start is no reason for a restart: the kubelet asks for liveness only once the
            # startup probe has succeeded.
            "startupProbe": _probe(config, liveness, periodSeconds=5, failureThreshold=_NEVER),
            "livenessProbe": _probe(config, liveness, periodSeconds=10, failureThreshold=3),
            "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}},
            "securityContext": _security_context(config, defaults),
        }
    )


def _environment(config: PerformerConfig) -> list[JSON]:
    """Each variable once: the plain map, single variables of environmentFrom, then `env`.

    Of one name the last of these counts. `$(NAME)` refers to what came before, so `env` stays in
    its order.
    """
    single = {source["name"]: source for source in config.environment_from if "name" in source}
    named = {variable["name"] for variable in config.env}
    plain = sorted(
        item for item in config.environment.items() if item[0] not in named | single.keys()
    )
    return [
        *({"name": key, "value": value} for key, value in plain),
        *(source for name, source in single.items() if name not in named),
        *config.env,
    ]


def _security_context(config: PerformerConfig, defaults: PodDefaults) -> JSON:
    given = {**defaults.security_context, **(config.security_context or {})}
    added = (given.get("capabilities") or {}).get("add") or ()
    # The API server refuses the two together.
    if given.get("privileged") or "CAP_SYS_ADMIN" in added:
        return given
    return {"allowPrivilegeEscalation": False, **given}


def _liveness_check(config: PerformerConfig, defaults: PodDefaults) -> HealthCheck:
    given = "liveness_check" in config.model_fields_set
    return config.liveness_check if given else defaults.liveness_check


def _probe(config: PerformerConfig, check: HealthCheck, **numbers: int) -> JSON | None:
    match check:
        case HealthCheck.NONE:
            return None
        case HealthCheck.GRPC:
            return {"grpc": {"port": config.grpc_port}, **numbers}
        case HealthCheck.TCP:
            return {"tcpSocket": {"port": names.PORT}, **numbers}


def _present(fields: JSON) -> JSON:
    return {name: value for name, value in fields.items() if value not in (None, [], {})}
