"""Pods by the Performer under which they are known, and what they occupy on nodes."""

from collections.abc import Iterable, Iterator

from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.versions import Name
from hourglass_operator.controller.views import Key, replace_view
from hourglass_operator.resources import names


class PodIndex:
    """All pods that bear names of Performers' pods, whoever owns them."""

    def __init__(self) -> None:
        self._of: dict[Key, tuple[PodView, ...]] = {}
        self._keys_on: dict[str, dict[Key, None]] = {}
        """Performers with a pod on a node; under the empty name those with a pod that has none."""
        self.used: dict[str, dict[str, int]] = {}
        """Extended resources that the pods occupy, by node and resource."""
        self.used_generation = 0
        """Goes up whenever `used` changes."""
        self.short: dict[Key, None] = {}
        """Performers with a pod that asks for devices and for which the scheduler has no node."""

    def of(self, key: Key) -> tuple[PodView, ...]:
        """The pods of a Performer, by name."""
        return self._of.get(key, ())

    def find(self, key: Key, name: str) -> PodView | None:
        """The pod of this name."""
        return next((pod for pod in self.of(key) if pod.name == name), None)

    def key_of(self, name: Name) -> Key | None:
        """The Performer under which a pod of this name is known."""
        ours = names.parse_pod_name(name[1])
        performers = (ours.performer if ours else None, names.performer_of_service(name[1]))
        keys = [(name[0], performer) for performer in performers if performer is not None]
        known = (key for key in keys if self.find(key, name[1]) is not None)
        return next(known, keys[0] if ours else None)

    def keys_on(self, node: str) -> Iterable[Key]:
        """Performers with a pod on a node; of the empty name those with a pod that has none."""
        return self._keys_on.get(node, ())

    def waiting(self) -> Iterator[tuple[Key, PodView]]:
        """Pods that the scheduler has queued, and whose they are; see `Cache.waiting`."""
        for key in self.keys_on(""):
            for pod in self._of[key]:
                if pod.alive and not pod.node and not pod.scheduling_gates:
                    yield key, pod

    def put(self, key: Key, name: str, after: PodView | None) -> None:
        """Put a pod in the place of the one of that name; None: it is gone."""
        nodes_before = {pod.node for pod in self.of(key)}
        before = replace_view(self._of, key, name, after)
        nodes_after = {pod.node for pod in self.of(key)}
        for node in nodes_before - nodes_after:
            del self._keys_on[node][key]
            if not self._keys_on[node]:
                del self._keys_on[node]
        for node in nodes_after - nodes_before:
            self._keys_on.setdefault(node, {})[key] = None
        was, has = _held(before), _held(after)
        if was != has:
            for (node, devices), sign in ((was, -1), (has, 1)):
                for resource, count in devices:
                    self._use(node, resource, sign * count)
        unplaced = (pod for pod in self.of(key) if not pod.node)
        if any(pod.unschedulable is not None and pod.devices for pod in unplaced):
            self.short[key] = None
        else:
            self.short.pop(key, None)

    def _use(self, node: str, resource: str, more: int) -> None:
        self.used_generation += 1
        used = self.used.setdefault(node, {})
        used[resource] = used.get(resource, 0) + more
        # Nodes come and go for as long as the operator runs: what is zero is left out.
        if not used[resource]:
            del used[resource]
        if not used:
            del self.used[node]


def _held(pod: PodView | None) -> tuple[str, tuple[tuple[str, int], ...]]:
    """The pod's node and the devices that it occupies there."""
    return ("", ()) if pod is None or not pod.node or pod.ended else (pod.node, pod.devices)
