"""A Performer has one living pod of a template."""

from collections.abc import Iterable, Iterator, Mapping

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History, key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import (
    OPERATOR,
    condition,
    is_alive,
    performer_uid,
    template,
)

_BACK_OFF = 9.0
"""Seconds after which a pod may be succeeded that was a successor itself."""


class OnePodMonitor(Monitor):
    """Whoever makes a second one must have a reason: the first is to leave its node."""

    oracle = "one pod of a template"

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {"nodes": self._node, "pods": self._pod}

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._back: set[str] = set()
        """Nodes that were not well, or took no pods, and do now."""
        self._of: dict[str, dict[str, JSON]] = {}

    def _pod(self, seen: Seen) -> Iterator[Mismatch]:
        pod, uid = seen.object, performer_uid(seen.object)
        name = pod["metadata"]["name"]
        if seen.before is not None:
            self._of.get(performer_uid(seen.before), {}).pop(name, None)
        if not uid or seen.type == "DELETED":
            return
        mine = self._of.setdefault(uid, {})
        if seen.type == "ADDED" and seen.by == OPERATOR:
            others = [
                other["metadata"]["name"]
                for other in mine.values()
                if is_alive(other)
                and _is_like(other, pod)
                and self._stays(other, seen.unix)
                and not self.is_news(other)
            ]
            if others:
                subject = "pod {}/{}".format(*key_of(pod))
                yield Mismatch(subject, "no other living pod of its template", ", ".join(others))
        mine[name] = pod

    def _stays(self, pod: JSON, now: float) -> bool:
        """Nothing asks it to leave: its node is well and takes pods, and so are its devices.

        That the node is well again may be seen late: until then successors have a back-off.
        """
        name = (pod.get("spec") or {}).get("nodeName")
        if not name:
            return True
        node = self.history.get("nodes", ("", name))
        if node is None or _is_going(node) or _is_unhealthy(pod):
            return False
        age = now - time.parse(pod["metadata"]["creationTimestamp"]).timestamp()
        return age < _BACK_OFF or name not in self._back

    def _node(self, seen: Seen) -> Iterable[Mismatch]:
        if seen.before is not None and _is_going(seen.before) and not _is_going(seen.object):
            self._back.add(seen.object["metadata"]["name"])
        return ()


def _is_going(node: JSON) -> bool:
    spec = node.get("spec") or {}
    marked = bool(spec.get("unschedulable") or spec.get("taints"))
    return marked or condition(node, "Ready") != "True"


def _is_unhealthy(pod: JSON) -> bool:
    return "Unhealthy" in str((pod.get("status") or {}).get("containerStatuses"))


def _is_like(pod: JSON, other: JSON) -> bool:
    """Of one template; what cannot be resized is succeeded by a pod of its own template."""
    resizable = _is_resizable(pod) or _is_resizable(other)
    return template(pod) == template(other) and not resizable


def _is_resizable(pod: JSON) -> bool:
    """It asks for CPU or memory, which may change while the template stays the same."""
    asked = ((each.get("resources") or {}).get("requests") for each in pod["spec"]["containers"])
    return any("cpu" in requests or "memory" in requests for requests in asked if requests)
