"""What plays a scenario: the simulator, or a real cluster."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.cluster import Cluster
from hourglass_simulator.scenario.step import Delete, Patch


@dataclass(frozen=True, slots=True)
class Change:
    """A committed change of an object, as a watch shows it; `object` is never changed later."""

    time: float
    """Seconds since the start of the scenario."""
    type: str
    """ADDED, MODIFIED or DELETED."""
    resource: str
    object: JSON


@dataclass(frozen=True, slots=True)
class Write:
    """A mutating call of the operator that the API server has answered, also with a refusal."""

    time: float
    verb: str
    """create, update, patch or delete."""
    resource: str
    namespace: str
    name: str
    subresource: str
    code: int
    """The HTTP status; 0 if no answer came."""


class Observer(Protocol):
    """Is called for everything that happens, in the order in which it happens."""

    def changed(self, change: Change) -> None:
        """An object was created, changed or deleted."""
        ...

    def wrote(self, write: Write) -> None:
        """The operator made a mutating call."""
        ...


class RefusedError(Exception):
    """The API server refused a call; the text is its message."""


class Backend(Protocol):
    """A cluster with the operator in it. Calls that the API server refuses raise RefusedError.

    Objects without a namespace go into the scenario's if their kind has namespaces;
    a namespace is made when it is first needed.
    """

    @property
    def now(self) -> float:
        """Seconds since the start of the scenario."""
        ...

    def start(
        self, cluster: Cluster, namespace: str, resources: Collection[str], observer: Observer
    ) -> None:
        """Make the cluster and start the operator; `observer` sees changes of `resources`."""
        ...

    def advance(self, until: float, stop: Callable[[], bool]) -> None:
        """Let time pass to `until`; `stop` is asked after every change and ends it early."""
        ...

    def apply(self, obj: JSON) -> None:
        """As `kubectl apply`."""
        ...

    def create(self, obj: JSON) -> None:
        """As `kubectl create`."""
        ...

    def patch(self, patch: Patch) -> None:
        """As `kubectl patch --type=merge`."""
        ...

    def delete(self, delete: Delete) -> None:
        """As `kubectl delete --wait=false`."""
        ...

    def cordon(self, node: str) -> None:
        """As `kubectl cordon`."""
        ...

    def uncordon(self, node: str) -> None:
        """As `kubectl uncordon`."""
        ...

    def drain(self, node: str) -> None:
        """As `kubectl drain --ignore-daemonsets --delete-emptydir-data`, in the background."""
        ...

    def inject(self, fault: str, parameters: JSON) -> None:
        """Begin a fault of the registry."""
        ...

    def heal(self, fault: str) -> None:
        """End every fault of that name that this scenario has injected."""
        ...
