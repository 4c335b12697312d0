"""What kube-scheduler writes of a pod's devices before it binds it, and how it waits for them.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.scheduler import bindingconditions, extendedresources
from hourglass_simulator.scheduler.devices import Allocation, Extended
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.snapshot import Snapshot

_POLL, _TIMEOUT = 5.0, 600.0
_FINALIZER = "resource.kubernetes.io/delete-protection"

Done = Callable[[str], None]
"""Called with what went wrong, or "" when the devices are ready."""


class DeviceBinding:
    """Writes allocations, and takes them back where a pod is not bound after all."""

    def __init__(self, clock: Clock, api: APIServer, snapshot: Snapshot, user: str) -> None:
        self._clock = clock
        self._api = api
        self._snapshot = snapshot
        self._user = user
        self._waits_late = api.version.enabled("DRADeviceBindingConditions")
        self._written: dict[str, list[str]] = {}
        """Claims by the uid of the pod whose they are."""

    def begin(
        self, pod: PodInfo, allocation: Allocation, announce: Callable[[], None], done: Done
    ) -> None:
        """Write what a decision needs; `done` is called now or when the devices are ready.

        `announce` is called if they have to be waited for.
        """
        self._written[pod.uid] = [name for name, _ in allocation.claims]
        waits = list(allocation.waits)
        try:
            for name, allocated in allocation.claims:
                self._reserve(pod, name, allocated)
            if allocation.extended:
                made = self._create(pod, allocation.extended)
                if bindingconditions.any_of(allocation.extended.allocation):
                    waits.append(made)
        except (APIError, CallTimeoutError) as error:
            done(str(error))
            return
        if waits:
            announce()
            self._poll(pod, waits, self._clock.now, done)
        else:
            done("")

    def end(self, uid: str) -> None:
        """The pod is bound, or gone."""
        self._written.pop(uid, None)

    def undo(self, pod: PodInfo) -> None:
        """The pod is not bound after all: Unreserve."""
        for name in self._written.pop(pod.uid, ()):
            with suppress(APIError, CallTimeoutError):
                claim = self._api.get("resourceclaims", pod.namespace, name, user=self._user)
                if extendedresources.is_of(claim, pod.uid):
                    self.delete(pod.namespace, name)
                elif any(user["uid"] == pod.uid for user in _users(claim)):
                    users = [user for user in _users(claim) if user["uid"] != pod.uid]
                    status = {**claim["status"], "reservedFor": users}
                    self._api.set_status("resourceclaims", pod.namespace, name, status, self._user)

    def deallocate(self, namespace: str, name: str) -> None:
        """Take the allocation of a claim back that serves nobody where it is."""
        self._api.set_status("resourceclaims", namespace, name, {}, self._user)

    def delete(self, namespace: str, name: str) -> None:
        """A claim for extended resources is not needed."""
        self._finalizers(namespace, name, None)
        self._api.delete("resourceclaims", namespace, name, user=self._user)

    def _reserve(self, pod: PodInfo, name: str, allocation: JSON | None) -> None:
        space = pod.namespace
        claim = self._api.get("resourceclaims", space, name, user=self._user)
        finalizers = claim["metadata"].get("finalizers") or []
        if allocation is not None and _FINALIZER not in finalizers:
            claim = self._finalizers(space, name, [*finalizers, _FINALIZER])
        status: JSON = dict(claim.get("status") or {})
        if allocation is not None:
            status["allocation"] = allocation
        if self._waits_late and "allocationTimestamp" not in status["allocation"]:
            moment = {"allocationTimestamp": self._clock.timestamp()}
            status["allocation"] = {**status["allocation"], **moment}
        user = {"resource": "pods", "name": pod.name, "uid": pod.uid}
        status["reservedFor"] = [*_users(claim), user]
        self._api.set_status("resourceclaims", space, name, status, self._user)

    def _create(self, pod: PodInfo, extended: Extended) -> str:
        """The claim for extended resources: its name."""
        meta = extended.claim["metadata"]
        given = {key: meta[key] for key in ("generateName", "ownerReferences", "annotations")}
        new = {"metadata": given, "spec": extended.claim["spec"]}
        made = self._api.create("resourceclaims", new, namespace=pod.namespace, user=self._user)
        name: str = made["metadata"]["name"]
        self._written[pod.uid].append(name)
        self._reserve(pod, name, extended.allocation)
        status = {"requestMappings": list(extended.mappings), "resourceClaimName": name}
        change = {"status": {"extendedResourceClaimStatus": status}}
        self._api.patch(
            "pods", pod.namespace, pod.name, change, subresource="status", user=self._user
        )
        return name

    def _finalizers(self, namespace: str, name: str, finalizers: list[str] | None) -> JSON:
        change = {"metadata": {"finalizers": finalizers}}
        return self._api.patch(
            "resourceclaims",
            namespace,
            name,
            change,
            "application/merge-patch+json",
            user=self._user,
        )

    def _poll(self, pod: PodInfo, names: list[str], since: float, done: Done) -> None:
        if pod.uid not in self._written:
            return
        claims = []
        for name in names:
            claim = self._snapshot.listers["resourceclaims"].get(name, pod.namespace)
            if claim is None:
                done(f'resourceclaim.resource.k8s.io "{name}" not found')
                return
            claims.append(claim)
        if fault := next(filter(None, map(bindingconditions.failure, claims)), ""):
            done(fault)
        elif all(map(bindingconditions.ready, claims)):
            done("")
        elif self._clock.now - since >= _TIMEOUT:
            late = (c for c in claims if not bindingconditions.ready(c))
            self._snapshot.never_bound.update(claim["metadata"]["uid"] for claim in late)
            done("device binding timeout: context deadline exceeded")
        else:
            self._clock.after(_POLL, partial(self._poll, pod, names, since, done))


def _users(claim: JSON) -> list[JSON]:
    return list((claim.get("status") or {}).get("reservedFor") or ())
