"""The defaults of built-in types other than pods and Services, by Go type.

Each is applied to a decoded value when all below it has its own. They follow the functions
SetDefaults_* of Kubernetes, and tests/goldens/kinds shows them:
https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis
"""

from collections.abc import Callable, Mapping
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import pod_defaults
from hourglass_simulator.kubernetes.version import Version

_API = "k8s.io/api"
_REGISTRATION = "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
_RBAC = "rbac.authorization.k8s.io"
Default = Callable[[JSON], JSON]


def _constant(**values: Any) -> Default:
    """Values for fields that are absent."""
    return lambda obj: {**obj, **{k: v for k, v in values.items() if obj.get(k) is None}}


def _in_spec(**values: Any) -> Default:
    """Values for absent fields of the spec."""
    return lambda obj: {**obj, "spec": _constant(**values)(obj.get("spec") or {})}


def _rolling(field: str, **values: Any) -> Default:
    """A strategy that rolls, unless another one is named."""

    def default(obj: JSON) -> JSON:
        strategy = _constant(type="RollingUpdate")(obj["spec"].get(field) or {})
        if strategy["type"] == "RollingUpdate":
            rolling = _constant(**values)(strategy.get("rollingUpdate") or {})
            strategy["rollingUpdate"] = rolling
        return {**obj, "spec": {**obj["spec"], field: strategy}}

    return default


def _all(*defaults: Default) -> Default:
    def default(obj: JSON) -> JSON:
        for each in defaults:
            obj = each(obj)
        return obj

    return default


def _template(obj: JSON) -> JSON:
    return {**obj, "spec": pod_defaults.of_template(obj["spec"])}


def _claim_templates(obj: JSON) -> JSON:
    claims = obj["spec"].get("volumeClaimTemplates")
    if not claims:
        return obj
    typed = {"kind": "PersistentVolumeClaim", "apiVersion": "v1"}
    return {
        **obj,
        "spec": {**obj["spec"], "volumeClaimTemplates": [{**typed, **c} for c in claims]},
    }


def _replication_controller(obj: JSON) -> JSON:
    labels = ((obj["spec"].get("template") or {}).get("metadata") or {}).get("labels")
    if not labels:
        return obj
    meta, spec = obj["metadata"], obj["spec"]
    if not meta.get("labels"):
        meta = {**meta, "labels": labels}
    return {**obj, "metadata": meta, "spec": _constant(selector=labels)(spec)}


def _job(obj: JSON) -> JSON:
    """One pod at a time and one in all, unless something is said of either."""
    spec = obj["spec"]
    if "completions" not in spec and "parallelism" not in spec:
        spec = {**spec, "completions": 1}
    values = {
        "parallelism": 1,
        "backoffLimit": 2**31 - 1 if "backoffLimitPerIndex" in spec else 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "manualSelector": False,
        "podReplacementPolicy": (
            "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed"
        ),
    }
    spec = _constant(**values)(spec)
    if policy := spec.get("podFailurePolicy"):
        rules = [_failure_rule(rule) for rule in policy.get("rules") or ()]
        spec = {**spec, "podFailurePolicy": {**policy, "rules": rules}}
    return {**obj, "spec": spec}


def _failure_rule(rule: JSON) -> JSON:
    """A condition of a pod counts when it is true."""
    if not rule.get("onPodConditions"):
        return rule
    patterns = [
        each if each.get("status") else {**each, "status": "True"}
        for each in rule["onPodConditions"]
    ]
    return {**rule, "onPodConditions": patterns}


def _limits(item: JSON) -> JSON:
    """What is the most is the default, and that is what is requested."""
    if item.get("type") != "Container":
        return item
    default = {**(item.get("max") or {}), **(item.get("default") or {})}
    request = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
    added = {"default": default, "defaultRequest": request}
    return {**item, **{field: value for field, value in added.items() if value}}


def _autoscaler(obj: JSON) -> JSON:
    spec = _constant(minReplicas=1)(obj["spec"])
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if spec.get("behavior") is not None:
        rules = {way: {**_BEHAVIOR[way], **(spec["behavior"].get(way) or {})} for way in _BEHAVIOR}
        spec["behavior"] = {**spec["behavior"], **rules}
    return {**obj, "spec": spec}


