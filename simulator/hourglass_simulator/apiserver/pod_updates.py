"""What may change in the spec of a pod, and what a pod must say.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError

_CONTAINERS = ("containers", "initContainers")
_FIXED = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)"
)


def created(spec: JSON) -> Iterator[FieldError]:
    """What is missing in the spec of a new pod."""
    if not spec.get("containers"):
        yield FieldError(ErrorType.REQUIRED, "spec.containers", None, "")
    yield from _images(spec)


def updated(spec: JSON, before: JSON) -> Iterator[FieldError]:
    """What is wrong with a changed spec.

    The real server adds the difference of the two specs as Go prints them; that is left out. It
    reports twice that an image is missing.
    """
    for field in _CONTAINERS:
        if len(spec.get(field) or ()) != len(before.get(field) or ()):
            why = f"pod updates may not add or remove {_named(field)}"
            yield FieldError(ErrorType.FORBIDDEN, f"spec.{field}", None, why)
            return
    if errors := [
        *_images(spec),
        *_images(spec),
        *_deadline(spec, before),
        *_tolerations(spec, before),
        *_gates(spec, before),
    ]:
        yield from errors
    elif _rest(spec) != _rest(before):
        yield FieldError(ErrorType.FORBIDDEN, "spec", None, _FIXED)


def _named(field: str) -> str:
    return "containers" if field == "containers" else "init containers"


def _images(spec: JSON) -> Iterator[FieldError]:
    for field in _CONTAINERS:
        for index, container in enumerate(spec.get(field) or ()):
            if not container.get("image"):
                yield FieldError(ErrorType.REQUIRED, f"spec.{field}[{index}].image", None, "")


def _deadline(spec: JSON, before: JSON) -> Iterator[FieldError]:
    field, old = "activeDeadlineSeconds", before.get("activeDeadlineSeconds")
    new = spec.get(field)
    if old is None or new == old:
        return
    if new is None:
        why = "must not update from a positive integer to nil value"
        yield FieldError(ErrorType.INVALID, f"spec.{field}", None, why)
    elif new > old:
        why = "must be less than or equal to previous value"
        yield FieldError(ErrorType.INVALID, f"spec.{field}", new, why)


def _tolerations(spec: JSON, before: JSON) -> Iterator[FieldError]:
    kept = spec.get("tolerations") or []
    if any(_bare(old) not in [_bare(t) for t in kept] for old in before.get("tolerations") or ()):
        why = "existing toleration can not be modified except its tolerationSeconds"
        yield FieldError(ErrorType.FORBIDDEN, "spec.tolerations", None, why)


def _gates(spec: JSON, before: JSON) -> Iterator[FieldError]:
    known = [gate["name"] for gate in before.get("schedulingGates") or ()]
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        if gate["name"] not in known:
            why = f"only deletion is allowed, but found new scheduling gate '{gate['name']}'"
            yield FieldError(ErrorType.FORBIDDEN, f"spec.schedulingGates[{index}].name", None, why)


def _bare(toleration: JSON) -> JSON:
    return {name: value for name, value in toleration.items() if name != "tolerationSeconds"}


def _rest(spec: JSON) -> JSON:
    """The spec without what may change."""
    movable = ("activeDeadlineSeconds", "schedulingGates", "tolerations", *_CONTAINERS)
    rest = {name: value for name, value in spec.items() if name not in movable}
    for field in _CONTAINERS:
        rest[field] = [{**container, "image": ""} for container in spec.get(field) or ()]
    return rest
