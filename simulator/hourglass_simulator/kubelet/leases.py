"""Kubelets renew Leases, for a node controller that is not the simulated one.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go
"""

from datetime import UTC, datetime

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet.kubelets import Kubelets

NAMESPACE = "kube-node-lease"
DURATION_SECONDS = 40
RENEW_SECONDS = 10.0


class NodeLeases:
    """One Lease for each node whose kubelet reports."""

    def __init__(self, clock: Clock, api: APIServer, kubelets: Kubelets) -> None:
        self._clock = clock
        self._api = api
        self._kubelets = kubelets
        clock.after(RENEW_SECONDS, self._renew_all)

    def _renew_all(self) -> None:
        for node in self._kubelets.reporting():
            try:
                self._renew(node)
            except (APIError, CallTimeoutError):
                # The next round is soon enough.
                continue
        self._clock.after(RENEW_SECONDS, self._renew_all)

    def _renew(self, node: JSON) -> None:
        name = node["metadata"]["name"]
        user = f"system:node:{name}"
        now = _micro_time(self._clock.unix_time)
        change: JSON = {"spec": {"renewTime": now}}
        try:
            self._api.patch("leases", NAMESPACE, name, change, user=user)
        except APIError as error:
            if error.code != 404:
                raise
            lease = _lease(node, now)
            self._api.create("leases", lease, namespace=NAMESPACE, user=user)


def _lease(node: JSON, now: str) -> JSON:
    meta = node["metadata"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": meta["name"], "uid": meta["uid"]}
    return {
        "metadata": {"name": meta["name"], "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": meta["name"],
            "leaseDurationSeconds": DURATION_SECONDS,
            "renewTime": now,
        },
    }


def _micro_time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
