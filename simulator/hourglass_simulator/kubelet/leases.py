"""Kubelets renew Leases: whenever somebody looks at them, so that it costs nothing otherwise.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go
"""

from datetime import UTC, datetime

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.apiserver.calls import Call
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet.kubelets import Kubelets

LEASES, NAMESPACE = "leases", "kube-node-lease"
DURATION_SECONDS = 40
RENEW_SECONDS = 10.0


class NodeLeases:
    """One Lease for each node, which says when its kubelet reported last.

    An interceptor of the API server: before Leases are read they are brought up to date, and as
    long as they are watched they are renewed every ten seconds.
    """

    def __init__(self, clock: Clock, api: APIServer, kubelets: Kubelets) -> None:
        self._clock = clock
        self._api = api
        self._kubelets = kubelets
        self._renewed: dict[str, float] = {}
        """Of each node's uid, which renewal has been written."""
        self._ticking = False
        api.interceptors.append(self)

    def before(self, call: Call) -> None:
        """Bring up to date what is about to be read."""
        if call.resource != LEASES or call.mutating or call.namespace not in ("", NAMESPACE):
            return
        self._renew_all()
        if call.verb == "watch" and not self._ticking:
            self._ticking = True
            self._clock.after(RENEW_SECONDS, self._tick)

    def after(self, call: Call) -> None:
        """Nothing is left to do."""

    def _tick(self) -> None:
        self._ticking = self._api.watched(LEASES)
        if self._ticking:
            self._renew_all()
            self._clock.after(RENEW_SECONDS, self._tick)

    def _renew_all(self) -> None:
        for node in self._kubelets.nodes():
            meta = node["metadata"]
            last = self._kubelets.heartbeat(meta["name"]) // RENEW_SECONDS * RENEW_SECONDS
            if self._renewed.get(meta["uid"]) == last:
                continue
            try:
                self._renew(node, last)
            except (APIError, CallTimeoutError):
                # The next time is soon enough.
                continue
            self._renewed[meta["uid"]] = last

    def _renew(self, node: JSON, when: float) -> None:
        name = node["metadata"]["name"]
        user = f"system:node:{name}"
        time = _micro_time(self._clock.unix_time - self._clock.now + when)
        change: JSON = {"spec": {"renewTime": time}}
        try:
            self._api.patch(LEASES, NAMESPACE, name, change, user=user)
        except APIError as error:
            if error.code != 404:
                raise
            lease = _lease(node, time)
            self._api.create(LEASES, lease, namespace=NAMESPACE, user=user)


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
