"""A simulated cluster: API server, scheduler, kubelets and controllers on one virtual clock."""

import gc
import hashlib
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
from hourglass_simulator.kubelet.kubelets import good_conditions
from hourglass_simulator.scheduler import Scheduler

KUBERNETES = "v1.34.4"
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


def node_object(
    name: str,
    number: int,
    now: str,
    *,
    cpu: str,
    memory: str,
    pods: int,
    labels: Mapping[str, str],
    taints: Sequence[Mapping[str, str]],
    devices: Mapping[str, int],
    zone: str | None,
) -> JSON:
    """A Node as a kubelet registers it; the `number` decides its address."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    own = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    if zone is not None:
        own["topology.kubernetes.io/zone"] = zone
        own["topology.kubernetes.io/region"] = zone.rstrip("abcdef").rstrip("-")
    offered = {resource: str(count) for resource, count in devices.items()}
    resources = {
        "cpu": cpu,
        "ephemeral-storage": "100Gi",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": memory,
        "pods": str(pods),
        **offered,
    }
    spec: JSON = {"taints": [dict(taint) for taint in taints]} if taints else {}
    high, low = divmod(number, 250)
    return {
        "metadata": {"name": name, "labels": {**own, **labels}},
        "spec": spec,
        "status": {
            "addresses": [
                {"address": f"192.168.{high}.{low + 1}", "type": "InternalIP"},
                {"address": name, "type": "Hostname"},
            ],
            "allocatable": resources,
            "capacity": resources,
            "conditions": good_conditions(now),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "images": [],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": digest[:32],
                "containerRuntimeVersion": "containerd://1.6.20",
                "kernelVersion": "6.1.0",
                "kubeProxyVersion": "",
                "kubeletVersion": KUBERNETES,
                "machineID": digest[32:],
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "systemUUID": digest[32:],
            },
        },
    }
