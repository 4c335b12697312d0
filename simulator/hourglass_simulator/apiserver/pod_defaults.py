"""The defaults of a pod, as `SetDefaults_Pod` and the admission of the real server write them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/v1/defaults.go
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.pod_quantities import of_pod
from hourglass_simulator.apiserver.quantities import all_canonical

MODE = 420
"""0644: the mode of files in volumes."""
TOKEN_VOLUME = "kube-api-access-"
"""How the name of the volume with the token of the ServiceAccount begins."""

_SPEC: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
}
_PODS_ONLY = ("enableServiceLinks",)
_CONTAINER: Mapping[str, Any] = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_PROBE: Mapping[str, Any] = {
    "timeoutSeconds": 1,
    "periodSeconds": 10,
    "successThreshold": 1,
    "failureThreshold": 3,
}
_REFERENCE = (
    r"([a-zA-Z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[\w][\w.-]{0,127})?(@[\w:.+-]+)?"
)
"""https://github.com/distribution/reference"""
_VOLUMES: Mapping[str, JSON] = {
    "configMap": {"defaultMode": MODE},
    "secret": {"defaultMode": MODE},
    "projected": {"defaultMode": MODE},
    "downwardAPI": {"defaultMode": MODE},
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {
        "cachingMode": "ReadWrite",
        "kind": "Shared",
        "fsType": "ext4",
        "readOnly": False,
    },
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}
_VARIABLE_SOURCES: Mapping[str, JSON] = {
    "fieldRef": {"apiVersion": "v1"},
    "resourceFieldRef": {"divisor": "0"},
}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_TOLERATION_SECONDS = 300


def defaulted(spec: JSON) -> JSON:
    """A pod spec with defaults; nothing is changed in place.

    Equal specs become the same object: the pods of a workload share what they have in common.
    """
    try:
        text = orjson.dumps(spec)
    except TypeError:
        return _defaulted(spec)
    return _defaulted_once(text)


@lru_cache(maxsize=1024)
def _defaulted_once(text: bytes) -> JSON:
    return _defaulted(orjson.loads(text))


def _defaulted(spec: JSON) -> JSON:
    result = _common(spec, _container)
    if spec.get("hostNetwork"):
        for field in ("containers", "initContainers"):
            if containers := result.get(field):
                result[field] = [_on_host(container) for container in containers]
    result["tolerations"] = tolerations(spec.get("tolerations") or [])
    if spec.get("hostNetwork"):
        for field in ("containers", "initContainers"):
            if containers := result.get(field):
                result[field] = [_with_host_ports(container) for container in containers]
    if (spec.get("resources") or {}).get("limits"):
        result["resources"] = _of_pod(result)
    return result


def _with_host_ports(container: JSON) -> JSON:
    if not container.get("ports"):
        return container
    ports = [
        {**port, "hostPort": port.get("hostPort") or port["containerPort"]}
        for port in container["ports"]
    ]
    return {**container, "ports": ports}


def _of_pod(spec: JSON) -> JSON:
    """What is requested for the pod: what its containers request, or its limit.

    Resources that cannot be overcommitted are not taken from the containers.
    """
    resources = spec["resources"]
    limits, requests = all_canonical(resources["limits"]), resources.get("requests") or {}
    own = {**spec, "resources": None, "overhead": None}
    together = {n: v for n, v in of_pod(own, "requests").items() if n in ("cpu", "memory")}
    known = {n: v for n, v in limits.items() if n.startswith(("cpu", "memory", "hugepages-"))}
    return {
        **resources,
        "limits": limits,
        "requests": {**known, **together, **all_canonical(requests)},
    }


def of_template(spec: JSON) -> JSON:
    """The spec of a pod template: what is set for pods alone is left to the pods made of it."""
    result = _common(
        spec, lambda each: {**_container(each), "resources": each.get("resources") or {}}
    )
    for field in _PODS_ONLY:
        if field not in spec:
            del result[field]
    return result


def _common(spec: JSON, container: Callable[[JSON], JSON]) -> JSON:
    result = {**_SPEC, **spec}
    result["terminationGracePeriodSeconds"] = _grace(result["terminationGracePeriodSeconds"])
    # The second is what the first was called once.
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        result["serviceAccountName"] = result["serviceAccount"] = account
    for field in ("containers", "initContainers", "ephemeralContainers"):
        if containers := spec.get(field):
            result[field] = [container(each) for each in containers]
    if volumes := spec.get("volumes"):
        result["volumes"] = [_volume(volume) for volume in volumes]
    return result


def _grace(seconds: int) -> int:
    return 1 if seconds < 0 else seconds


def _on_host(container: JSON) -> JSON:
    """A container in the host's network, whose ports are the host's."""
    if not container.get("ports"):
        return container
    ports = [
        port if port.get("hostPort") else {**port, "hostPort": port.get("containerPort")}
        for port in container["ports"]
    ]
    return {**container, "ports": ports}


