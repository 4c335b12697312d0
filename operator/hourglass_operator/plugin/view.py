"""A Performer among the objects of the cluster, assessed as the operator does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.controller.assess import assess
from hourglass_operator.controller.explanations import Explanations
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.observe import observe
from hourglass_operator.controller.plan import Memory
from hourglass_operator.controller.resolve import SpecResolver
from hourglass_operator.controller.upgrade import plan_handover
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.explain import offers
from hourglass_operator.runtime.informers.store import Store
from hourglass_statemachine import Facts, verdicts

_REMEMBERED = ("PodRejected", "ServiceRejected", "ClaimRejected", "NameConflict", "RepairUndone")
"""What only the operator knows: its writes that are refused or undone leave nothing there."""


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects by resource, as the API server lists them."""

    listed: Mapping[str, Sequence[JSON]]
    events: Sequence[JSON] = ()
    hidden: frozenset[str] = frozenset()
    """Resources that the user may not list."""
    absent: frozenset[str] = frozenset()
    """Resources that the API server does not serve."""


@dataclass(frozen=True, slots=True)
class View:
    """One Performer: as it is stored, and as it is found."""

    performer: JSON
    observation: Observation
    facts: Facts
    cordoned: tuple[str, ...]
    """Nodes that have the hardware it needs, if any, and are cordoned."""
    hidden: frozenset[str]
    """What was not seen, so that `facts` cannot be relied on."""

    @property
    def status(self) -> JSON:
        """The stored status."""
        status: JSON = self.performer.get("status") or {}
        return status

    @property
    def conditions(self) -> list[JSON]:
        """The stored conditions, in their order."""
        return self.status.get("conditions") or []

    @property
    def stored_ready(self) -> JSON:
        """The stored Ready condition; empty if the operator has not written one."""
        return next((c for c in self.conditions if c["type"] == "Ready"), {})

    @property
    def unseen(self) -> bool:
        """The operator has not looked at the present spec."""
        generation = self.performer["metadata"].get("generation", 0)
        return bool(self.status.get("observedGeneration", -1) < generation)

    def summary(self) -> tuple[bool, str, str]:
        """Whether it serves, the reason and the sentence: the truth of this moment."""
        stored = self.stored_ready
        if stored and not self.unseen and (self.hidden or stored["reason"] in _REMEMBERED):
            return stored["status"] == "True", stored["reason"], stored["message"]
        ready = verdicts(self.facts)[-1]
        return ready.status, str(ready.reason), ready.message


def view_of(objects: Objects, namespace: str, name: str, catalogue: Catalogue, now: float) -> View:
    """A Performer among the objects; KeyError if it is not there. `now` is seconds."""
    controller = Controller(catalogue, Settings())
    store = Store(controller.event_handler, lambda: now, lambda: None)
    for resource, listed in objects.listed.items():
        for obj in listed:
            store.put_listed(resource, obj, "0")
    for resource in objects.absent:
        store.absent(resource)
    key = (namespace, name)
    seen = observe(controller.cache, key, Memory(), SpecResolver(catalogue), now)
    if seen is None:
        raise KeyError(key)
    performer = next(
        obj
        for obj in objects.listed["performers"]
        if (obj["metadata"]["namespace"], obj["metadata"]["name"]) == key
    )
    facts = assess(seen, plan_handover(seen), Explanations(catalogue))
    return View(performer, seen, facts, _cordoned(seen), objects.hidden)


def _cordoned(seen: Observation) -> tuple[str, ...]:
    needed = seen.requirement
    cordoned = (node for node in seen.nodes.values() if node.unschedulable)
    return tuple(node.name for node in cordoned if needed is None or offers(node, needed))
