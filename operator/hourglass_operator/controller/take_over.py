"""The end of a pod of the Go operator: first no client is sent to it any more, then it is deleted.

Our pods go on answering for `DRAIN_SECONDS` after SIGTERM, because kube-proxies hear of
it later. Pods of the Go operator do not, and nothing can be added to a pod that runs. So the
Service stops selecting such a pod before it is deleted; connections that it has stay.
"""

from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.resources import names
from hourglass_operator.resources.pod import DRAIN_SECONDS
from hourglass_statemachine import Serving

PATIENCE = 2 * DRAIN_SECONDS
"""Seconds from the change of the Service: EndpointSlices change before kube-proxies hear of it."""


def is_selected(pod: PodView, seen: Observation) -> bool:
    """The Service sends clients to the pod, once it is Ready."""
    service = seen.service
    return service is not None and all(
        pod.labels.get(key) == value for key, value in service.selector.items()
    )


def draining_since(seen: Observation) -> float | None:
    """Since when (seconds) a pod of the Go operator that was succeeded is known to be unselected.

    It is remembered from pass to pass; who forgets it waits anew.
    """
    if not any(_is_succeeded(pod, seen) and not is_selected(pod, seen) for pod in seen.pods):
        return None
    before = seen.memory.draining_since
    return seen.now if before is None else before


def drained_at(since: float | None) -> float | None:
    """When (seconds) a pod that is unselected since then may be deleted."""
    return None if since is None else since + PATIENCE


def is_drained(pod: PodView, seen: Observation) -> bool:
    """Nothing speaks against the pod's end: it serves nobody, or its successor does not yet."""
    if not _is_succeeded(pod, seen):
        return True
    at = drained_at(seen.memory.draining_since)
    return at is not None and seen.now >= at and not is_selected(pod, seen)


def wanted_labels(pod: PodView, seen: Observation) -> dict[str, str | None]:
    """What a pod of the Go operator needs to be found by a Service of ours until it is succeeded.

    The Go operator's own Service finds it as it is.
    """
    ours = names.selector(seen.performer.name)
    if seen.roles.serving is Serving.WANTED:
        return {names.NAME_LABEL: None} if pod.labels.get(names.NAME_LABEL) else {}
    found = seen.service is not None and seen.service.selector == ours
    return dict(ours) if found else {}


def _is_succeeded(pod: PodView, seen: Observation) -> bool:
    wanted = seen.roles.serving is Serving.WANTED
    return pod.of_go_operator and pod.alive and pod.ready and wanted
