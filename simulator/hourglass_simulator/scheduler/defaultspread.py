"""The constraints by which pods of Services and controllers are spread unless they say otherwise.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/helper/spread.go
"""

import json
from collections.abc import Iterator

from hourglass_kube import selector
from hourglass_kube.expression import IN, Requirement, Selector
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.scheduler.listers import Listers
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.terms import Spread

_MAX_SKEWS = (("kubernetes.io/hostname", 3), ("topology.kubernetes.io/zone", 5))
_OWNERS = {
    ("v1", "ReplicationController"): "replicationcontrollers",
    ("apps/v1", "ReplicaSet"): "replicasets",
    ("apps/v1", "StatefulSet"): "statefulsets",
}


class ServiceSelectors:
    """The selectors of Services, found by a label that they select."""

    def __init__(self) -> None:
        self._by_label: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
        self._where: dict[tuple[str, str], tuple[str, str, str]] = {}

    def apply(self, event: WatchEvent) -> None:
        """Take a change of a Service in."""
        meta, spec = event.object["metadata"], event.object["spec"]
        name = (meta["namespace"], meta["name"])
        known = self._where.pop(name, None)
        if known is not None:
            del self._by_label[known][meta["name"]]
            if not self._by_label[known]:
                del self._by_label[known]
        chosen = spec.get("selector")
        if event.type != "DELETED" and chosen:
            key, value = min(chosen.items())
            self._where[name] = where = (meta["namespace"], key, value)
            self._by_label.setdefault(where, {})[meta["name"]] = chosen

    def of(self, pod: PodInfo) -> dict[str, str]:
        """What the Services of a pod select, together."""
        found: dict[str, str] = {}
        if self._by_label:
            for key, value in pod.labels.items():
                for chosen in self._by_label.get((pod.namespace, key, value), {}).values():
                    if chosen.items() <= pod.labels.items():
                        found.update(chosen)
        return found


def default_constraints(
    pod: PodInfo, services: ServiceSelectors, listers: Listers
) -> tuple[Spread, ...]:
    """Over hosts and zones, among the pods of the same Services and the same controller."""
    exact = services.of(pod)
    owner = _owner(pod, listers)
    if not exact and owner is None:
        return ()
    chosen = tuple(_requirements(exact, owner))
    if not chosen:
        return ()
    said = json.dumps([sorted(exact.items()), owner], sort_keys=True)
    return tuple(
        Spread(
            text=f"default {key} {said}",
            topology_key=key,
            max_skew=skew,
            min_domains=1,
            honors_affinity=True,
            honors_taints=False,
            selector=chosen,
        )
        for key, skew in _MAX_SKEWS
    )


def _owner(pod: PodInfo, listers: Listers) -> JSON | None:
    if pod.owner is None:
        return None
    version, kind, name = pod.owner
    resource = _OWNERS.get((version, kind))
    found = listers[resource].get(name, pod.namespace) if resource else None
    if found is None:
        return None
    chosen: JSON = found["spec"].get("selector") or {}
    return {"matchLabels": chosen} if resource == "replicationcontrollers" else chosen


def _requirements(exact: dict[str, str], owner: JSON | None) -> Iterator[Requirement]:
    yield from (Requirement(key, IN, (value,)) for key, value in sorted(exact.items()))
    if owner is not None:
        found: Selector = selector.compile_selector(owner)
        yield from found
