"""Fluent builders of API objects for tests; every call returns a new builder.

    performer("ml").gpu("nvidia-a100", 2).deadline(60).build()
    pod_of(performer("ml")).on("gpu-1").ready().build()
    node("gpu-1").label("accelerator", "nvidia-a100").offers("nvidia.com/gpu", 4).build()

Pods look as a real API server prints them, as far as the operator reads them.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, VERSION, PerformerSpec
from hourglass_operator.hardware.catalogue import Catalogue, load
from hourglass_operator.hardware.requirement import requirement
from hourglass_operator.resources import names
from hourglass_operator.resources.pod import build_pod, build_pod_spec
from hourglass_operator.resources.service import build_service
from hourglass_operator.resources.template import template_hash

NAMESPACE = "avs"
AVS = "0x1234567890abcdef1234567890abcdef12345678"
CATALOGUE: Catalogue = load()

_versions = iter(range(1, 10**9))


def _stamp(obj: JSON) -> JSON:
    """Every built object is newer than all built before it, as watch events are."""
    meta = {**obj["metadata"], "resourceVersion": str(next(_versions))}
    return {**obj, "metadata": meta}


def at(seconds: float) -> str:
    """Seconds since the Unix epoch as the API prints them."""
    return time.from_seconds(seconds)


@dataclass(frozen=True)
class PerformerBuilder:
    """A Performer that was created at `created` seconds."""

    name: str
    namespace: str = NAMESPACE
    uid: str = "uid-1"
    generation: int = 1
    created: float = 0.0
    deleted: float | None = None
    finalizers: tuple[str, ...] = (names.FINALIZER,)
    spec: JSON = field(default_factory=lambda: {"avsAddress": AVS, "image": "avs/performer:v1"})
    status: JSON = field(default_factory=lambda: {"phase": "Pending"})

    def image(self, image: str) -> Self:
        """Another image; the generation goes up, as with any change of the spec."""
        return self._spec(image=image)

    def version(self, version: str) -> Self:
        return self._spec(version=version)

    def gpu(self, gpu_type: str, count: int = 1) -> Self:
        return self._hardware(gpuType=gpu_type, gpuCount=count)

    def tee(self, tee_type: str | None = None) -> Self:
        named = {"teeType": tee_type} if tee_type else {}
        return self._hardware(teeRequired=True, **named)

    def custom_label(self, key: str, value: str) -> Self:
        return self._hardware(customLabels={key: value})

    def resources(self, **kinds: dict[str, str]) -> Self:
        return self._spec(resources=kinds)

    def config(self, **fields: Any) -> Self:
        return self._spec(config={**self.spec.get("config", {}), **fields})

    def scheduling(self, **fields: Any) -> Self:
        return self._spec(scheduling={**self.spec.get("scheduling", {}), **fields})

    def strategy(self, strategy: str) -> Self:
        return self._upgrade(type=strategy)

    def deadline(self, seconds: int) -> Self:
        return self._upgrade(progressDeadlineSeconds=seconds)

    def bare(self) -> Self:
        """Without the operator's finalizer, as a user creates it."""
        return replace(self, finalizers=())

    def held_by(self, *finalizers: str) -> Self:
        return replace(self, finalizers=finalizers)

    def deleting(self, at_seconds: float) -> Self:
        return replace(self, deleted=at_seconds)

    def with_status(self, **status: Any) -> Self:
        return replace(self, status={**self.status, **status})

    def with_uid(self, uid: str) -> Self:
        return replace(self, uid=uid)

    def _spec(self, **fields: Any) -> Self:
        return replace(self, spec={**self.spec, **fields}, generation=self.generation + 1)

    def _hardware(self, **fields: Any) -> Self:
        before = self.spec.get("hardwareRequirements", {})
        return self._spec(hardwareRequirements={**before, **fields})

    def _upgrade(self, **fields: Any) -> Self:
        return self._spec(upgradeStrategy={**self.spec.get("upgradeStrategy", {}), **fields})

    @property
    def typed(self) -> PerformerSpec:
        """The spec, typed."""
        return PerformerSpec.model_validate(self.spec)

    @property
    def hash(self) -> str:
        """The template hash of the spec."""
        return template_hash(self.typed)

    def service(self) -> JSON:
        """The Service that the operator makes for it."""
        body = build_service(self.name, self.namespace, self.uid, self.typed)
        return _stamp({**body, "metadata": {**body["metadata"], "uid": f"service-of-{self.uid}"}})

    def endpoints(self, *ready: str) -> JSON:
        """The EndpointSlice of its Service with these pods ready."""
        service = names.service_name(self.name)
        return _stamp(
            {
                "metadata": {
                    "name": f"{service}-abcde",
                    "namespace": self.namespace,
                    "labels": {"kubernetes.io/service-name": service},
                },
                "endpoints": [
                    {"targetRef": {"kind": "Pod", "name": pod}, "conditions": {"ready": True}}
                    for pod in ready
                ],
            }
        )

    def build(self) -> JSON:
        meta: JSON = {
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
            "generation": self.generation,
            "creationTimestamp": at(self.created),
            "finalizers": list(self.finalizers),
        }
        if self.deleted is not None:
            meta |= {"deletionTimestamp": at(self.deleted), "deletionGracePeriodSeconds": 0}
        return _stamp(
            {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": KIND,
                "metadata": meta,
                "spec": self.spec,
                "status": self.status,
            }
        )


