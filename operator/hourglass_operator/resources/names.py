"""Names and labels of a Performer's objects."""

import re
from collections.abc import Iterator, Mapping
from sys import intern
from typing import NamedTuple

CONTAINER = "performer"
PORT = "grpc"
CLAIM = "hourglass-gpu"
"""What the pod calls the claim that the operator makes for it."""
FINALIZER = "hourglass.eigenlayer.io/performer"
"""Keeps a deleted Performer until its pod has drained."""

APP_LABEL = "app"
APP = "performer"
NAME_LABEL = "performer-name"
PERFORMER_LABEL = "hourglass.eigenlayer.io/performer"
AVS_LABEL = "hourglass.eigenlayer.io/avs"
REPLACED = "hourglass.eigenlayer.io/replace-pod"
"""Annotation of a Performer: the name of a pod that another one is to succeed."""
MOVED = "hourglass.eigenlayer.io/move-pod"
"""The same, where the successor is to come to another node."""
KEPT_OFF = "hourglass.eigenlayer.io/kept-off"
"""Annotation: the node to which a pod must not come, as the Performer moves off it."""
MADE_FOR = "hourglass.eigenlayer.io/resources"
"""Annotation: the CPU and memory that were asked for when a pod was made or last resized."""
CLAIMED = "hourglass.eigenlayer.io/claimed-devices"
"""Annotation: the class and number of the devices that a pod claims by the operator's template."""
HASH_LABEL = "hourglass.eigenlayer.io/template-hash"

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "hourglass-performer-operator"

_RECOMMENDED = {
    "app.kubernetes.io/name": "hourglass-performer",
    "app.kubernetes.io/component": "performer",
    MANAGED_BY_LABEL: MANAGED_BY,
}
_INSTANCE_LABEL = "app.kubernetes.io/instance"

OWN_LABELS = (
    *(APP_LABEL, NAME_LABEL, PERFORMER_LABEL, AVS_LABEL, HASH_LABEL, _INSTANCE_LABEL),
    *_RECOMMENDED,
)
"""Keys of the labels that the operator sets and repairs; all others are left alone."""

_PREFIX = "performer-"
_TEMPLATE = re.compile(r"^performer-(?P<performer>.+)-[0-9a-f]{10}$")
_POD = re.compile(r"^performer-(?P<performer>.+)-(?P<hash>[a-z0-9]{10})-(?P<attempt>\d+)$")


class PodName(NamedTuple):
    """The parts of a pod's name."""

    performer: str
    template_hash: str
    attempt: int


def service_name(performer: str) -> str:
    """Name of the Service."""
    return _PREFIX + performer


def budget_name(performer: str) -> str:
    """Name of the PodDisruptionBudget."""
    return _PREFIX + performer


def template_name(performer: str, digest: str) -> str:
    """Name of the ResourceClaimTemplate whose content has this digest: templates cannot change."""
    return f"{_PREFIX}{performer}-{digest}"


def performer_of_template(template: str) -> str | None:
    """Name of the Performer whose ResourceClaimTemplate would have this name."""
    found = _TEMPLATE.match(template)
    return intern(found["performer"]) if found else None


def performer_of_service(service: str) -> str | None:
    """Name of the Performer whose Service, or PodDisruptionBudget, would have this name."""
    return intern(service.removeprefix(_PREFIX)) if service.startswith(_PREFIX) else None


def pod_name(performer: str, template_hash: str, attempt: int) -> str:
    """Name of a pod: a function of its input, so that a repeated create finds it taken."""
    return f"{_PREFIX}{performer}-{template_hash}-{attempt}"


def parse_pod_name(pod: str) -> PodName | None:
    """The parts of a pod's name; None if the operator gives no such name."""
    found = _POD.match(pod)
    if found is None:
        return None
    return PodName(intern(found["performer"]), intern(found["hash"]), int(found["attempt"]))


def grpc_endpoint(performer: str, namespace: str, port: int) -> str:
    """Where clients connect: DNS name and port of the Service."""
    return f"{service_name(performer)}.{namespace}.svc.cluster.local:{port}"


def selector(performer: str) -> dict[str, str]:
    """Labels by which the Service finds the pod."""
    return {APP_LABEL: APP, NAME_LABEL: performer}


def claim(performer: str) -> dict[str, str]:
    """Labels that say of an object that this operator manages it for the Performer.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
    """
    return {MANAGED_BY_LABEL: MANAGED_BY, PERFORMER_LABEL: performer}


def labels(performer: str, avs_address: str, template_hash: str | None = None) -> dict[str, str]:
    """Labels of the Service and, with a template hash, of the pod.

    The address is in lower case, so that one selector finds it however the spec writes it:
    upper case in an Ethereum address is only a checksum (EIP-55).
    """
    return {
        **selector(performer),
        **_RECOMMENDED,
        _INSTANCE_LABEL: performer,
        PERFORMER_LABEL: performer,
        AVS_LABEL: avs_address.lower(),
        **({HASH_LABEL: template_hash} if template_hash else {}),
    }


_POSITION = {key: position for position, key in enumerate(OWN_LABELS)}


class OwnLabels(Mapping[str, str]):
    """Those of an object's labels that the operator sets, in less memory than a dict."""

    __slots__ = ("_values",)

    def __init__(self, observed: Mapping[str, str]) -> None:
        self._values = tuple(
            intern(observed[key]) if key in observed else None for key in OWN_LABELS
        )

    def __getitem__(self, key: str) -> str:
        value = self._values[_POSITION[key]]
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return (
            key for key, value in zip(OWN_LABELS, self._values, strict=True) if value is not None
        )

    def __len__(self) -> int:
        return len(self._values) - self._values.count(None)
