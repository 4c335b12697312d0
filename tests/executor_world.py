"""A simulated cluster with the operator in it, served over HTTP; its time runs a hundredfold."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hourglass_operator.api.crd import generate
from hourglass_operator.client import Client
from hourglass_operator.controller import Settings
from hourglass_operator.hardware.catalogue import load
from hourglass_simulator.apiserver.calls import Audit
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.harness.target import SimulatedTarget
from hourglass_simulator.http.served import Served, served

SPEED = 100.0
NAMESPACE = "avs"
EXECUTOR = "system:serviceaccount:avs:executor"


@dataclass
class World:
    """The cluster as the executor EXECUTOR sees it, and what tests do behind its back."""

    there: Served
    target: SimulatedTarget
    kubeconfig: Path
    audits: list[Audit] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=lambda: {"KUBERNETES_NAMESPACE": NAMESPACE})

    @property
    def lock(self) -> threading.RLock:
        return self.there.lock

    def client(self) -> Client:
        return Client(kubeconfig=self.kubeconfig, variables=self.variables)

    def deny(self, verb: str) -> None:
        with self.lock:
            self.there.server.router.denials.denied.add((EXECUTOR, verb, "performers"))

    def calls(self) -> set[tuple[str, str]]:
        """(verb, resource) of the executor's calls so far."""
        with self.lock:
            return {(a.call.verb, a.call.resource) for a in self.audits if a.call.user == EXECUTOR}


@contextmanager
def executor_world(folder: Path) -> Iterator[World]:
    """Serve it; the kubeconfig is written into this folder."""
    cluster = Cluster(crd=generate())
    cluster.api.create("namespaces", {"metadata": {"name": NAMESPACE}})
    cluster.add_node("plain")
    target = SimulatedTarget(cluster, load(), Settings())
    target.operator.start()
    with served(cluster, speed=SPEED) as there:
        world = World(there, target, folder / "kubeconfig")
        cluster.api.auditors.append(world.audits.append)
        there.write_kubeconfig(world.kubeconfig, EXECUTOR)
        yield world