def pod_spec_of(spec: PerformerSpec) -> JSON:
    """The PodSpec that a spec asks for."""
    return build_pod_spec(spec, requirement(spec, CATALOGUE))


def performer(name: str) -> PerformerBuilder:
    """A Performer that asks for nothing special."""
    return PerformerBuilder(name)


@dataclass(frozen=True)
class PodBuilder:
    """A pod of a Performer; not scheduled at first."""

    owner: PerformerBuilder
    attempt: int = 0
    created: float = 0.0
    deleted: float | None = None
    node: str = ""
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    conditions: tuple[JSON, ...] = ()
    state: JSON = field(default_factory=dict)
    last_state: JSON = field(default_factory=dict)
    restarts: int = 0
    dropped_labels: tuple[str, ...] = ()
    owned: bool = True
    controller: str = ""

    @property
    def name(self) -> str:
        return names.pod_name(self.owner.name, self.owner.hash, self.attempt)

    def number(self, attempt: int) -> Self:
        return replace(self, attempt=attempt)

    def born(self, at_seconds: float) -> Self:
        return replace(self, created=at_seconds)

    def unschedulable(self, message: str) -> Self:
        return self._condition(
            "PodScheduled", "False", self.created, reason="Unschedulable", message=message
        )

    def on(self, node: str) -> Self:
        """Bound to a node, the image being pulled or the container being made."""
        bound = replace(self, node=node)._condition("PodScheduled", "True", self.created)
        return bound._condition("Ready", "False", self.created)._waiting("ContainerCreating", "")

    def running(self, since: float) -> Self:
        """The container runs, but is not ready (yet)."""
        started = {"running": {"startedAt": at(since)}}
        return replace(self, phase="Running", state=started)

    def ready(self, since: float = 2.0) -> Self:
        return self.running(since)._condition("Ready", "True", since)

    def unready(self, since: float) -> Self:
        """It was ready and is no more, or not again."""
        return self._condition("Ready", "False", since, reason="ContainersNotReady")

    def waiting(self, reason: str, message: str = "") -> Self:
        """The container waits with a reason of the kubelet's."""
        return self._waiting(reason, message)

    def crashed(self, at_seconds: float, code: int = 1, reason: str = "Error") -> Self:
        """The container has ended and not been started again yet."""
        ended = {"terminated": _exit(at_seconds, code, reason)}
        return replace(self, phase="Running", state=ended).unready(at_seconds)

    def restarted(self, at_seconds: float, code: int = 1, reason: str = "Error") -> Self:
        """The container ended at this time and runs again since a second later, not ready yet."""
        ended = {"terminated": _exit(at_seconds, code, reason)}
        again = replace(self, last_state=ended, restarts=self.restarts + 1)
        return again.running(at_seconds + 1).unready(at_seconds)

    def crash_loop(self, at_seconds: float, code: int = 1) -> Self:
        """It ended again and again; the kubelet waits before the next start."""
        looping = self.restarted(at_seconds, code)
        said = "back-off 10s restarting failed container=performer pod=x"
        return looping._waiting("CrashLoopBackOff", said)

    def failed(self, reason: str, message: str = "") -> Self:
        """At its end by the kubelet's doing: evicted, or refused at admission."""
        return replace(self, phase="Failed", reason=reason, message=message)._condition(
            "Ready", "False", self.created
        )

    def disrupted(self, reason: str) -> Self:
        return self._condition("DisruptionTarget", "True", self.created, reason=reason)

    def deleting(self, until: float) -> Self:
        """Being deleted, its grace period ends at `until`."""
        return replace(self, deleted=until)

    def without_label(self, *keys: str) -> Self:
        return replace(self, dropped_labels=(*self.dropped_labels, *keys))

    def orphaned(self) -> Self:
        """Somebody removed its owner reference."""
        return replace(self, owned=False)

    def controlled_by(self, uid: str) -> Self:
        return replace(self, controller=uid)

    def _waiting(self, reason: str, message: str) -> Self:
        return replace(self, state={"waiting": {"reason": reason, "message": message}})

    def _condition(self, kind: str, status: str, since: float, **more: str) -> Self:
        others = tuple(c for c in self.conditions if c["type"] != kind)
        new = {"type": kind, "status": status, "lastTransitionTime": at(since), **more}
        return replace(self, conditions=(*others, new))

    def build(self) -> JSON:
        owner = self.owner
        body = build_pod(
            owner.name,
            owner.namespace,
            owner.uid,
            owner.typed.avs_address,
            owner.hash,
            self.attempt,
            pod_spec_of(owner.typed),
        )
        meta: JSON = {
            **body["metadata"],
            "uid": f"{self.name}-uid",
            "creationTimestamp": at(self.created),
        }
        meta["labels"] = {k: v for k, v in meta["labels"].items() if k not in self.dropped_labels}
        if not self.owned:
            del meta["ownerReferences"]
        elif self.controller:
            meta["ownerReferences"] = [{**meta["ownerReferences"][0], "uid": self.controller}]
        if self.deleted is not None:
            meta["deletionTimestamp"] = at(self.deleted)
        status: JSON = {"phase": self.phase, "conditions": list(self.conditions)}
        if self.reason:
            status |= {"reason": self.reason, "message": self.message}
        if self.state:
            status["containerStatuses"] = [
                {
                    "name": names.CONTAINER,
                    "state": self.state,
                    "lastState": self.last_state,
                    "restartCount": self.restarts,
                }
            ]
        spec = {**body["spec"], **({"nodeName": self.node} if self.node else {})}
        return _stamp({**body, "metadata": meta, "spec": spec, "status": status})


