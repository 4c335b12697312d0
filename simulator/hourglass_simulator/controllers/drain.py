"""What `kubectl cordon`, `uncordon` and `drain` do."""

from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock

RETRY_SECONDS = 5.0
"""From a refused eviction to the next attempt."""
USER = "kubernetes-admin"


def cordon(api: APIServer, node: str) -> None:
    """No pod is scheduled to the node any more."""
    api.patch("nodes", "", node, {"spec": {"unschedulable": True}}, user=USER)


def uncordon(api: APIServer, node: str) -> None:
    """Pods are scheduled to the node again."""
    api.patch("nodes", "", node, {"spec": {"unschedulable": None}}, user=USER)


def drain(clock: Clock, api: APIServer, node: str) -> None:
    """Cordon the node and evict its pods; refused evictions are repeated."""
    cordon(api, node)
    for pod in api.list("pods", field_selector=f"spec.nodeName={node}").items:
        meta = pod["metadata"]
        if any(o["kind"] == "DaemonSet" for o in meta.get("ownerReferences") or ()):
            continue
        _evict(clock, api, meta["namespace"], meta["name"])


def _evict(clock: Clock, api: APIServer, namespace: str, name: str) -> None:
    try:
        api.evict(namespace, name, user=USER)
    except APIError as error:
        if error.code != 404:
            clock.after(RETRY_SECONDS, lambda: _evict(clock, api, namespace, name))
    except CallTimeoutError:
        clock.after(RETRY_SECONDS, lambda: _evict(clock, api, namespace, name))
