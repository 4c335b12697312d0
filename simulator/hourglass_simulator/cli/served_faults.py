"""Faults that are injected into a cluster while it is served."""

from collections.abc import Mapping
from typing import Any

from hourglass_simulator.faults import FaultNotPossibleError, Undo
from hourglass_simulator.faults.holds import Holds
from hourglass_simulator.http.served import Served
from hourglass_simulator.testing import faults
from hourglass_simulator.testing.target import FaultTarget

_NAMESPACE = "default"


class ServedFaults:
    """Those of docs/faults.md, but for faults of an operator's process or memory.

    Use it under the lock of the cluster.
    """

    def __init__(self, there: Served) -> None:
        self._there = there
        self._holds = Holds()
        self._begun = 0
        self._healing: dict[str, list[Undo]] = {}

    def inject(self, name: str, parameters: Mapping[str, Any], user: str) -> None:
        """Begin a fault; raises ValueError for what is none, or none of something that is there."""
        target = FaultTarget(self._there.cluster, user, _NAMESPACE, self._drop_watch)
        target.holds = self._holds
        self._begun += 1
        try:
            undo = faults.begin(name, target, parameters, str(self._begun))
        except FaultNotPossibleError as error:
            raise ValueError(str(error)) from error
        self._healing.setdefault(name, []).append(undo)

    def heal(self, name: str) -> None:
        """End every fault of this name; raises ValueError when there is none."""
        if name not in self._healing:
            lasting = ", ".join(sorted(self._healing)) or "none"
            raise ValueError(f"{name}: nothing to heal; faults that last: {lasting}")
        for undo in self._healing.pop(name):
            undo()

    def active(self) -> list[str]:
        """The names of those that were injected and not healed, sorted."""
        return sorted(name for name, undos in self._healing.items() for _ in undos)

    def _drop_watch(self, resource: str) -> None:
        for each in self._there.cluster.api.resources():
            if each.name == resource:
                self._there.server.drop_watches(each.qualified)