_BEHAVIOR: JSON = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ],
    },
    "scaleDown": {
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
}
"""https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/autoscaling/v2/defaults.go"""


def _network_policy(obj: JSON) -> JSON:
    types = ["Ingress", *(["Egress"] if obj["spec"].get("egress") else [])]
    return {**obj, "spec": _constant(policyTypes=types)(obj["spec"])}


def _subject(subject: JSON) -> JSON:
    group = "" if subject.get("kind") == "ServiceAccount" else _RBAC
    return subject if "apiGroup" in subject or not group else {**subject, "apiGroup": group}


def _node(spec: JSON) -> JSON:
    """The first network is said twice, and older clients know but that.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/v1/conversion.go
    """
    first, networks = spec.get("podCIDR"), spec.get("podCIDRs")
    if first and (not networks or networks[0] != first):
        return {**spec, "podCIDRs": [first]}
    return {**spec, "podCIDR": networks[0]} if networks and networks[0] else spec


def _flow_schema(spec: JSON) -> JSON:
    return {**spec, "matchingPrecedence": spec["matchingPrecedence"] or 1000}


def _queuing(queuing: JSON) -> JSON:
    wanted = {"queues": 64, "handSize": 8, "queueLengthLimit": 50}
    return {**queuing, **{name: queuing.get(name) or value for name, value in wanted.items()}}


def _request(request: JSON) -> JSON:
    request = _constant(allocationMode="ExactCount")(request)
    return _constant(count=1)(request) if request["allocationMode"] == "ExactCount" else request


def _webhook(**values: Any) -> Default:
    return _constant(
        failurePolicy="Fail",
        matchPolicy="Equivalent",
        namespaceSelector={},
        objectSelector={},
        timeoutSeconds=10,
        **values,
    )


_claim_policy = _constant(whenDeleted="Retain", whenScaled="Retain")