def pod_of(owner: PerformerBuilder) -> PodBuilder:
    """The first pod of a Performer's present template."""
    return PodBuilder(owner)


def _exit(at_seconds: float, code: int, reason: str) -> JSON:
    return {"exitCode": code, "reason": reason, "finishedAt": at(at_seconds)}


@dataclass(frozen=True)
class NodeBuilder:
    """A ready node without anything special."""

    name: str
    labels: JSON = field(default_factory=dict)
    allocatable: JSON = field(default_factory=lambda: {"cpu": "8", "memory": "32Gi"})
    taints: tuple[JSON, ...] = ()
    unschedulable: bool = False
    is_ready: bool = True

    def label(self, key: str, value: str) -> Self:
        return replace(self, labels={**self.labels, key: value})

    def offers(self, resource: str, count: int) -> Self:
        return replace(self, allocatable={**self.allocatable, resource: str(count)})

    def taint(self, key: str, value: str = "", effect: str = "NoSchedule") -> Self:
        return replace(self, taints=(*self.taints, {"key": key, "value": value, "effect": effect}))

    def cordoned(self) -> Self:
        return replace(self, unschedulable=True)

    def not_ready(self) -> Self:
        return replace(self, is_ready=False)

    def build(self) -> JSON:
        return _stamp(
            {
                "metadata": {"name": self.name, "labels": self.labels},
                "spec": {"taints": list(self.taints), "unschedulable": self.unschedulable},
                "status": {
                    "allocatable": self.allocatable,
                    "conditions": [
                        {"type": "Ready", "status": "True" if self.is_ready else "Unknown"}
                    ],
                },
            }
        )


def node(name: str) -> NodeBuilder:
    """A node that is ready and open."""
    return NodeBuilder(name)
