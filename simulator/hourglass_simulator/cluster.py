"""A simulated cluster: API server, scheduler, kubelets and controllers on one virtual clock."""

import gc
from collections.abc import Mapping, Sequence
from datetime import datetime

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import EPOCH, Clock
from hourglass_simulator.controllers import (
    DefinitionFinalizer,
    EndpointController,
    GarbageCollector,
    NodeLifecycle,
    PodGarbageCollector,
    TaintEviction,
)
from hourglass_simulator.kubelet import ImageRegistry, Kubelets
from hourglass_simulator.node_object import node_object
from hourglass_simulator.scheduler import Scheduler

QUIET_SECONDS = 30.0
"""A cluster has settled when nothing was written for so long."""


def raise_gc_thresholds() -> None:
    """Let the garbage collector of Python run less often, in the whole process.

    A simulated cluster keeps hundreds of thousands of objects and makes hardly any cycles; at the
    default thresholds the collector takes up to half of the time.
    """
    gc.set_threshold(200_000, 50, 1000)


class Cluster:
    """Everything but the operator. The same seed and the same calls give the same run."""

    def __init__(self, seed: int = 0, crd: JSON | None = None, epoch: datetime = EPOCH) -> None:
        self.clock = Clock(epoch)
        self.api = APIServer(self.clock, seed=seed)
        if crd is not None:
            self.api.create("customresourcedefinitions", crd)
        self.images = ImageRegistry()
        self.kubelets = Kubelets(self.clock, self.api, self.images, seed=seed)
        self.scheduler = Scheduler(self.clock, self.api)
        self.endpoints = EndpointController(self.clock, self.api)
        self.garbage_collector = GarbageCollector(self.clock, self.api)
        self.definition_finalizer = DefinitionFinalizer(self.clock, self.api)
        self.node_lifecycle = NodeLifecycle(self.clock, self.api, self.kubelets)
        self.taint_eviction = TaintEviction(self.clock, self.api, self.kubelets)
        self.pod_gc = PodGarbageCollector(self.clock, self.api)
        self._nodes = 0

    def add_node(
        self,
        name: str,
        *,
        cpu: str = "8",
        memory: str = "32Gi",
        pods: int = 110,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
        devices: Mapping[str, int] | None = None,
        zone: str | None = None,
    ) -> JSON:
        """A Ready node; `devices` are extended resources that a device plugin offers.

        `taints` are as in the API: key, effect, and value if there is one.
        """
        node = node_object(
            name,
            self._nodes,
            self.clock.timestamp(),
            cpu=cpu,
            memory=memory,
            pods=pods,
            labels=labels or {},
            taints=taints,
            devices=devices or {},
            zone=zone,
        )
        self._nodes += 1
        return self.api.create("nodes", node)

    def remove_node(self, name: str) -> None:
        """The Node object is deleted, and its kubelet is gone with it."""
        self.kubelets.stop(name)
        self.api.delete("nodes", "", name)

    def run_until(self, when: float) -> None:
        """Let everything happen that is due up to `when`, in seconds since the start."""
        self.clock.run_until(when)

    def settle(self, within: float = 3600.0) -> bool:
        """Run until nothing is written for QUIET_SECONDS; False if it was still busy."""
        end = self.clock.now + within
        while self.clock.now < end:
            before = self.api.resource_version
            self.clock.run_until(min(end, self.clock.now + QUIET_SECONDS))
            if self.api.resource_version == before:
                return True
        return False
