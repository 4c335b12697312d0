"""Whether a container's environment can be filled in.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kubelet_pods.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.kubelet.pod import NodePod
from hourglass_simulator.recorder import WARNING

_SOURCES = {
    "configMapKeyRef": ("configmaps", "ConfigMap"),
    "secretKeyRef": ("secrets", "Secret"),
}
_WHOLE = {"configMapRef": "configmaps", "secretRef": "secrets"}


def missing(api: APIServer, namespace: str, container: JSON) -> str | None:
    """What is missing first, as the kubelet reports it; None if nothing is."""
    try:
        for source in container.get("envFrom") or ():
            for field, resource in _WHOLE.items():
                if field in source:
                    _fetch(api, resource, namespace, source[field])
        for variable in container.get("env") or ():
            if found := _key_missing(api, namespace, variable.get("valueFrom") or {}):
                return found
    except APIError as error:
        # The kubelet's own cache says it, and in the singular.
        return error.message.replace("configmaps ", "configmap ").replace("secrets ", "secret ")
    except CallTimeoutError:
        return "failed to sync secret cache: timed out waiting for the condition"
    return None


def pull_failed(pod: NodePod) -> bool:
    """Whether a pull has just failed."""
    return any(c.reason and c.reason[0] == "ErrImagePull" for c in pod.all_containers)


def report_missing_secrets(pod: NodePod) -> None:
    """Record that secrets for pulling images are not there."""
    namespace, absent = pod.object["metadata"]["namespace"], []
    for secret in pod.object["spec"].get("imagePullSecrets") or ():
        try:
            pod.runtime.api.get("secrets", namespace, secret["name"], user="kubelet")
        except (APIError, CallTimeoutError):
            absent.append(secret["name"])
    if absent:
        text = (
            f"Unable to retrieve some image pull secrets ({', '.join(absent)}); attempting to"
            " pull the image may not succeed."
        )
        pod.event(WARNING, "FailedToRetrieveImagePullSecret", text)


def _key_missing(api: APIServer, namespace: str, source: JSON) -> str | None:
    for field, (resource, kind) in _SOURCES.items():
        if field not in source:
            continue
        wanted = source[field]
        found = _fetch(api, resource, namespace, wanted)
        if found is None or wanted.get("optional"):
            return None
        keys = {**(found.get("data") or {}), **(found.get("binaryData") or {})}
        if wanted["key"] not in keys:
            return f"couldn't find key {wanted['key']} in {kind} {namespace}/{wanted['name']}"
    return None


def _fetch(api: APIServer, resource: str, namespace: str, wanted: JSON) -> JSON | None:
    try:
        return api.get(resource, namespace, wanted["name"], user="kubelet")
    except APIError as error:
        if error.code == 404 and wanted.get("optional"):
            return None
        raise
