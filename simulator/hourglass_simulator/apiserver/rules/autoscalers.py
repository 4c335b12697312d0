"""HorizontalPodAutoscalers.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/apis/autoscaling/validation
"""

from collections.abc import Callable

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import names, object_meta, resources
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    amount,
    each,
    forbidden,
    invalid,
    non_negatives,
    not_supported,
    required,
)

_METRICS = ("ContainerResource", "External", "Object", "Pods", "Resource")
_TARGETS = ("Utilization", "Value", "AverageValue")
_SELECTIONS = ("Disabled", "Max", "Min")
_POLICIES = ("Percent", "Pods")
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800


def created(found: JSON) -> Faults:
    """What is wrong with a new HorizontalPodAutoscaler."""
    yield from object_meta.created("horizontalpodautoscalers", found["metadata"])
    yield from _spec(found.get("spec") or {}, {})


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed HorizontalPodAutoscaler."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "horizontalpodautoscalers")
    yield from _spec(new.get("spec") or {}, old.get("spec") or {})


def status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "horizontalpodautoscalers")
    found = new.get("status") or {}
    yield from non_negatives("status", found, "currentReplicas", "desiredReplicas")


def _spec(spec: JSON, before: JSON) -> Faults:
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    to_zero = before.get("minReplicas") == 0 or gates.enabled("HPAScaleToZero")
    lowest = 0 if to_zero else 1
    if least is not None and least < lowest:
        yield invalid("spec.minReplicas", least, f"must be greater than or equal to {lowest}")
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    then = before.get("scaleTargetRef") or {}
    same = before and all(target.get(f) == then.get(f) for f in ("apiVersion", "kind"))
    yield from _reference("spec.scaleTargetRef", target, grouped=None if same else True)
    metrics = spec.get("metrics") or []
    for index, metric in enumerate(metrics):
        yield from _metric(f"spec.metrics[{index}]", metric)
    if least == 0 and not any(m.get("type") in ("Object", "External") for m in metrics):
        why = "must specify at least one Object or External metric to support scaling to zero"
        yield forbidden("spec.metrics", f"{why} replicas")
    yield from behavior_faults(spec)


def behavior_faults(spec: JSON) -> Faults:
    """What is wrong with how the number of replicas may change."""
    behavior = spec.get("behavior") or {}
    for field in ("scaleUp", "scaleDown"):
        if behavior.get(field) is not None:
            yield from _rules(f"spec.behavior.{field}", behavior[field])


def _reference(path: str, target: JSON, *, grouped: bool | None) -> Faults:
    """`grouped`: its version names a group; None: anything goes."""
    for field in ("kind", "name"):
        value = target.get(field) or ""
        if not value:
            yield required(f"{path}.{field}")
        else:
            yield from each(f"{path}.{field}", value, names.path_segment(value))
    version = target.get("apiVersion") or ""
    if grouped is None:
        return
    if version.count("/") > 1:
        why = f"unexpected GroupVersion string: {version}"
        yield invalid(f"{path}.apiVersion", version, why)
    elif (
        grouped and not version.rpartition("/")[0] and target.get("kind") != "ReplicationController"
    ):
        yield invalid(f"{path}.apiVersion", version, "apiVersion must specify API group")


def _rules(path: str, rules: JSON) -> Faults:
    window, selection = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    if window is not None and window < 0:
        why = "must be greater than or equal to zero"
        yield invalid(f"{path}.stabilizationWindowSeconds", window, why)
    if window is not None and window > _LONGEST_WINDOW:
        why = f"must be less than or equal to {_LONGEST_WINDOW}"
        yield invalid(f"{path}.stabilizationWindowSeconds", window, why)
    if selection is not None and selection not in _SELECTIONS:
        yield not_supported(f"{path}.selectPolicy", selection, _SELECTIONS)
    policies = rules.get("policies") or []
    if not policies:
        yield required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(policies):
        where, kind = f"{path}.policies[{index}]", policy.get("type") or ""
        if kind not in _POLICIES:
            yield not_supported(f"{where}.type", kind, _POLICIES)
        period = policy.get("periodSeconds") or 0
        for field in ("value", "periodSeconds"):
            value = policy.get(field) or 0
            if value <= 0:
                yield invalid(f"{where}.{field}", value, "must be greater than zero")
        if period > _LONGEST_PERIOD:
            why = f"must be less than or equal to {_LONGEST_PERIOD}"
            yield invalid(f"{where}.periodSeconds", period, why)


