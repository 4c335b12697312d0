"""Spec and status descriptors of the Performer, one for each field of its types.

https://github.com/openshift/console/blob/master/frontend/packages/operator-lifecycle-manager/src/components/descriptors/reference/reference.md
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import get_args

from pydantic.fields import FieldInfo

from hourglass_kube.types import JSON
from hourglass_operator.api.types import Model, PerformerSpec, PerformerStatus

_UI = "urn:alm:descriptor:com.tectonic.ui:"
_K8S = "urn:alm:descriptor:io.kubernetes"

# How the console shows a field, where its type does not say it.
_SHOWN = {
    "spec.resources": f"{_UI}resourceRequirements",
    "spec.imagePullPolicy": f"{_UI}imagePullPolicy",
    "spec.config.serviceAccountName": f"{_K8S}:ServiceAccount",
    "status.phase": f"{_K8S}.phase",
    "status.conditions": f"{_K8S}.conditions",
    "status.podName": f"{_K8S}:Pod",
    "status.serviceName": f"{_K8S}:Service",
    "status.nodeName": f"{_K8S}:Node",
}
# What a field consists of, where the types leave it to Kubernetes: path below it → how it is shown.
_PARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "spec.scheduling.affinity": {
        f".{kind}": (f"{_UI}{kind}",) for kind in ("nodeAffinity", "podAffinity", "podAntiAffinity")
    },
    "spec.imagePullSecrets": {
        "[0].name": (f"{_UI}arrayFieldGroup:imagePullSecrets", f"{_K8S}:Secret")
    },
}
_ACRONYMS = {"avs": "AVS", "gpu": "GPU", "tee": "TEE", "grpc": "gRPC"}


def spec_descriptors() -> list[JSON]:
    """A descriptor for each field of spec."""
    return list(_descriptors("spec", PerformerSpec))


def status_descriptors() -> list[JSON]:
    """A descriptor for each field of status."""
    return list(_descriptors("status", PerformerStatus))


def display_name(field: str) -> str:
    """`gpuType` → `GPU type`."""
    first, *rest = re.sub(r"([A-Z])", r" \1", field).lower().split()
    return " ".join(
        [_ACRONYMS.get(first, first.capitalize()), *(_ACRONYMS.get(w, w) for w in rest)]
    )


def _descriptors(path: str, model: type[Model]) -> Iterator[JSON]:
    for name, field in model.model_fields.items():
        below = f"{path}.{field.alias or name}"
        shown = (_SHOWN[below],) if below in _SHOWN else _by_type(field)
        yield _descriptor(below, field, shown)
        for part, shown in _PARTS.get(below, {}).items():
            yield _descriptor(below + part, field, shown)
        nested = _model(field)
        if nested is not None:
            yield from _descriptors(below, nested)


def _descriptor(path: str, field: FieldInfo, shown: tuple[str, ...]) -> JSON:
    """The path within spec or status; the last name in it is shown."""
    return {
        "path": path.partition(".")[2],
        "displayName": display_name(path.rpartition(".")[2]),
        "description": field.description,
        "x-descriptors": list(shown),
    }


def _model(field: FieldInfo) -> type[Model] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Model) else None


def _by_type(field: FieldInfo) -> tuple[str, ...]:
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind]
    kind = kinds[0]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(f"{_UI}select:{each.value}" for each in kind)
    if kind is bool:
        return (f"{_UI}booleanSwitch",)
    if kind is int or (get_args(kind) and get_args(kind)[0] is int):
        return (f"{_UI}number",)
    return (f"{_UI}text",)
