"""A simulated cluster: API server, scheduler, kubelets and controllers on one virtual clock."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, own_objects
from hourglass_simulator.clock import EPOCH, Clock
from hourglass_simulator.controllers import DefinitionFinalizer
from hourglass_simulator.controllers.controllermanager import ControllerManager
from hourglass_simulator.controllers.flowschemas import FlowSchemas
from hourglass_simulator.controllers.informer import Informers
from hourglass_simulator.controllers.nodereports import LeaseReports
from hourglass_simulator.controllers.provisioner import Provisioner
from hourglass_simulator.kubelet import ImageRegistry, Kubelets, NodeLeases
from hourglass_simulator.kubernetes.version import DEFAULT, Version
from hourglass_simulator.node_object import node_object
from hourglass_simulator.nodepools.pool import NodePool
from hourglass_simulator.nodepools.pools import NodePools
from hourglass_simulator.scheduler import Scheduler

QUIET_SECONDS = 30.0
"""A cluster has settled when nothing was written for so long."""


_TRACKING = "kube-apiserver-legacy-service-account-token-tracking"
"""kube-controller-manager looks for it.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controlplane/controller/legacytokentracking/controller.go
"""

PARTS = ("kubelet", "scheduler", "controllers")
"""What a cluster can do without, for others to take its place."""


class LeftOutError(Exception):
    """What was asked for needs a part that the cluster was made without."""


class Cluster:
    """Everything but the operator. The same seed and the same calls give the same run.

    `managed_fields` as for the API server. `without`: which of `PARTS` do not run. Without kubelets
    nodes and pods stay as they are written by others, and nodes without a Lease are taken to be
    well; the controllers are those of kube-controller-manager. What the API server does and the
    provisioner of volumes are always there.
    """

    def __init__(
        self,
        seed: int = 0,
        crd: JSON | None = None,
        epoch: datetime = EPOCH,
        version: Version = DEFAULT,
        *,
        managed_fields: bool = False,
        without: Collection[str] = (),
    ) -> None:
        self.clock = Clock(epoch)
        self._managed_fields = managed_fields
        self.api = APIServer(self.clock, version, seed=seed, managed_fields=managed_fields)
        if crd is not None:
            self.api.create("customresourcedefinitions", crd)
        self.images = ImageRegistry()
        self._kubelets: Kubelets | None = None
        if "kubelet" not in without:
            self._kubelets = Kubelets(self.clock, self.api, self.images, seed=seed)
            NodeLeases(self.clock, self.api, self._kubelets)
        if "scheduler" not in without:
            Scheduler(self.clock, self.api, seed)
        DefinitionFinalizer(self.clock, self.api)
        informers = Informers(self.api)
        self._controllers: ControllerManager | None = None
        if "controllers" not in without:
            reports = self._kubelets or LeaseReports(self.clock, self.api)
            self._controllers = ControllerManager(self.clock, self.api, informers, reports)
        Provisioner(self.clock, self.api, informers)
        self.node_pools = NodePools(self, ())
        self._nodes = 0

    @property
    def kubelets(self) -> Kubelets:
        """The kubelets of all nodes; raises LeftOutError where others run them."""
        if self._kubelets is None:
            raise LeftOutError("the simulated cluster runs without kubelets")
        return self._kubelets

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
            kubelet_version=self.api.version.git_version,
        )
        self._nodes += 1
        return self.api.create("nodes", node)

    def add_node_pools(self, pools: Sequence[NodePool]) -> None:
        """Nodes that come and go by themselves from now on."""
        self.node_pools = NodePools(self, pools)

    def fill_namespaces(self) -> None:
        """From now on every namespace has an account `default` and the ConfigMap kube-root-ca.crt.

        Real clusters have them; scenarios that only look at Performers go without. They are made
        by controllers. What the API server itself makes is there too.
        """
        since = self.clock.timestamp()[:10]
        tracking = {"metadata": {"name": _TRACKING}, "data": {"since": since}}
        if not any(m["metadata"]["name"] == _TRACKING for m in self.api.list("configmaps").items):
            self.api.create(
                "configmaps", tracking, namespace="kube-system", user="system:apiserver"
            )
        own_objects.make(self.api, managed_fields=self._managed_fields)
        if self._controllers is not None:
            self._controllers.fill_namespaces()

    def control_flow(self) -> None:
        """From now on requests belong to FlowSchemas, those that every cluster has among them."""
        self.api.make_flow_control()
        FlowSchemas(self.clock, self.api, applies=self._managed_fields)

    def take_owners_to_exist(self, uids: Iterable[str]) -> None:
        """What these own is not collected, though they are not in this cluster."""
        if self._controllers is not None:
            self._controllers.garbage_collector.take_to_exist(uids)

    def remove_node(self, name: str) -> None:
        """The Node object is deleted, and its kubelet is gone with it."""
        if self._kubelets is not None:
            self._kubelets.stop(name)
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
