"""Which volumes of a pod cannot be mounted, and what the kubelet says of them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/volumemanager/volume_manager.go
"""

from collections.abc import Callable, Iterable, Mapping

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError

ROOT_CERTIFICATE = "kube-root-ca.crt"
"""Every namespace of a real cluster has this ConfigMap; in a simulated one it may be left out."""

_CLAIM = "error processing PVC"
_TYPES = {"Directory": "a directory", "File": "a file", "Socket": "a socket file"}
_TYPES |= {"CharDevice": "a character device", "BlockDevice": "a block device"}


def unmounted(api: APIServer, pod: JSON, paths: Mapping[str, str]) -> dict[str, str]:
    """By volume why it cannot be mounted.

    `paths` says what a node has at paths that are no directories or files that anybody could make:
    the type by path.
    """
    namespace, spec = pod["metadata"]["namespace"], pod["spec"]
    used = {
        mount["name"]
        for kind in ("initContainers", "containers")
        for container in spec.get(kind) or ()
        for mount in container.get("volumeMounts") or ()
    }
    found: dict[str, str] = {}
    for volume in spec.get("volumes") or ():
        if volume["name"] not in used:
            continue
        try:
            fault = _fault(api, namespace, volume, paths)
        except CallTimeoutError:
            fault = "failed to sync configmap cache: timed out waiting for the condition"
        if fault is not None:
            found[volume["name"]] = fault
    return found


def event(volume: str, fault: str) -> str:
    """The message of the Event FailedMount about one volume."""
    return f'MountVolume.SetUp failed for volume "{volume}" : {fault}'


def of_claim(fault: str) -> bool:
    """Whether a volume is not even tried, as its claim is not to be had."""
    return fault.startswith(_CLAIM)


def unprocessed(faults: Mapping[str, str]) -> str:
    """The message of the Event FailedMount about a pod with such volumes."""
    failed = [volume for volume, fault in faults.items() if of_claim(fault)]
    why = [faults[volume] for volume in failed]
    said = why[0] if len(why) == 1 else f"[{', '.join(why)}]"
    return (
        f"Unable to attach or mount volumes: unmounted volumes=[{' '.join(faults)}],"
        f" unattached volumes=[], failed to process volumes=[{' '.join(failed)}]: {said}"
    )


def _fault(api: APIServer, namespace: str, volume: JSON, paths: Mapping[str, str]) -> str | None:
    if "configMap" in volume:
        return _config_map(api, namespace, volume["configMap"])
    if "secret" in volume:
        source = volume["secret"]
        return _secret(api, namespace, {**source, "name": source.get("secretName", "")})
    if "projected" in volume:
        return _projected(api, namespace, volume["projected"].get("sources") or ())
    if "hostPath" in volume:
        return _host_path(volume["hostPath"], paths)
    if "persistentVolumeClaim" in volume:
        return _claim(api, namespace, volume["persistentVolumeClaim"]["claimName"])
    return None


def _config_map(api: APIServer, namespace: str, source: JSON) -> str | None:
    return _object(api, namespace, "configmap", source, "configmap references non-existent config")


def _secret(api: APIServer, namespace: str, source: JSON) -> str | None:
    return _object(api, namespace, "secret", source, "references non-existent secret")


def _object(api: APIServer, namespace: str, kind: str, source: JSON, missing: str) -> str | None:
    name = source.get("name", "")
    if name == ROOT_CERTIFICATE:
        return None
    stored = _get(api, f"{kind}s", namespace, name)
    optional = source.get("optional", False)
    if stored is None:
        return None if optional else f'{kind} "{name}" not found'
    keys = {**(stored.get("data") or {}), **(stored.get("binaryData") or {})}
    for item in source.get("items") or ():
        if item["key"] not in keys and not optional:
            return f"{missing} key: {item['key']}"
    return None


def _projected(api: APIServer, namespace: str, sources: Iterable[JSON]) -> str | None:
    checks: dict[str, Callable[[APIServer, str, JSON], str | None]] = {
        "configMap": _config_map,
        "secret": _secret,
    }
    found = [
        fault
        for source in sources
        for kind, check in checks.items()
        if kind in source and (fault := check(api, namespace, source[kind])) is not None
    ]
    distinct = list(dict.fromkeys(found))
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    return f"[{', '.join(distinct)}]"


def _host_path(source: JSON, paths: Mapping[str, str]) -> str | None:
    wanted, path = source.get("type") or "", source["path"]
    if wanted not in _TYPES or paths.get(path, wanted) == wanted:
        return None
    return f"hostPath type check failed: {path} is not {_TYPES[wanted]}"


def _claim(api: APIServer, namespace: str, name: str) -> str | None:
    stored = _get(api, "persistentvolumeclaims", namespace, name)
    claim = f"{_CLAIM} {namespace}/{name}"
    if stored is None:
        absent = f'persistentvolumeclaims "{name}" not found'
        return f"{claim}: failed to fetch PVC from API server: {absent}"
    if (stored.get("status") or {}).get("phase") != "Bound":
        return f"{claim}: PVC is not bound"
    return None


def _get(api: APIServer, resource: str, namespace: str, name: str) -> JSON | None:
    try:
        return api.get(resource, namespace, name, user="kubelet")
    except APIError as error:
        if error.code == 404:
            return None
        raise
