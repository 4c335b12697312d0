"""Objects of a cluster by other names, so that they can be shown to strangers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.api import KIND
from hourglass_operator.plugin.masking import MASK, handed_on, without_values
from hourglass_operator.resources import names

_KEPT = frozenset(
    [
        *("default", "kube-system", "kube-public", "kube-node-lease"),
        *(names.APP, names.PORT, "linux", "windows", "amd64", "arm64", "true", "false"),
    ]
)
"""What everybody has, and what would mean something else by another name."""
_OF_THE_CLUSTER = ("DeviceClass", "PriorityClass", "RuntimeClass", "StorageClass")
"""Kinds whose names say how things are meant, and of which every cluster has the same."""
_REFERRED = ("serviceAccountName", "secretName", "claimName")
_REFERRED_BY = (
    *("secretKeyRef", "configMapKeyRef", "secretRef", "configMapRef", "configMap"),
    "imagePullSecrets",
)
_HOSTNAME = "kubernetes.io/hostname"
_LEFT_OUT = frozenset(
    [
        *("addresses", "hostAliases", "hostIP", "hostIPs", "podIP", "podIPs"),
        *("podCIDR", "podCIDRs"),
        *("bootID", "machineID", "systemUUID", "providerID", "imageID", "containerID", "images"),
        "grpcEndpoint",
    ]
)
_WORDS = ("command", "args")
_KEPT_ANNOTATIONS = (
    "hourglass.eigenlayer.io/",
    "deployment.kubernetes.io/",
    "batch.kubernetes.io/",
)


def anonymous(items: Iterable[JSON]) -> list[JSON]:
    """With other names of nodes, namespaces, objects and images, the same for the same.

    Also without values of variables, commands, messages, addresses and annotations. Values of
    labels stay unless they are such a name: they decide where pods may run.
    """
    found = list(items)
    renamed = _renamed(found)

    def changed(part: JSON) -> JSON:
        mapped: JSON = _mapped(without_values(part), renamed)
        return mapped

    return handed_on(found, changed)


def _renamed(items: Sequence[JSON]) -> dict[str, str]:
    """New names by old ones."""
    new: dict[str, str] = {}
    counts: dict[str, int] = {}

    def give(old: str, kind: str) -> None:
        if old and old not in new and old not in _KEPT:
            counts[kind] = counts.get(kind, 0) + 1
            new[old] = f"{kind.lower()}-{counts[kind]}"

    for item in items:
        if item["kind"] == "Node":
            give(item["metadata"]["name"], "Node")
            hostname = (item["metadata"].get("labels") or {}).get(_HOSTNAME)
            if hostname:
                new.setdefault(hostname, new[item["metadata"]["name"]])
    for item in items:
        if item["kind"] == KIND:
            name = item["metadata"]["name"]
            give(name, "Worker")
            # Its Service and its budget are called after it.
            new[names.service_name(name)] = names.service_name(new.get(name, name))
    for item in items:
        kind, meta = item["kind"], item["metadata"]
        namespace = meta.get("namespace") or (meta["name"] if kind == "Namespace" else "")
        give(namespace, "Namespace")
        if kind == "Pod" and (parts := names.parse_pod_name(meta["name"])):
            owner = new.get(parts.performer, parts.performer)
            new[meta["name"]] = names.pod_name(owner, parts.template_hash, parts.attempt)
        if kind not in ("Namespace", *_OF_THE_CLUSTER):
            give(meta["name"], kind)
        for old, what in _referred(item):
            give(old, what)
    return new


def _referred(value: Any, by: str = "") -> Iterator[tuple[str, str]]:
    """Names of what need not be among the objects, and images."""
    if isinstance(value, list):
        for each in value:
            yield from _referred(each, by)
    elif isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(each, str):
                yield from _referred(each, key)
            elif key == "image":
                yield each, "Image"
            elif key in _REFERRED or (key == "name" and by in _REFERRED_BY):
                yield each, "Object"


def _mapped(value: Any, new: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_mapped(each, new) for each in value]
    if isinstance(value, dict):
        return {key: _field(key, each, new) for key, each in value.items() if key not in _LEFT_OUT}
    return new.get(value, value) if isinstance(value, str) else value


def _field(key: str, value: Any, new: dict[str, str]) -> Any:
    if key == "annotations" and isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k.startswith(_KEPT_ANNOTATIONS)}
        return _mapped(kept, new)
    if key == "message" and isinstance(value, str):
        return ""
    if key in _WORDS and isinstance(value, list):
        return [MASK] * len(value)
    return _mapped(value, new)
