"""Fields behind features that are off: the server drops them from what it is given.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/api/pod/util.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import Version

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_PROJECTIONS = {
    "clusterTrustBundle": "ClusterTrustBundleProjection",
    "podCertificate": "PodCertificateRequest",
}


def without(spec: JSON, version: Version) -> JSON:
    """A pod's spec without them."""
    result = dict(spec)
    if not version.enabled("HostnameOverride"):
        result.pop("hostnameOverride", None)
    for kind in _CONTAINERS:
        if spec.get(kind):
            init = kind == "initContainers"
            result[kind] = [_container(each, version, init=init) for each in spec[kind]]
    volumes = spec.get("volumes") or []
    if any("image" in volume or "projected" in volume for volume in volumes):
        images = version.enabled("ImageVolume")
        kept = [_volume(each, version) for each in volumes if images or "image" not in each]
        result["volumes"] = kept
        if not kept:
            del result["volumes"]
    return result


def _container(container: JSON, version: Version, *, init: bool) -> JSON:
    result = container
    policy, dropped = container.get("restartPolicy"), list[str]()
    if not version.enabled("ContainerRestartRules"):
        dropped.append("restartPolicyRules")
        if policy and not (init and policy == "Always"):
            dropped.append("restartPolicy")
    if any(name in container for name in dropped):
        result = {name: value for name, value in container.items() if name not in dropped}
    stops = version.enabled("ContainerStopSignals")
    if "stopSignal" in (container.get("lifecycle") or {}) and not stops:
        hooks = {k: v for k, v in container["lifecycle"].items() if k != "stopSignal"}
        result = {name: value for name, value in result.items() if name != "lifecycle"}
        if hooks:
            result["lifecycle"] = hooks
    if any("fileKeyRef" in (v.get("valueFrom") or {}) for v in container.get("env") or ()):
        result = {**result, "env": [_variable(each, version) for each in container["env"]]}
    return result


def _variable(variable: JSON, version: Version) -> JSON:
    if "valueFrom" not in variable or version.enabled("EnvFiles"):
        return variable
    source = {k: v for k, v in variable["valueFrom"].items() if k != "fileKeyRef"}
    return {**variable, "valueFrom": source}


def _volume(volume: JSON, version: Version) -> JSON:
    sources = (volume.get("projected") or {}).get("sources")
    dropped = [field for field, gate in _PROJECTIONS.items() if not version.enabled(gate)]
    if not sources or not dropped:
        return volume
    kept = [{k: v for k, v in each.items() if k not in dropped} for each in sources]
    return {**volume, "projected": {**volume["projected"], "sources": kept}}
