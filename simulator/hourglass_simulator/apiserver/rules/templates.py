"""PodTemplates, and ControllerRevisions.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/apps/validation/validation.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import object_meta, pod_spec, pod_warnings
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    immutable,
    non_negative,
    required,
)


def template_created(found: JSON) -> Faults:
    """What is wrong with a new PodTemplate."""
    yield from object_meta.created("podtemplates", found["metadata"])
    yield from pod_spec.template("template", found.get("template"))


def template_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed PodTemplate."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from pod_spec.template("template", new.get("template"))


def template_warnings(new: JSON, old: JSON | None) -> Iterator[str]:
    """What is said of a template that is new."""
    if old is None or new.get("template") != old.get("template"):
        yield from pod_warnings.of_template("template", new.get("template"))


def revision_created(found: JSON) -> Faults:
    """What is wrong with a new ControllerRevision."""
    yield from _revision(found)
    data = found.get("data")
    if data is None:
        yield required("data", "data is mandatory")
    elif not isinstance(data, dict):
        yield required("data", "data must be a valid JSON object")


def revision_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ControllerRevision."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from _revision(new)
    yield from immutable("data", new.get("data"), old.get("data"))


def _revision(found: JSON) -> Faults:
    yield from object_meta.created("controllerrevisions", found["metadata"])
    yield from non_negative("revision", found.get("revision"))
