"""Kubelets, device plugins, images and how containers behave."""

from hourglass_simulator.kubelet.images import ImageRegistry
from hourglass_simulator.kubelet.kubelets import Kubelets
from hourglass_simulator.kubelet.leases import NodeLeases
from hourglass_simulator.kubelet.workload import Workload

__all__ = ["ImageRegistry", "Kubelets", "NodeLeases", "Workload"]
