"""The operator leaves alone what is not a Performer's."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History, key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import CLAIM, OPERATOR, PERFORMER, controller

_PATIENCE = 120.0
"""Seconds until the operator must have seen that a Performer is gone."""


class ForeignMonitor(Monitor):
    """It changes pods, Services and budgets only if they are of a Performer that exists."""

    oracle = "foreign objects"

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._gone: dict[str, float] = {}
        """When Performers went, by uid."""

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {
            "performers": self._performer,
            "nodes": partial(self._changed, "nodes"),
            "endpointslices": partial(self._changed, "endpointslices"),
            **{name: partial(self._owned, name) for name in ("pods", "services")},
        }

    def _performer(self, seen: Seen) -> Iterable[Mismatch]:
        if seen.type == "DELETED":
            self._gone[seen.object["metadata"]["uid"]] = seen.time
        return ()

    def _changed(self, resource: str, seen: Seen) -> Iterator[Mismatch]:
        if seen.by == OPERATOR:
            subject = "{} {}/{}".format(resource[:-1], *key_of(seen.object))
            yield Mismatch(subject, "the operator leaves it alone", seen.type)

    def _owned(self, resource: str, seen: Seen) -> Iterator[Mismatch]:
        before = seen.before
        if seen.by != OPERATOR or before is None:
            return
        owner = controller(before)
        if owner is not None:
            if self._is_performer(before, owner):
                return
            whose = f"it belongs to {owner['kind']} {owner['name']}"
        else:
            labels = before["metadata"].get("labels") or {}
            performer = self.history.get("performers", (key_of(before)[0], labels.get(CLAIM, "")))
            if performer is not None or self._is_named(before):
                return
            whose = "nobody owns it"
        subject = "{} {}/{}".format(resource[:-1], *key_of(before))
        yield Mismatch(subject, "the operator leaves it alone", f"{seen.type}, though {whose}")

    def _is_performer(self, obj: JSON, owner: JSON) -> bool:
        if owner["kind"] != PERFORMER:
            return False
        performer = self.history.get("performers", (key_of(obj)[0], owner["name"]))
        if performer is not None and performer["metadata"]["uid"] == owner["uid"]:
            return True
        # Until it is seen to be gone.
        return self.history.now - self._gone.get(owner["uid"], -_PATIENCE) < _PATIENCE

    def _is_named(self, obj: JSON) -> bool:
        """The status of a Performer says that it is its own."""
        space, name = key_of(obj)
        for performer in self.history.objects("performers"):
            status = performer.get("status") or {}
            named = (status.get("podName"), status.get("serviceName"))
            if key_of(performer)[0] == space and name in named:
                return True
        return False