def tolerations(given: list[JSON]) -> list[JSON]:
    """With 300 s for nodes that are not ready or unreachable, unless something else is said."""
    added = [
        {
            "key": key,
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": _TOLERATION_SECONDS,
        }
        for key in _TOLERATED
        if not any(_covers(toleration, key) for toleration in given)
    ]
    return [*given, *added]


def _covers(toleration: JSON, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in (
        "",
        "NoExecute",
    )


def pull_policy(image: str) -> str:
    """Always for `latest` and for an image without a tag, IfNotPresent otherwise, or for none."""
    if "@" in image or not re.fullmatch(_REFERENCE, image):
        return "IfNotPresent"
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return "Always" if not colon or tag == "latest" else "IfNotPresent"


def _container(container: JSON) -> JSON:
    result = {**_CONTAINER, **container}
    if not result.get("imagePullPolicy"):
        result["imagePullPolicy"] = pull_policy(result.get("image", ""))
    if ports := container.get("ports"):
        result["ports"] = [{"protocol": "TCP", **port} for port in ports]
    if resources := container.get("resources"):
        result["resources"] = _resources(resources)
    if env := container.get("env"):
        result["env"] = [_variable(variable) for variable in env]
    for field in _PROBES:
        if container.get(field) is not None:
            result[field] = _probe(container[field])
    if lifecycle := container.get("lifecycle"):
        result["lifecycle"] = {hook: _action(action) for hook, action in lifecycle.items()}
    return result


def _resources(resources: JSON) -> JSON:
    result = dict(resources)
    for kind in ("limits", "requests"):
        if kind in resources:
            result[kind] = all_canonical(resources[kind])
    if result.get("limits"):
        result["requests"] = {**result["limits"], **(result.get("requests") or {})}
    return result


def _probe(probe: JSON) -> JSON:
    result = {**_PROBE, **_action(probe)}
    if "grpc" in probe:
        result["grpc"] = {"service": "", **probe["grpc"]}
    return result


def _action(action: JSON) -> JSON:
    if "httpGet" not in action:
        return action
    return {**action, "httpGet": {"path": "/", "scheme": "HTTP", **action["httpGet"]}}


def _variable(variable: JSON) -> JSON:
    if "valueFrom" not in variable:
        return variable
    return {**variable, "valueFrom": _with_sources(variable["valueFrom"])}


def _with_sources(holder: JSON) -> JSON:
    """What refers to fields of the pod, with the defaults of its references."""
    return {
        name: {**_VARIABLE_SOURCES[name], **value} if name in _VARIABLE_SOURCES else value
        for name, value in holder.items()
    }


def _volume(volume: JSON) -> JSON:
    result = dict(volume)
    for source, values in _VOLUMES.items():
        if source in volume:
            result[source] = {**values, **volume[source]}
    if "downwardAPI" in volume:
        result["downwardAPI"] = _with_files(result["downwardAPI"])
    if (volume.get("projected") or {}).get("sources"):
        sources = [_projection(source) for source in volume["projected"]["sources"]]
        result["projected"] = {**result["projected"], "sources": sources}
    if volume.keys() == {"name"}:
        result["emptyDir"] = {}
    return result


def _with_files(source: JSON) -> JSON:
    if not source.get("items"):
        return source
    return {**source, "items": [_with_sources(item) for item in source["items"]]}


def _projection(source: JSON) -> JSON:
    result = dict(source)
    if "serviceAccountToken" in source:
        token = source["serviceAccountToken"]
        result["serviceAccountToken"] = {"expirationSeconds": 3600, **token}
    if "downwardAPI" in source:
        result["downwardAPI"] = _with_files(source["downwardAPI"])
    return result


def service_account_volume(spec: JSON, suffix: str) -> JSON:
    """The spec with the token of its service account mounted into every container."""
    volumes = spec.get("volumes") or []
    present = [volume["name"] for volume in volumes if volume["name"].startswith(TOKEN_VOLUME)]
    name = present[0] if present else f"{TOKEN_VOLUME}{suffix}"
    mount = {
        "name": name,
        "readOnly": True,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    }
    fields = {
        field: [_mounted(container, mount) for container in spec[field]]
        for field in ("containers", "initContainers")
        if spec.get(field)
    }
    volume = {"name": name, "projected": {"sources": _TOKEN_SOURCES, "defaultMode": MODE}}
    return {**spec, **fields, "volumes": volumes if present else [*volumes, volume]}


def _mounted(container: JSON, mount: JSON) -> JSON:
    mounts = container.get("volumeMounts") or []
    if any(existing["mountPath"] == mount["mountPath"] for existing in mounts):
        return container
    return {**container, "volumeMounts": [*mounts, mount]}


_TOKEN_SOURCES = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {
        "downwardAPI": {
            "items": [
                {
                    "path": "namespace",
                    "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                }
            ]
        }
    },
]
