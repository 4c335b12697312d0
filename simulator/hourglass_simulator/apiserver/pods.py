"""What the API server does to a pod at creation: defaults, admission, and what may change later."""

from collections.abc import Callable, Iterable
from typing import Any

from hourglass_operator.kube import podresources
from hourglass_simulator.apiserver.errors import forbidden, invalid
from hourglass_simulator.apiserver.resources import Resource

JSON = dict[str, Any]
Find = Callable[[str, str, str], JSON | None]
"""(resource, namespace, name) → the object, None if there is none."""

GRACE_SECONDS = 30
_TOLERATED_SECONDS = 300
_DEFAULT_TOLERATIONS = [
    {
        "key": f"node.kubernetes.io/{key}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": _TOLERATED_SECONDS,
    }
    for key in ("not-ready", "unreachable")
]
_IMMUTABLE = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)"
)


def admit_pod(resource: Resource, pod: JSON, find: Find) -> JSON:
    """A new pod as it is stored; raises APIError 403 for what admission refuses.

    https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
    """
    meta, spec = pod["metadata"], pod["spec"]
    name, namespace = meta["name"], meta["namespace"]
    account = spec.get("serviceAccountName") or "default"
    if account != "default" and find("serviceaccounts", namespace, account) is None:
        raise forbidden(
            resource,
            name,
            f'error looking up service account {namespace}/{account}: serviceaccount "{account}"'
            " not found",
        )
    spec = {
        **spec,
        **_priority(resource, name, spec, find),
        **_overhead(resource, name, spec, find),
        "serviceAccountName": account,
        "serviceAccount": account,
        "containers": [_container(container) for container in spec["containers"]],
        "tolerations": _tolerations(spec.get("tolerations") or []),
    }
    defaults = {
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {},
        "enableServiceLinks": True,
    }
    status = {"phase": "Pending", "qosClass": _qos(spec["containers"])}
    return {**pod, "spec": {**defaults, **spec}, "status": status}


def check_update(resource: Resource, before: JSON, after: JSON) -> None:
    """Raise APIError 422 when an update changes what is fixed for the life of a pod."""
    old, new = before["spec"], after["spec"]
    if old is new or old == new:
        return
    kept = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "containers")
    fixed = [key for key in {**old, **new} if key not in kept and old.get(key) != new.get(key)]
    additions = (new.get("tolerations") or [])[: len(old.get("tolerations") or [])]
    if fixed or additions != (old.get("tolerations") or []) or _images_cut(old) != _images_cut(new):
        raise invalid(
            resource, before["metadata"]["name"], "spec", "FieldValueForbidden", _IMMUTABLE
        )


def check_quota(
    resource: Resource, pod: JSON, quotas: Iterable[JSON], others: Iterable[JSON]
) -> None:
    """Raise APIError 403 when a new pod would exceed a ResourceQuota of its namespace.

    https://kubernetes.io/docs/concepts/policy/resource-quotas/
    """
    asked = _quota_use(pod["spec"])
    used: dict[str, int] | None = None
    for quota in quotas:
        hard = {k: podresources.amount(_unit(k), v) for k, v in quota["spec"]["hard"].items()}
        if used is None:
            used = {}
            for other in others:
                for key, count in _quota_use(other["spec"]).items():
                    used[key] = used.get(key, 0) + count
        over = sorted(
            k for k, limit in hard.items() if k in asked and used.get(k, 0) + asked[k] > limit
        )
        if over:
            text = ", ".join(
                f"{word}: " + ",".join(f"{k}={_print(k, source.get(k, 0))}" for k in over)
                for word, source in (("requested", asked), ("used", used), ("limited", hard))
            )
            name = quota["metadata"]["name"]
            raise forbidden(resource, pod["metadata"]["name"], f"exceeded quota: {name}, {text}")


def _container(container: JSON) -> JSON:
    image = container["image"]
    latest = "@" not in image and image.rpartition("/")[2].partition(":")[2] in ("", "latest")
    resources = container.get("resources") or {}
    if resources.get("limits"):
        requested = {**resources["limits"], **(resources.get("requests") or {})}
        resources = {**resources, "requests": requested}
    return {
        "imagePullPolicy": "Always" if latest else "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        **container,
        "resources": resources,
    }


def _tolerations(own: list[JSON]) -> list[JSON]:
    """The defaults of DefaultTolerationSeconds, unless the pod speaks of these taints itself."""
    missing = [
        default
        for default in _DEFAULT_TOLERATIONS
        if not any(
            toleration.get("key") in (None, "", default["key"])
            and toleration.get("effect") in (None, "", "NoExecute")
            for toleration in own
        )
    ]
    return [*own, *missing]


def _priority(resource: Resource, name: str, spec: JSON, find: Find) -> JSON:
    wanted = spec.get("priorityClassName")
    if not wanted:
        return {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}
    found = find("priorityclasses", "", wanted)
    if found is None:
        raise forbidden(resource, name, f"no PriorityClass with name {wanted} was found")
    policy = found.get("preemptionPolicy", "PreemptLowerPriority")
    return {"priority": found["value"], "preemptionPolicy": policy}


def _overhead(resource: Resource, name: str, spec: JSON, find: Find) -> JSON:
    wanted = spec.get("runtimeClassName")
    if not wanted:
        return {}
    found = find("runtimeclasses", "", wanted)
    if found is None:
        raise forbidden(resource, name, f'pod rejected: RuntimeClass "{wanted}" not found')
    extra: JSON = {}
    if overhead := (found.get("overhead") or {}).get("podFixed"):
        extra["overhead"] = overhead
    scheduling = found.get("scheduling") or {}
    if scheduling.get("nodeSelector"):
        extra["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **scheduling["nodeSelector"]}
    return extra


def _qos(containers: list[JSON]) -> str:
    """https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/"""
    counted = ("cpu", "memory")
    resources = [container["resources"] for container in containers]
    if not any((r.get(kind) or {}).get(c) for r in resources for kind in r for c in counted):
        return "BestEffort"
    guaranteed = all(
        (r.get("limits") or {}).get(c) and r["limits"][c] == (r.get("requests") or {}).get(c)
        for r in resources
        for c in counted
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _images_cut(spec: JSON) -> list[JSON]:
    return [{**container, "image": ""} for container in spec["containers"]]


def _quota_use(spec: JSON) -> dict[str, int]:
    """What a pod counts for, by the names that quotas use."""
    requests = podresources.requests(spec)
    use = {"pods": 1, "count/pods": 1}
    for resource, count in requests.items():
        use[f"requests.{resource}"] = count
        if "/" not in resource:
            use[resource] = count
    for container in spec["containers"]:
        for resource, text in ((container.get("resources") or {}).get("limits") or {}).items():
            key = f"limits.{resource}"
            use[key] = use.get(key, 0) + podresources.amount(resource, text)
    return use


def _unit(key: str) -> str:
    return podresources.CPU if key.rpartition(".")[2] == podresources.CPU else key


def _print(key: str, count: int) -> str:
    """A count as resource.Quantity prints it."""
    if _unit(key) == podresources.CPU:
        return str(count // 1000) if count % 1000 == 0 else f"{count}m"
    if key.rpartition(".")[2] == podresources.MEMORY:
        for power, suffix in ((30, "Gi"), (20, "Mi"), (10, "Ki")):
            if count and count % (1 << power) == 0:
                return f"{count >> power}{suffix}"
    return str(count)
