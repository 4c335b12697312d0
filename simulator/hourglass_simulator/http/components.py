"""The components of the control plane, which are always well here.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/component-status-v1/
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.http.forms import list_of
from hourglass_simulator.http.request import Answer, Place, Request

RESOURCE = Resource("componentstatuses", "ComponentStatus", namespaced=False)
_NAMES = ("scheduler", "controller-manager", "etcd-0")


def answer(request: Request, found: Place) -> Answer:
    """One of them or all."""
    if found.name and found.name not in _NAMES:
        raise errors.not_found(Resource("componentstatus", "ComponentStatus"), found.name)
    if request.method != "GET" or found.subresource:
        raise errors.method_not_allowed()
    items = [_status(name) for name in ([found.name] if found.name else _NAMES)]
    return Answer(200, items[0] if found.name else list_of(RESOURCE, items, {}))


def _status(name: str) -> JSON:
    healthy = {"type": "Healthy", "status": "True", "message": "ok"}
    typed = {"apiVersion": RESOURCE.api_version, "kind": RESOURCE.kind}
    return {**typed, "metadata": {"name": name}, "conditions": [healthy]}
