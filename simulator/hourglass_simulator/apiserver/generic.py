"""Resources that nothing in the simulator acts on: stored by their recorded types.

https://pkg.go.dev/k8s.io/apiserver/pkg/registry/rest#RESTCreateStrategy
"""

import base64
from collections.abc import Callable
from functools import cached_property

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import disabled_device_fields, disabled_storage_fields
from hourglass_simulator.apiserver.strategy import Strategy

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


class GenericStrategy(Strategy):
    """Objects are decoded, whoever sends them; a new one has the status of nothing done yet."""

    def defaulted(self, obj: JSON) -> JSON:
        """Of a DaemonSet, with the annotation that counts its templates."""
        notes = obj.get("metadata", {}).get("annotations") or {}
        if self.resource.plural == "daemonsets" and TEMPLATE_GENERATION not in notes:
            return _with_generation(obj, 0)
        return obj

    def create(self, obj: JSON) -> JSON:
        """Without the status that was sent, and completed where the resource has something own."""
        if "status" in self.resource.subresources:
            obj = {**obj, "status": self._new_status}
        obj = self._without_disabled(obj, None)
        complete = _COMPLETED.get(self.resource.plural)
        return obj if complete is None else complete(obj)

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """Of a DaemonSet, its templates are counted in an annotation."""
        new = super().update(new, old, subresource)
        new = self._without_disabled(new, old)
        if self.resource.plural == "csidrivers" and new.get("spec") != old.get("spec"):
            generation = old["metadata"].get("generation", 0) + 1
            return {**new, "metadata": {**new["metadata"], "generation": generation}}
        if self.resource.plural == "daemonsets":
            counted = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "0")
            changed = new["spec"]["template"] != old["spec"]["template"]
            return _with_generation(new, int(counted) + changed)
        return new

    def differs(self, new: JSON, old: JSON) -> bool:
        """Of a Deployment, also changed annotations; a PriorityClass has but one generation."""
        notes = new["metadata"].get("annotations"), old["metadata"].get("annotations")
        noted = self.resource.plural == "deployments" and notes[0] != notes[1]
        if self.resource.plural == "priorityclasses":
            return False
        return noted or super().differs(new, old)

    def _without_disabled(self, obj: JSON, old: JSON | None) -> JSON:
        plural = self.resource.plural
        obj = disabled_device_fields.without(plural, obj, self.version)
        return disabled_storage_fields.without(plural, obj, old, self.version)

    @cached_property
    def _new_status(self) -> JSON:
        status: JSON = self.decode({}).obj["status"]
        return status


class SecretStrategy(GenericStrategy):
    """A secret: what is written in clear is stored encoded."""

    trusts_components = True

    def defaulted(self, obj: JSON) -> JSON:
        """With a type, and `stringData` in `data`."""
        return _encoded({"type": "Opaque", **obj})

    def create(self, obj: JSON) -> JSON:
        """With a type, and `stringData` in `data`."""
        return _encoded({"type": "Opaque", **obj})

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """With `stringData` in `data`."""
        return super().update(_encoded(new), old, subresource)


def _encoded(obj: JSON) -> JSON:
    clear = obj.get("stringData")
    if not clear:
        return obj
    encoded = {name: base64.b64encode(str(text).encode()).decode() for name, text in clear.items()}
    kept = {name: value for name, value in obj.items() if name != "stringData"}
    return {**kept, "data": {**(obj.get("data") or {}), **encoded}}


def _protected(by: str) -> Callable[[JSON], JSON]:
    """With the finalizer that the admission of objects in use adds."""

    def complete(obj: JSON) -> JSON:
        meta = obj["metadata"]
        return {**obj, "metadata": {**meta, "finalizers": [*(meta.get("finalizers") or ()), by]}}

    return complete


def _claim(obj: JSON) -> JSON:
    """Its source in both fields; what was never a source is dropped.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/api/persistentvolumeclaim/util.go
    """
    spec = dict(obj.get("spec") or {})
    source, reference = spec.pop("dataSource", None), spec.pop("dataSourceRef", None)
    if reference and reference.get("namespace"):
        reference = None
    if source and not reference:
        kind = (source.get("apiGroup") or "", source.get("kind"))
        source = source if kind in _SOURCES else None
        reference = source and {"apiGroup": None, **source}
    elif reference and not source:
        source = {"apiGroup": None, **reference}
    both = {"dataSource": source, "dataSourceRef": reference}
    return {**obj, "spec": {**spec, **{field: value for field, value in both.items() if value}}}


_SOURCES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


def _volume(obj: JSON) -> JSON:
    since = obj["metadata"]["creationTimestamp"]
    return {**obj, "status": {**obj["status"], "lastPhaseTransitionTime": since}}


def _job(obj: JSON) -> JSON:
    """Its pods carry its uid as a label and are selected by it, unless it selects by itself.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/batch/job/strategy.go
    """
    meta, spec = obj["metadata"], obj["spec"]
    if spec.get("manualSelector"):
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
        if labels and not meta.get("labels"):
            return {**obj, "metadata": {**meta, "labels": labels}}
        return obj
    own = {
        "batch.kubernetes.io/controller-uid": meta["uid"],
        "batch.kubernetes.io/job-name": meta["name"],
        "controller-uid": meta["uid"],
        "job-name": meta["name"],
    }
    template, selector = spec["template"], spec.get("selector") or {}
    labels = {**own, **(template["metadata"].get("labels") or {})}
    if not meta.get("labels"):
        meta = {**meta, "labels": labels}
    by = {"batch.kubernetes.io/controller-uid": meta["uid"], **(selector.get("matchLabels") or {})}
    spec = {
        **spec,
        "selector": {**selector, "matchLabels": by},
        "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
    }
    return {**obj, "metadata": meta, "spec": spec}


def _with_generation(obj: JSON, generation: int) -> JSON:
    meta = obj["metadata"]
    notes = {**(meta.get("annotations") or {}), TEMPLATE_GENERATION: str(generation)}
    return {**obj, "metadata": {**meta, "annotations": notes}}


_COMPLETED: dict[str, Callable[[JSON], JSON]] = {
    "daemonsets": lambda obj: _with_generation(obj, 1),
    "jobs": _job,
    "persistentvolumeclaims": lambda obj: _protected("kubernetes.io/pvc-protection")(_claim(obj)),
    "persistentvolumes": lambda obj: _protected("kubernetes.io/pv-protection")(_volume(obj)),
    "volumeattributesclasses": _protected("kubernetes.io/vac-protection"),
}
