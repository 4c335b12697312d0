"""What node controllers know of kubelets: when each reported, and its pods."""

from collections.abc import Callable
from typing import Protocol

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet.leases import NAMESPACE


class NodeReports(Protocol):
    """Of all nodes."""

    on_silence: list[Callable[[str], None]]
    """Called with the name of a node whose report may have been the last one for now."""

    def heartbeat(self, node: str) -> float:
        """When a node's kubelet reported last, in seconds of the clock; now if it is well."""

    def pods(self, node: str) -> list[JSON]:
        """The pods bound to a node."""


class LeaseReports:
    """Of kubelets that others run: they report by renewing a Lease each.

    A node that never had a Lease is well: nobody says otherwise.
    https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats
    """

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self.on_silence: list[Callable[[str], None]] = []
        self._clock = clock
        self._api = api
        self._heartbeats: dict[str, float] = {}
        api.watch("leases", sink=self._lease)

    def heartbeat(self, node: str) -> float:
        """When a node's Lease was renewed last, in seconds of the clock."""
        return self._heartbeats.get(node, self._clock.now)

    def pods(self, node: str) -> list[JSON]:
        """The pods bound to a node."""
        return self._api.list("pods", field_selector=f"spec.nodeName={node}").items

    def _lease(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        if meta["namespace"] == NAMESPACE and event.type != "DELETED":
            self._heartbeats[meta["name"]] = self._clock.now
            for observer in self.on_silence:
                observer(meta["name"])