def _metric(path: str, metric: JSON) -> Faults:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
    if kind not in _METRICS:
        yield not_supported(f"{path}.type", kind, _METRICS)
    given = [field for field in _SOURCES if metric.get(field) is not None]
    if given:
        yield from _SOURCES[given[0]](f"{path}.{given[0]}", metric[given[0]])
    expected = kind[:1].lower() + kind[1:]
    if kind not in _METRICS:
        yield not_supported(f"{path}.type", kind, _METRICS)
    elif expected not in given:
        why = "must populate information for the given metric source"
        yield required(f"{path}.{expected}", why)
    if len(given) > 1:
        for field in given:
            if field != expected:
                yield forbidden(f"{path}.{field}", "must populate the given metric source only")


def _named(path: str, source: JSON) -> Faults:
    name = (source.get("metric") or {}).get("name") or ""
    if not name:
        yield required(f"{path}.metric.name", "must specify a metric name")
    else:
        yield from each(f"{path}.metric.name", name, names.path_segment(name))
    yield from _target(f"{path}.target", source.get("target") or {})


def _target(path: str, target: JSON) -> Faults:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric target type")
    if kind not in _TARGETS:
        yield invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for field in ("value", "averageValue"):
        if target.get(field) is not None and amount(target[field]) <= 0:
            yield invalid(f"{path}.{field}", target[field], "must be positive")
    percent = target.get("averageUtilization")
    if percent is not None and percent < 1:
        yield invalid(f"{path}.averageUtilization", percent, "must be greater than 0")


def _says(source: JSON, *fields: str) -> int:
    target = source.get("target") or {}
    return sum(target.get(field) is not None for field in fields)


def _of_object(path: str, source: JSON) -> Faults:
    described = source.get("describedObject") or {}
    yield from _reference(f"{path}.describedObject", described, grouped=False)
    yield from _named(path, source)
    if not _says(source, "value", "averageValue"):
        why = "must set either a target value or averageValue"
        yield required(f"{path}.target.averageValue", why)


def _external(path: str, source: JSON) -> Faults:
    yield from _named(path, source)
    said = _says(source, "value", "averageValue")
    if not said:
        why = "must set either a target value for metric or a per-pod target"
        yield required(f"{path}.target.averageValue", why)
    if said > 1:
        why = "may not set both a target value for metric and a per-pod target"
        yield forbidden(f"{path}.target.value", why)


def _of_pods(path: str, source: JSON) -> Faults:
    yield from _named(path, source)
    if not _says(source, "averageValue"):
        why = "must specify a positive target averageValue"
        yield required(f"{path}.target.averageValue", why)


def _of_container(path: str, source: JSON) -> Faults:
    name, container = source.get("name") or "", source.get("container") or ""
    if not name:
        yield required(f"{path}.name", "must specify a resource name")
    else:
        yield from resources.container_resource(f"{path}.name", name)
    if not container:
        yield required(f"{path}.container", "must specify a container")
    else:
        yield from each(f"{path}.container", container, names.dns_label(container))
    yield from _resource_target(path, source)


def _resource(path: str, source: JSON) -> Faults:
    if not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    yield from _resource_target(path, source)


def _resource_target(path: str, source: JSON) -> Faults:
    yield from _target(f"{path}.target", source.get("target") or {})
    said = _says(source, "averageUtilization", "averageValue")
    if not said:
        why = "must set either a target raw value or a target utilization"
        yield required(f"{path}.target.averageUtilization", why)
    if said > 1:
        why = "may not set both a target raw value and a target utilization"
        yield forbidden(f"{path}.target.averageValue", why)


_SOURCES: dict[str, Callable[[str, JSON], Faults]] = {
    "object": _of_object,
    "external": _external,
    "pods": _of_pods,
    "resource": _resource,
    "containerResource": _of_container,
}
