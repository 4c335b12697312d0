"""Whether the pods of a node may leave it, and how they do: what scalers ask before they drain."""

from collections.abc import Callable, Iterable

from hourglass_kube import selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.drain import stays
from hourglass_simulator.controllers.informer import controller_of

RETRY_SECONDS = 10.0
"""From a refused eviction to the next attempt."""
_ENDED = ("Succeeded", "Failed")
_SAFE = "cluster-autoscaler.kubernetes.io/safe-to-evict"
_DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"


def that_leave(pods: Iterable[JSON]) -> list[JSON]:
    """The pods that need another node when theirs goes; not daemons and mirrors."""
    return [pod for pod in pods if pod["status"].get("phase") not in _ENDED and not stays(pod)]


def may_leave(pod: JSON) -> bool:
    """Whether the cluster autoscaler would take a pod off its node.

    https://github.com/kubernetes/autoscaler/tree/master/cluster-autoscaler/simulator/drainability/rules
    """
    safe = (pod["metadata"].get("annotations") or {}).get(_SAFE)
    if safe in ("true", "false"):
        return bool(safe == "true")
    volumes = pod["spec"].get("volumes") or ()
    local = any("emptyDir" in volume or "hostPath" in volume for volume in volumes)
    system = pod["metadata"]["namespace"] == "kube-system"
    return controller_of(pod) is not None and not local and not system


def may_be_disrupted(pod: JSON) -> bool:
    """Whether Karpenter would take a pod off its node by itself."""
    return (pod["metadata"].get("annotations") or {}).get(_DO_NOT_DISRUPT) != "true"


def blocking_budget(api: APIServer, pods: Iterable[JSON]) -> str:
    """A disruption budget that lets none of the pods go: namespace/name; empty if there is none."""
    leaving = list(pods)
    for budget in api.list("poddisruptionbudgets").items:
        meta, allowed = budget["metadata"], budget["status"].get("disruptionsAllowed", 0)
        if not allowed and any(
            pod["metadata"]["namespace"] == meta["namespace"]
            and selector.matches(
                budget["spec"].get("selector"), pod["metadata"].get("labels") or {}
            )
            for pod in leaving
        ):
            return f"{meta['namespace']}/{meta['name']}"
    return ""


class Eviction:
    """Evicts pods, again and again where a budget refuses, until they are gone or time is up."""

    def __init__(
        self,
        clock: Clock,
        api: APIServer,
        pods: Iterable[JSON],
        user: str,
        *,
        patience: float | None,
        done: Callable[[bool], None],
    ) -> None:
        """`done` is called once: with True when all are gone, with False after `patience` s."""
        self._clock = clock
        self._api = api
        self._user = user
        self._left = {pod["metadata"]["uid"]: pod for pod in pods}
        self._end = None if patience is None else clock.now + patience
        self._done = done
        self._attempt()

    def _attempt(self) -> None:
        for uid, pod in list(self._left.items()):
            meta = pod["metadata"]
            try:
                found = self._api.get("pods", meta["namespace"], meta["name"], user=self._user)
                if found["metadata"]["uid"] != uid:
                    del self._left[uid]
                elif "deletionTimestamp" not in found["metadata"]:
                    self._api.evict(meta["namespace"], meta["name"], user=self._user)
            except APIError as error:
                if error.code == 404:
                    del self._left[uid]
            except CallTimeoutError:
                continue
        if not self._left:
            self._done(True)
        elif self._end is not None and self._clock.now >= self._end:
            self._done(False)
        else:
            self._clock.after(RETRY_SECONDS, self._attempt)
