"""Everything that kube-controller-manager runs.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/cmd/kube-controller-manager/app/controllermanager.go
"""

from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.cronjob import CronJobController
from hourglass_simulator.controllers.daemonset import DaemonSetController
from hourglass_simulator.controllers.deployment import DeploymentController
from hourglass_simulator.controllers.devicetainteviction import DeviceTaintEviction
from hourglass_simulator.controllers.endpoints import EndpointController
from hourglass_simulator.controllers.ephemeralvolume import EphemeralVolumeController
from hourglass_simulator.controllers.garbage import GarbageCollector
from hourglass_simulator.controllers.informer import Informers
from hourglass_simulator.controllers.job import JobController
from hourglass_simulator.controllers.namespace_contents import NamespaceContents
from hourglass_simulator.controllers.namespaces import NamespaceController
from hourglass_simulator.controllers.nodelifecycle import NodeLifecycle
from hourglass_simulator.controllers.nodereports import NodeReports
from hourglass_simulator.controllers.persistentvolumes import PersistentVolumeBinder
from hourglass_simulator.controllers.poddisruptionbudget import PodDisruptionBudgetController
from hourglass_simulator.controllers.podgc import PodGarbageCollector
from hourglass_simulator.controllers.replicaset import (
    REPLICATION_CONTROLLER,
    ReplicaSetController,
)
from hourglass_simulator.controllers.resourceclaims import ResourceClaimController
from hourglass_simulator.controllers.resourcequota import ResourceQuotaController
from hourglass_simulator.controllers.roleaggregation import RoleAggregation
from hourglass_simulator.controllers.statefulset import StatefulSetController
from hourglass_simulator.controllers.tainteviction import TaintEviction
from hourglass_simulator.controllers.ttlafterfinished import TTLAfterFinishedController
from hourglass_simulator.controllers.volumeprotection import VolumeProtection


class ControllerManager:
    """Runs the controllers; they do nothing as long as there are no objects of theirs."""

    def __init__(
        self, clock: Clock, api: APIServer, informers: Informers, reports: NodeReports
    ) -> None:
        self._clock = clock
        self._api = api
        ResourceClaimController(clock, api)
        EndpointController(clock, api)
        self.garbage_collector = GarbageCollector(clock, api)
        NamespaceController(clock, api)
        NodeLifecycle(clock, api, reports)
        TaintEviction(clock, api, reports)
        if api.version.enabled("DRADeviceTaintRules"):
            DeviceTaintEviction(clock, api)
        PodGarbageCollector(clock, api)
        ResourceQuotaController(clock, api)
        RoleAggregation(clock, api)
        ReplicaSetController(clock, api, informers)
        ReplicaSetController(clock, api, informers, REPLICATION_CONTROLLER)
        DeploymentController(clock, api, informers)
        StatefulSetController(clock, api, informers)
        DaemonSetController(clock, api, informers)
        JobController(clock, api, informers)
        CronJobController(clock, api, informers)
        TTLAfterFinishedController(clock, api, informers)
        PodDisruptionBudgetController(clock, api, informers)
        EphemeralVolumeController(clock, api, informers)
        PersistentVolumeBinder(clock, api, informers)
        VolumeProtection(clock, api, informers)

    def fill_namespaces(self) -> None:
        """From now on every namespace has what NamespaceContents makes."""
        NamespaceContents(self._clock, self._api)
