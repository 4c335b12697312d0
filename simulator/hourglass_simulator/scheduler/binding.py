"""What kube-scheduler writes before it binds a pod, and how it waits: PreBind.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/framework/plugins/volumebinding/binder.go
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.scheduler import volumematch
from hourglass_simulator.scheduler.decision import Decision
from hourglass_simulator.scheduler.devicebinding import DeviceBinding
from hourglass_simulator.scheduler.events import Events
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.snapshot import Snapshot
from hourglass_simulator.scheduler.volumes import BIND_COMPLETED, Bindings

_POLL, _TIMEOUT = 1.0, 600.0
_BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
_VOLUMES = 'running PreBind plugin "VolumeBinding": '
_DEVICES = 'running PreBind plugin "DynamicResources": '

Done = Callable[[str], None]
"""Called with what went wrong, or "" when the pod may be bound."""


class PreBindError(Exception):
    """The pod cannot be bound; kube-scheduler tries again later."""


@dataclass(slots=True)
class _Waiting:
    object: JSON
    pod: PodInfo
    decision: Decision
    since: float
    done: Done


class PreBind:
    """Writes bindings of volumes and allocations of devices, and waits for both."""

    def __init__(
        self, clock: Clock, api: APIServer, snapshot: Snapshot, events: Events, user: str
    ) -> None:
        self._clock = clock
        self._api = api
        self._snapshot = snapshot
        self._user = user
        self._events = events
        self.devices = DeviceBinding(clock, api, snapshot, user)
        self._waiting: dict[str, _Waiting] = {}

    def __contains__(self, uid: str) -> bool:
        return uid in self._waiting

    def begin(self, obj: JSON, pod: PodInfo, decision: Decision, done: Done) -> None:
        """Write what a decision needs; `done` is called now or when all is there.

        `obj` is the pod as the API server has it.
        """
        waiting = _Waiting(obj, pod, decision, self._clock.now, done)
        self._waiting[pod.uid] = waiting
        if self._api.version.enabled("NominatedNodeNameForExpectation"):
            self._expect(pod, decision.node or "")
        if not decision.bindings:
            self._allocate(waiting)
            return
        try:
            self._bind_volumes(pod, decision.bindings, decision.node or "")
        except (APIError, CallTimeoutError) as error:
            self._end(waiting, f"{_VOLUMES}{error}")
            return
        for name, allocation in decision.allocation.claims:
            if allocation is not None:
                self._snapshot.hold(pod.namespace, name, allocation)
        self._clock.after(_POLL, partial(self._poll, pod.uid))

    def _expect(self, pod: PodInfo, node: str) -> None:
        """Others, such as autoscalers, can see where the pod is going to be."""
        change = {"status": {"nominatedNodeName": node}}
        with suppress(APIError, CallTimeoutError):
            self._api.patch(
                "pods", pod.namespace, pod.name, change, subresource="status", user=self._user
            )

    def cancel(self, uid: str) -> None:
        """The pod is bound, or gone."""
        waiting = self._waiting.pop(uid, None)
        if waiting is not None:
            self._release(waiting)
        self.devices.end(uid)

    def undo(self, pod: PodInfo) -> None:
        """The pod is not bound after all."""
        self.devices.undo(pod)

    def _end(self, waiting: _Waiting, fault: str) -> None:
        self._release(waiting)
        del self._waiting[waiting.pod.uid]
        waiting.done(fault)

    def _release(self, waiting: _Waiting) -> None:
        for name, _ in waiting.decision.allocation.claims:
            self._snapshot.release(waiting.pod.namespace, name)

    def _allocate(self, waiting: _Waiting) -> None:
        self._release(waiting)

        def announce() -> None:
            self._events.waits_for_devices(waiting.object, waiting.decision.node or "")

        def done(fault: str) -> None:
            if self._waiting.get(waiting.pod.uid) is waiting:
                self._end(waiting, f"{_DEVICES}{fault}" if fault else "")

        self.devices.begin(waiting.pod, waiting.decision.allocation, announce, done)

    def _poll(self, uid: str) -> None:
        waiting = self._waiting.get(uid)
        if waiting is None:
            return
        try:
            bound = self._bound(waiting)
        except PreBindError as error:
            self._end(waiting, f"{_VOLUMES}binding volumes: {error}")
            return
        if bound:
            self._allocate(waiting)
        elif self._clock.now - waiting.since >= _TIMEOUT:
            self._end(waiting, f"{_VOLUMES}binding volumes: context deadline exceeded")
        else:
            self._clock.after(_POLL, partial(self._poll, uid))

    def _bind_volumes(self, pod: PodInfo, bindings: Bindings, node: str) -> None:
        listers = self._snapshot.listers
        for volume_name, claim_name in bindings.static:
            claim = listers["persistentvolumeclaims"].get(claim_name, pod.namespace)
            volume = listers["persistentvolumes"].get(volume_name)
            assert claim is not None
            assert volume is not None
            meta = claim["metadata"]
            reference = {
                "kind": "PersistentVolumeClaim",
                "apiVersion": "v1",
                **{key: meta[key] for key in ("namespace", "name", "uid", "resourceVersion")},
            }
            change: JSON = {"spec": {"claimRef": reference}}
            if volume["spec"].get("claimRef") is None:
                change["metadata"] = {"annotations": {_BOUND_BY_CONTROLLER: "yes"}}
            self._api.patch("persistentvolumes", "", volume_name, change, user=self._user)
        for claim_name in bindings.provision:
            change = {"metadata": {"annotations": {volumematch.SELECTED_NODE: node}}}
            self._api.patch(
                "persistentvolumeclaims", pod.namespace, claim_name, change, user=self._user
            )

    def _bound(self, waiting: _Waiting) -> bool:
        """Whether every claim is bound; raises PreBindError when none of it will come."""
        node, listers = waiting.decision.node or "", self._snapshot.listers
        info = self._snapshot.nodes.get(node)
        if info is None:
            raise PreBindError(f'failed to get node "{node}": node "{node}" not found')
        bindings, namespace = waiting.decision.bindings, waiting.pod.namespace
        for volume_name, claim_name in bindings.static:
            volume = listers["persistentvolumes"].get(volume_name)
            if volume is None:
                raise PreBindError(
                    f'failed to check binding: could not find v1.PersistentVolume "{volume_name}"'
                )
            if not volumematch.reaches(volume, info.view):
                raise PreBindError(
                    f'pv "{volume_name}" node affinity doesn\'t match node "{node}": no matching '
                    "NodeSelectorTerms"
                )
            if not (volume["spec"].get("claimRef") or {}).get("uid"):
                raise PreBindError(f'ClaimRef got reset for pv "{volume_name}"')
            if not self._claim_is_bound(namespace, claim_name):
                return False
        for claim_name in bindings.provision:
            claim = listers["persistentvolumeclaims"].get(claim_name, namespace)
            if claim is None:
                raise PreBindError(
                    "failed to check provisioning pvc: could not find v1.PersistentVolumeClaim "
                    f'"{namespace}/{claim_name}"'
                )
            annotations = claim["metadata"].get("annotations")
            if annotations is None:
                raise PreBindError(f'selectedNode annotation reset for PVC "{claim_name}"')
            if annotations.get(volumematch.SELECTED_NODE) != node:
                raise PreBindError(f'provisioning failed for PVC "{claim_name}"')
            if not self._claim_is_bound(namespace, claim_name):
                return False
        return True

    def _claim_is_bound(self, namespace: str, name: str) -> bool:
        claim = self._snapshot.listers["persistentvolumeclaims"].get(name, namespace)
        if claim is None:
            raise PreBindError(
                "failed to check binding: could not find v1.PersistentVolumeClaim "
                f'"{namespace}/{name}"'
            )
        annotations = claim["metadata"].get("annotations") or {}
        return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in annotations
