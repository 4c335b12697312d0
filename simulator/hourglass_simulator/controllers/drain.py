"""What `kubectl cordon`, `uncordon` and `drain` do."""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.workqueue import Key

RETRY_SECONDS = 5.0
"""From a refused eviction to the next attempt."""
USER = "kubernetes-admin"
MIRROR = "kubernetes.io/config.mirror"
"""Annotation of a pod that only shows one that a kubelet runs by itself."""


def cordon(api: APIServer, node: str) -> None:
    """No pod is scheduled to the node any more."""
    api.patch("nodes", "", node, {"spec": {"unschedulable": True}}, user=USER)


def uncordon(api: APIServer, node: str) -> None:
    """Pods are scheduled to the node again."""
    api.patch("nodes", "", node, {"spec": {"unschedulable": None}}, user=USER)


def drain(clock: Clock, api: APIServer, node: str) -> dict[Key, str]:
    """Cordon the node and evict its pods; refused evictions are repeated.

    The result goes on to hold why pods are not evicted, by namespace and name. Pods of DaemonSets
    and mirrors of the node's own stay.
    """
    cordon(api, node)
    refused: dict[Key, str] = {}
    for pod in api.list("pods", field_selector=f"spec.nodeName={node}").items:
        if not stays(pod):
            meta = pod["metadata"]
            _evict(clock, api, (meta["namespace"], meta["name"]), refused)
    return refused


def stays(pod: JSON) -> bool:
    """Whether `kubectl drain` leaves a pod on its node."""
    meta = pod["metadata"]
    if MIRROR in (meta.get("annotations") or {}):
        return True
    return any(owner["kind"] == "DaemonSet" for owner in meta.get("ownerReferences") or ())


def _evict(clock: Clock, api: APIServer, key: Key, refused: dict[Key, str]) -> None:
    refused.pop(key, None)
    try:
        api.evict(*key, user=USER)
    except APIError as error:
        if error.code != 404:
            causes = (error.details or {}).get("causes") or ()
            refused[key] = " ".join([error.message, *(cause["message"] for cause in causes)])
            clock.after(RETRY_SECONDS, lambda: _evict(clock, api, key, refused))
    except CallTimeoutError:
        clock.after(RETRY_SECONDS, lambda: _evict(clock, api, key, refused))