def _claims_kept(obj: JSON) -> JSON:
    given = obj["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    spec = {**obj["spec"], "persistentVolumeClaimRetentionPolicy": _claim_policy(given)}
    return {**obj, "spec": spec}


def _pending(obj: JSON) -> JSON:
    return {**obj, "status": _constant(phase="Pending")(obj.get("status") or {})}


_DEFAULTS: dict[str, Default] = {
    f"{_API}/certificates/v1.PodCertificateRequestSpec": _constant(maxExpirationSeconds=86400),
    f"{_API}/core/v1.PodTemplateSpec": _template,
    f"{_API}/core/v1.ReplicationController": _all(_replication_controller, _in_spec(replicas=1)),
    f"{_API}/core/v1.PersistentVolumeClaim": _pending,
    f"{_API}/core/v1.PersistentVolumeClaimSpec": _constant(volumeMode="Filesystem"),
    f"{_API}/core/v1.PersistentVolume": _all(
        _pending, _in_spec(persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    ),
    f"{_API}/core/v1.GRPCAction": _constant(service=""),
    f"{_API}/core/v1.HostPathVolumeSource": _constant(type=""),
    f"{_API}/core/v1.LimitRangeItem": _limits,
    f"{_API}/core/v1.EndpointPort": _constant(protocol="TCP"),
    f"{_API}/core/v1.Secret": _constant(type="Opaque"),
    f"{_API}/apps/v1.Deployment": _all(
        _in_spec(replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600),
        _rolling("strategy", maxUnavailable="25%", maxSurge="25%"),
    ),
    f"{_API}/apps/v1.ReplicaSet": _in_spec(replicas=1),
    f"{_API}/apps/v1.StatefulSet": _all(
        _in_spec(podManagementPolicy="OrderedReady", replicas=1, revisionHistoryLimit=10),
        _rolling("updateStrategy", partition=0),
        _claims_kept,
        _claim_templates,
    ),
    f"{_API}/apps/v1.DaemonSet": _all(
        _in_spec(revisionHistoryLimit=10),
        _rolling("updateStrategy", maxUnavailable=1, maxSurge=0),
    ),
    f"{_API}/batch/v1.Job": _job,
    f"{_API}/batch/v1.PodFailurePolicyOnPodConditionsPattern": lambda obj: {
        **obj,
        "status": obj.get("status") or "True",
    },
    f"{_API}/batch/v1.CronJobSpec": _constant(
        concurrencyPolicy="Allow",
        suspend=False,
        successfulJobsHistoryLimit=3,
        failedJobsHistoryLimit=1,
    ),
    f"{_API}/core/v1.NodeSpec": _node,
    f"{_API}/autoscaling/v2.HorizontalPodAutoscaler": _autoscaler,
    f"{_API}/discovery/v1.EndpointPort": _constant(name="", protocol="TCP"),
    f"{_API}/networking/v1.NetworkPolicyPort": _constant(protocol="TCP"),
    f"{_API}/networking/v1.NetworkPolicy": _network_policy,
    f"{_API}/networking/v1.IngressClassParametersReference": _constant(scope="Cluster"),
    f"{_API}/flowcontrol/v1.FlowSchemaSpec": _flow_schema,
    f"{_API}/flowcontrol/v1.ExemptPriorityLevelConfiguration": _constant(
        nominalConcurrencyShares=0, lendablePercent=0
    ),
    f"{_API}/flowcontrol/v1.LimitedPriorityLevelConfiguration": _constant(
        nominalConcurrencyShares=30, lendablePercent=0
    ),
    f"{_API}/flowcontrol/v1.QueuingConfiguration": _queuing,
    f"{_API}/rbac/v1.Subject": _subject,
    f"{_API}/rbac/v1.RoleRef": lambda ref: {**ref, "apiGroup": ref["apiGroup"] or _RBAC},
    f"{_API}/resource/v1.ExactDeviceRequest": _request,
    f"{_API}/resource/v1.DeviceSubRequest": _request,
    f"{_API}/scheduling/v1.PriorityClass": _constant(preemptionPolicy="PreemptLowerPriority"),
    f"{_API}/storage/v1.CSIDriverSpec": _constant(
        attachRequired=True,
        fsGroupPolicy="ReadWriteOnceWithFSType",
        podInfoOnMount=False,
        requiresRepublish=False,
        seLinuxMount=False,
        storageCapacity=False,
        volumeLifecycleModes=["Persistent"],
    ),
    f"{_API}/storage/v1.StorageClass": _constant(
        reclaimPolicy="Delete", volumeBindingMode="Immediate"
    ),
    f"{_API}/admissionregistration/v1.MutatingWebhook": _webhook(reinvocationPolicy="Never"),
    f"{_API}/admissionregistration/v1.ValidatingWebhook": _webhook(),
    f"{_API}/admissionregistration/v1.Rule": _constant(scope="*"),
    f"{_API}/admissionregistration/v1.RuleWithOperations": _constant(scope="*"),
    f"{_API}/admissionregistration/v1.NamedRuleWithOperations": _constant(scope="*"),
    f"{_API}/admissionregistration/v1.ServiceReference": _constant(port=443),
    f"{_API}/admissionregistration/v1.MatchResources": _constant(
        matchPolicy="Equivalent", namespaceSelector={}, objectSelector={}
    ),
    f"{_API}/admissionregistration/v1.ValidatingAdmissionPolicySpec": _constant(
        failurePolicy="Fail"
    ),
    f"{_API}/admissionregistration/v1.MutatingAdmissionPolicySpec": _constant(failurePolicy="Fail"),
    f"{_REGISTRATION}.ServiceReference": _constant(port=443),
}

_GATED: tuple[tuple[str, str, Default], ...] = (
    (
        "MaxUnavailableStatefulSet",
        f"{_API}/apps/v1.StatefulSet",
        _rolling("updateStrategy", maxUnavailable=1),
    ),
    (
        "VolumeLimitScaling",
        f"{_API}/storage/v1.CSIDriverSpec",
        _constant(preventPodSchedulingIfMissing=False),
    ),
)
"""What a feature gate adds to the defaults of a type."""


def defaults(version: Version) -> Mapping[str, Default]:
    """The defaults of a version by Go type."""
    gated = {
        go_type: _all(_DEFAULTS[go_type], default)
        for gate, go_type, default in _GATED
        if version.enabled(gate)
    }
    return {**_DEFAULTS, **gated}
