"""The defaults of a pod, as `SetDefaults_Pod` and the admission of the real server write them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/v1/defaults.go
"""

from collections.abc import Mapping
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.quantities import all_canonical

MODE = 420
"""0644: the mode of files in volumes."""

_SPEC: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
}
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
_VARIABLE_SOURCES: Mapping[str, JSON] = {
    "fieldRef": {"apiVersion": "v1"},
    "resourceFieldRef": {"divisor": "0"},
}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_TOLERATION_SECONDS = 300


def defaulted(spec: JSON) -> JSON:
    """A pod spec with defaults; nothing is changed in place."""
    result = {**_SPEC, **spec}
    for field in ("containers", "initContainers"):
        if containers := spec.get(field):
            result[field] = [_container(container) for container in containers]
    if volumes := spec.get("volumes"):
        result["volumes"] = [_volume(volume) for volume in volumes]
    result["tolerations"] = tolerations(spec.get("tolerations") or [])
    return result


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
    """Always for `latest` and for an image without a tag, IfNotPresent otherwise."""
    if "@" in image:
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
        if probe := container.get(field):
            result[field] = _probe(probe)
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
    value_from = {
        source: {**_VARIABLE_SOURCES.get(source, {}), **selected}
        for source, selected in variable["valueFrom"].items()
    }
    return {**variable, "valueFrom": value_from}


def _volume(volume: JSON) -> JSON:
    result = dict(volume)
    for source in ("configMap", "secret", "projected", "downwardAPI"):
        if source in volume:
            result[source] = {"defaultMode": MODE, **volume[source]}
    if "hostPath" in volume:
        result["hostPath"] = {"type": "", **volume["hostPath"]}
    if volume.keys() == {"name"}:
        result["emptyDir"] = {}
    return result


def service_account_volume(spec: JSON, suffix: str) -> JSON:
    """The spec with the token of its service account mounted into every container."""
    name = f"kube-api-access-{suffix}"
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
    return {**spec, **fields, "volumes": [*(spec.get("volumes") or ()), volume]}


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
