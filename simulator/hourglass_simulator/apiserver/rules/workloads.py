"""Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/apps/validation
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Callable, Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import (
    claims,
    labels,
    names,
    numbers,
    object_meta,
    pod_annotations,
    pod_spec,
    pod_warnings,
)
from hourglass_simulator.apiserver.rules.fault import (
    IMMUTABLE,
    Faults,
    each,
    forbidden,
    immutable,
    invalid,
    non_negative,
    non_negatives,
    not_supported,
    one_of,
    required,
)
from hourglass_simulator.apiserver.rules.go_text import printed

_MISMATCH = "`selector` does not match template `labels`"
_SELECTOR = "spec.selector"
_MOVABLE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)


def _labels_of(template: JSON | None) -> JSON:
    found: JSON = ((template or {}).get("metadata") or {}).get("labels") or {}
    return found


def _selector(spec: JSON, kind: str) -> Faults:
    selector = spec.get("selector")
    if selector is None:
        yield required(_SELECTOR)
        return
    yield from labels.selector(_SELECTOR, selector)
    if labels.is_empty(selector):
        shown = printed("meta.LabelSelector", selector)
        yield invalid(_SELECTOR, shown, f"empty selector is invalid for {kind}")


def _matching(spec: JSON) -> Faults:
    """Pods of the template that the selector does not select; an empty one is not asked."""
    selector, given = spec.get("selector"), _labels_of(spec.get("template"))
    asked = selector is None or not labels.is_empty(selector)
    if asked and not labels.matches(selector, given):
        yield invalid("spec.template.metadata.labels", given or None, _MISMATCH)


def _replicated(spec: JSON, kind: str) -> Faults:
    yield from _selector(spec, "deployment")
    if not labels.usable(spec.get("selector")):
        shown = printed("meta.LabelSelector", spec["selector"])
        yield invalid(_SELECTOR, shown, "invalid label selector")
        return
    yield from _matching(spec)
    yield from pod_spec.template("spec.template", spec.get("template"))
    yield from pod_spec.restarts("spec.template", spec.get("template") or {}, kind)


def deployment_created(found: JSON) -> Faults:
    """What is wrong with a new Deployment."""
    yield from object_meta.created("deployments", found["metadata"])
    yield from _deployment(found.get("spec") or {})


def _deployment(spec: JSON) -> Faults:
    yield from non_negative("spec.replicas", spec.get("replicas"))
    yield from _replicated(spec, "ReplicaSet")
    yield from _deployment_strategy(spec.get("strategy") or {})
    ready, deadline = spec.get("minReadySeconds") or 0, spec.get("progressDeadlineSeconds")
    yield from non_negative("spec.minReadySeconds", ready)
    yield from non_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    if deadline is not None:
        yield from non_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= ready:
            why = "must be greater than minReadySeconds"
            yield invalid("spec.progressDeadlineSeconds", deadline, why)


def _deployment_strategy(strategy: JSON) -> Faults:
    path, rolling, kind = "spec.strategy", strategy.get("rollingUpdate"), strategy.get("type")
    if kind == "Recreate":
        if rolling is not None:
            why = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden(f"{path}.rollingUpdate", why)
    elif kind == "RollingUpdate":
        least, surge = ((rolling or {}).get(f) or 0 for f in ("maxUnavailable", "maxSurge"))
        field = f"{path}.rollingUpdate.maxUnavailable"
        yield from numbers.number_or_percent(field, least)
        yield from numbers.number_or_percent(f"{path}.rollingUpdate.maxSurge", surge)
        if numbers.plain(least) == 0 and numbers.plain(surge) == 0:
            yield invalid(field, least, "may not be 0 when `maxSurge` is 0")
        yield from numbers.at_most_all(field, least)
    else:
        shown = printed("apps.DeploymentStrategy", strategy)
        yield not_supported(path, shown, ("Recreate", "RollingUpdate"))


def _same_selector(new: JSON, old: JSON) -> Faults:
    given, before = (obj["spec"].get("selector") for obj in (new, old))
    yield from immutable(_SELECTOR, given, before, lambda v: printed("meta.LabelSelector", v))


def deployment_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed Deployment."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "deployments")
    yield from _deployment(new.get("spec") or {})
    yield from _same_selector(new, old)


def _above(status: JSON, *fields: str) -> Faults:
    """Counts of replicas that are more than there are."""
    for field in fields:
        count = status.get(field) or 0
        if count > (status.get("replicas") or 0):
            yield invalid(f"status.{field}", count, "cannot be greater than status.replicas")


def _available(status: JSON, whose: str = "readyReplicas") -> Faults:
    count = status.get("availableReplicas") or 0
    if count > (status.get("readyReplicas") or 0):
        yield invalid("status.availableReplicas", count, f"cannot be greater than {whose}")


def _not_decremented(new: JSON, old: JSON) -> Faults:
    count, before = ((obj.get("status") or {}).get("collisionCount") for obj in (new, old))
    if before is not None and (count is None or count < before):
        yield invalid("status.collisionCount", count or 0, "cannot be decremented")


def deployment_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "deployments")
    status = new.get("status") or {}
    counts = ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas")
    more = ("availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount")
    yield from non_negatives("status", status, *counts, *more)
    yield from _above(status, "updatedReplicas", "readyReplicas", "availableReplicas")
    yield from _available(status)
    yield from _not_decremented(new, old)


def replica_set_created(found: JSON) -> Faults:
    """What is wrong with a new ReplicaSet."""
    yield from object_meta.created("replicasets", found["metadata"])
    yield from _replica_set(found.get("spec") or {})


def _replica_set(spec: JSON) -> Faults:
    yield from non_negatives("spec", spec, "replicas", "minReadySeconds")
    yield from _replicated(spec, "ReplicaSet")


def replica_set_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ReplicaSet."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "replicasets")
    yield from _replica_set(new.get("spec") or {})
    yield from _same_selector(new, old)


def replica_set_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "replicasets")
    status = new.get("status") or {}
    counts = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    yield from non_negatives("status", status, *counts, "observedGeneration", "terminatingReplicas")
    yield from _above(status, "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    yield from _available(status)


def stateful_set_created(found: JSON) -> Faults:
    """What is wrong with a new StatefulSet."""
    yield from object_meta.created("statefulsets", found["metadata"])
    yield from _stateful_set(found.get("spec") or {}, new=True)


def _stateful_set(spec: JSON, *, new: bool) -> Faults:
    management = spec.get("podManagementPolicy") or ""
    if not management:
        yield required("spec.podManagementPolicy")
    elif management not in ("OrderedReady", "Parallel"):
        why = "must be 'OrderedReady' or 'Parallel'"
        yield invalid("spec.podManagementPolicy", management, why)
    yield from _stateful_strategy(spec.get("updateStrategy") or {})
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for field in ("whenDeleted", "whenScaled"):
        path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
        if retention:
            yield from one_of(path, retention.get(field) or "", ("Retain", "Delete"))
    templates = spec.get("volumeClaimTemplates") or []
    for index, template in enumerate(templates if new else ()):
        yield from claims.spec(
            f"spec.volumeClaimTemplates[{index}].spec", template.get("spec") or {}
        )
    yield from non_negatives("spec", spec, "replicas", "minReadySeconds")
    start = (spec.get("ordinals") or {}).get("start")
    yield from non_negative("spec.ordinals.start", start)
    service = spec.get("serviceName")
    if new and service:
        yield from each("spec.serviceName", service, names.dns_label(service))
    yield from _selector(spec, "statefulset")
    if not labels.usable(spec.get("selector")):
        shown = printed("meta.LabelSelector", spec["selector"])
        yield invalid(_SELECTOR, shown, "")
    else:
        yield from _matching(spec)
        yield from _stateful_template(spec, templates)
    yield from pod_spec.restarts("spec.template", spec.get("template") or {}, "StatefulSet")


def _stateful_template(spec: JSON, templates: list[JSON]) -> Faults:
    """The template as its pods will be: named by the set, and with its claims as volumes."""
    template = spec.get("template") or {}
    inner = {
        k: v for k, v in (template.get("spec") or {}).items() if k not in ("hostname", "subdomain")
    }
    made = [(each_one.get("metadata") or {}).get("name") or "" for each_one in templates]
    if made:
        own = [v for v in inner.get("volumes") or () if v.get("name") not in made]
        claimed = [{"name": n, "persistentVolumeClaim": {"claimName": n}} for n in made]
        inner["volumes"] = [*claimed, *own]
    whole = {**template, "spec": inner}
    yield from pod_spec.template("spec.template", whole)
    meta = template.get("metadata") or {}
    yield from labels.labels("spec.template.labels", meta.get("labels"))
    yield from labels.annotations("spec.template.annotations", meta.get("annotations"))
    yield from pod_annotations.annotations("spec.template.annotations", meta, inner)


def _stateful_strategy(strategy: JSON) -> Faults:
    kind, rolling, path = (
        strategy.get("type") or "",
        strategy.get("rollingUpdate"),
        "spec.updateStrategy",
    )
    if not kind:
        yield required(path)
    elif kind == "OnDelete":
        if rolling is not None:
            shown = printed("apps.RollingUpdateStatefulSetStrategy", rolling)
            why = "only allowed for updateStrategy 'RollingUpdate'"
            yield invalid(f"{path}.rollingUpdate", shown, why)
    elif kind == "RollingUpdate":
        yield from non_negative(f"{path}.rollingUpdate.partition", (rolling or {}).get("partition"))
    else:
        shown = printed("apps.StatefulSetUpdateStrategy", strategy)
        yield invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")


_FREE = (
    *("replicas", "template", "updateStrategy", "minReadySeconds", "ordinals"),
    *("revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy"),
)


def stateful_set_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed StatefulSet."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "statefulsets")
    yield from _stateful_set(new.get("spec") or {}, new=False)
    if gates.since(37):
        for field in ("selector", "volumeClaimTemplates", "serviceName", "podManagementPolicy"):
            given, was = (obj["spec"].get(field) for obj in (new, old))
            if (given or None) != (was or None):
                shown = given or [] if field == "volumeClaimTemplates" else given
                yield invalid(f"spec.{field}", shown, IMMUTABLE)
        return
    fixed, before = ({k: v for k, v in obj["spec"].items() if k not in _FREE} for obj in (new, old))
    if fixed != before:
        yield forbidden("spec", _MOVABLE)


def stateful_set_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    status = new.get("status") or {}
    counts = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas")
    more = ("availableReplicas", "observedGeneration", "collisionCount")
    yield from non_negatives("status", status, *counts, *more)
    yield from _above(status, *counts[1:], "availableReplicas")
    yield from _available(status, "status.readyReplicas")
    yield from object_meta.updated(new["metadata"], old["metadata"], "statefulsets")
    yield from _not_decremented(new, old)


def daemon_set_created(found: JSON) -> Faults:
    """What is wrong with a new DaemonSet."""
    yield from object_meta.created("daemonsets", found["metadata"])
    yield from _daemon_set(found.get("spec") or {})


def _daemon_set(spec: JSON) -> Faults:
    selector, given = spec.get("selector"), _labels_of(spec.get("template"))
    yield from labels.selector(_SELECTOR, selector)
    if labels.usable(selector) and not labels.matches(selector, given):
        yield invalid("spec.template.metadata.labels", given or None, _MISMATCH)
    if selector is not None and labels.is_empty(selector):
        shown = printed("meta.LabelSelector", selector)
        yield invalid(_SELECTOR, shown, "empty selector is invalid for daemonset")
    yield from pod_spec.template("spec.template", spec.get("template"))
    yield from pod_spec.restarts("spec.template", spec.get("template") or {}, "DaemonSet")
    yield from non_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _daemon_strategy(spec.get("updateStrategy") or {})
    yield from non_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def _daemon_strategy(strategy: JSON) -> Faults:
    path, kind, rolling = "spec.updateStrategy", strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        shown = printed("apps.DaemonSetUpdateStrategy", strategy)
        yield not_supported(path, shown, ("RollingUpdate", "OnDelete"))
        return
    path += ".rollingUpdate"
    if rolling is None:
        yield required(path)
        return
    given = {field: rolling.get(field) or 0 for field in ("maxUnavailable", "maxSurge")}
    for check in (numbers.number_or_percent, numbers.at_most_all):
        for field, value in given.items():
            yield from check(f"{path}.{field}", value)
    away, surge = (numbers.plain(value) != 0 for value in given.values())
    if away and surge:
        why = "may not be set when maxUnavailable is non-zero"
        yield invalid(f"{path}.maxSurge", given["maxSurge"], why)
    elif not away and not surge:
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def daemon_set_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed DaemonSet."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "daemonsets")
    yield from _same_selector(new, old)
    yield from _daemon_set(new.get("spec") or {})


def daemon_set_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "daemonsets")
    counts = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled")
    more = ("numberReady", "observedGeneration", "updatedNumberScheduled", "numberAvailable")
    last = ("numberUnavailable", "collisionCount")
    yield from non_negatives("status", new.get("status") or {}, *counts, *more, *last)
    yield from _not_decremented(new, old)


def controller_created(found: JSON) -> Faults:
    """What is wrong with a new ReplicationController."""
    yield from object_meta.created("replicationcontrollers", found["metadata"])
    yield from _controller(found.get("spec") or {})


def _controller(spec: JSON) -> Faults:
    if gates.since(37):
        yield from non_negative("spec.replicas", spec.get("replicas"))
    yield from non_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    selector, template = spec.get("selector") or {}, spec.get("template")
    if not selector:
        yield required(_SELECTOR)
    if not gates.since(37):
        yield from non_negative("spec.replicas", spec.get("replicas"))
    if template is None:
        yield required("spec.template")
        return
    given = _labels_of(template)
    if any(given.get(key) != value for key, value in selector.items()):
        yield invalid("spec.template.metadata.labels", given or None, _MISMATCH)
    yield from pod_spec.template("spec.template", template)
    yield from pod_spec.restarts("spec.template", template, "ReplicationController")


def controller_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ReplicationController: Kubernetes looks at it twice."""
    yield from controller_created(new)
    yield from object_meta.updated(new["metadata"], old["metadata"], "replicationcontrollers")
    yield from _controller(new.get("spec") or {})


def controller_status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "replicationcontrollers")
    status = new.get("status") or {}
    counts = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    yield from non_negatives("status", status, *counts, "observedGeneration")
    yield from _above(status, *counts[1:])
    yield from _available(status)


def warnings(what: str) -> Callable[[JSON, JSON | None], Iterator[str]]:
    """What is said of an object with a template; `what` is named by the object's name."""

    def said(new: JSON, old: JSON | None) -> Iterator[str]:
        template = (new.get("spec") or {}).get("template")
        name = new["metadata"]["name"]
        wrong = names.dns_label(name) if what and old is None else []
        if wrong:
            yield (
                f"metadata.name: this is used in {what}, which can result in surprising"
                f" behavior; a DNS label is recommended: [{' '.join(wrong)}]"
            )
        if old is None or template != (old.get("spec") or {}).get("template"):
            yield from pod_warnings.of_template("spec.template", template)

    return said
