"""Volumes that the kubelet fills: from ConfigMaps, Secrets, the pod's own fields, tokens.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import labels, names, paths, variables
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    each,
    forbidden,
    invalid,
    one_of,
    required,
)

_FIELDS = (
    *("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace"),
    "metadata.uid",
)
_SHORTEST, _LONGEST = 600, 1 << 32
_KEYS = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
_SHORTEST_CERTIFICATE = 3600
_LONGEST_CERTIFICATE, _LONGEST_KUBERNETES_CERTIFICATE = 7_862_400, 86_400
_CERTIFICATE_PATHS = ("credentialBundlePath", "keyPath", "certificateChainPath")


def secret(path: str, source: JSON) -> Faults:
    """Keys of a Secret."""
    if not source.get("secretName"):
        yield required(f"{path}.secretName")
    yield from _items(path, source)


def config_map(path: str, source: JSON) -> Faults:
    """Keys of a ConfigMap."""
    if not source.get("name"):
        yield required(f"{path}.name")
    yield from _items(path, source)


def _items(path: str, source: JSON) -> Faults:
    yield from paths.mode(f"{path}.defaultMode", source.get("defaultMode"))
    for index, item in enumerate(source.get("items") or ()):
        yield from paths.key_to_path(f"{path}.items[{index}]", item)


def downward_api(path: str, source: JSON) -> Faults:
    """Fields of the pod."""
    yield from paths.mode(f"{path}.defaultMode", source.get("defaultMode"))
    for item in source.get("items") or ():
        yield from _file(path, item)


def _file(path: str, item: JSON) -> Faults:
    target, field, resource = item.get("path") or "", item.get("fieldRef"), item.get(_RESOURCE)
    if not target:
        yield required(f"{path}.path")
    yield from paths.not_reserved(f"{path}.path", target)
    if field is not None:
        yield from variables.field_reference(f"{path}.fieldRef", field, _FIELDS)
        if resource is not None:
            why = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield invalid(path, "resource", why)
    elif resource is not None:
        yield from variables.resource_reference(f"{path}.{_RESOURCE}", resource, in_volume=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from paths.mode(f"{path}.mode", item.get("mode"))


_RESOURCE = "resourceFieldRef"


def projected(path: str, source: JSON) -> Faults:
    """Several of these in one folder."""
    yield from paths.mode(f"{path}.defaultMode", source.get("defaultMode"))
    taken: set[str] = set()
    for index, one in enumerate(source.get("sources") or ()):
        where = f"{path}.sources[{index}]"
        for kind, check in _PROJECTIONS.items():
            if one.get(kind) is not None:
                yield from check(path, f"{where}.{kind}", one[kind], taken)
        if sum(one.get(kind) is not None for kind in _PROJECTIONS) > 1:
            yield forbidden(where, "may not specify more than 1 volume type per source")


def _taken(path: str, target: str, shown: str, taken: set[str]) -> Faults:
    if target in taken:
        yield invalid(path, shown, "conflicting duplicate paths")
    taken.add(target)


def _keys(path: str, where: str, source: JSON, taken: set[str]) -> Faults:
    name = source.get("name") or ""
    if not name:
        yield required(f"{where}.name")
    for index, item in enumerate(source.get("items") or ()):
        yield from paths.key_to_path(f"{where}.items[{index}]", item)
        if item.get("path"):
            yield from _taken(path, item["path"], name, taken)


def _fields(path: str, where: str, source: JSON, taken: set[str]) -> Faults:
    for item in source.get("items") or ():
        yield from _file(where, item)
        if item.get("path"):
            yield from _taken(path, item["path"], item["path"], taken)


def token_seconds(field: str, seconds: int) -> Faults:
    """How long a token is good for."""
    if seconds < _SHORTEST:
        yield invalid(field, seconds, "may not specify a duration less than 10 minutes")
    if seconds > _LONGEST:
        yield invalid(field, seconds, "may not specify a duration larger than 2^32 seconds")


def _token(path: str, where: str, source: JSON, taken: set[str]) -> Faults:  # noqa: ARG001
    seconds = source.get("expirationSeconds")
    yield from token_seconds(f"{where}.expirationSeconds", 3600 if seconds is None else seconds)
    if not source.get("path"):
        yield required(f"{path}.path")
    else:
        yield from paths.not_reserved(f"{path}.path", source["path"])


def _bundle_name(field: str, name: str) -> Faults:
    signer, colon, short = name.rpartition(":")
    wrong = names.dns_subdomain(short if colon else name)
    if colon and not signer:
        wrong = ['ClusterTrustBundle without signer name must not have ":" in its name']
    yield from each(field, name, (f"not a valid clustertrustbundlename: {w}" for w in wrong))


def _bundle(path: str, where: str, source: JSON, taken: set[str]) -> Faults:
    name, signer = source.get("name"), source.get("signerName")
    if name is not None and signer is not None:
        yield invalid(where, source, "only one of name and signerName may be used")
    elif name is not None:
        if not name:
            yield required(f"{where}.name", "must be a valid object name")
        yield from _bundle_name(f"{where}.name", name)
        if source.get("labelSelector") is not None:
            why = "labelSelector must be unset if name is specified"
            yield invalid(f"{where}.labelSelector", source["labelSelector"], why)
    elif signer is not None:
        if not signer:
            yield required(f"{where}.signerName", "must be a valid signer name")
        yield from names.signer_name(f"{where}.signerName", signer)
        yield from labels.selector(f"{where}.labelSelector", source.get("labelSelector"))
    else:
        yield required(where, "either name or signerName must be specified")
    target = source.get("path") or ""
    if not target:
        yield required(f"{where}.path")
    yield from paths.not_reserved(f"{where}.path", target)
    yield from _taken(path, target, target, taken)


def _certificate(path: str, where: str, source: JSON, taken: set[str]) -> Faults:
    signer, seconds = source.get("signerName") or "", source.get("maxExpirationSeconds")
    yield from names.signer_name(f"{where}.signerName", signer)
    yield from one_of(f"{where}.keyType", source.get("keyType") or "", _KEYS)
    if seconds is not None:
        yield from _certificate_seconds(f"{where}.maxExpirationSeconds", signer, seconds)
    given = [field for field in _CERTIFICATE_PATHS if source.get(field)]
    for field in given:
        yield from paths.not_reserved(f"{where}.{field}", source[field])
        yield from _taken(path, source[field], source[field], taken)
    if not given:
        why = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
        yield required(where, why)


def _certificate_seconds(field: str, signer: str, seconds: int) -> Faults:
    host = signer.partition("/")[0]
    own = host == "kubernetes.io" or host.endswith(".kubernetes.io")
    longest = _LONGEST_KUBERNETES_CERTIFICATE if own else _LONGEST_CERTIFICATE
    if seconds < _SHORTEST_CERTIFICATE:
        yield invalid(field, seconds, "if provided, maxExpirationSeconds must be >= 3600")
    if seconds > longest:
        yield invalid(field, seconds, f"if provided, maxExpirationSeconds must be <= {longest}")


_PROJECTIONS = {
    "secret": _keys,
    "configMap": _keys,
    "downwardAPI": _fields,
    "serviceAccountToken": _token,
    "clusterTrustBundle": _bundle,
    "podCertificate": _certificate,
}
