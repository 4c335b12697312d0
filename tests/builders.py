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
from hourglass_operator.resources import go_operator, names
from hourglass_operator.resources.budget import build_budget
from hourglass_operator.resources.claim import build_template, with_claim
from hourglass_operator.resources.pod import build_pod, build_pod_spec
from hourglass_operator.resources.service import build_service
from hourglass_operator.resources.template import former_hash, template_hash

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
    annotations: JSON = field(default_factory=dict)
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

    def allocation(self, allocation: str) -> Self:
        """How it is given its GPUs."""
        return self._hardware(allocation=allocation)

    def on_unhealthy(self, policy: str) -> Self:
        return self._hardware(onUnhealthy=policy)

    def custom_label(self, key: str, value: str) -> Self:
        return self._hardware(customLabels={key: value})

    def resources(self, **kinds: Any) -> Self:
        return self._spec(resources=kinds)

    def config(self, **fields: Any) -> Self:
        return self._spec(config={**self.spec.get("config", {}), **fields})

    def scheduling(self, **fields: Any) -> Self:
        return self._spec(scheduling={**self.spec.get("scheduling", {}), **fields})

    def strategy(self, strategy: str) -> Self:
        return self._upgrade(type=strategy)

    def deadline(self, seconds: int) -> Self:
        return self._upgrade(progressDeadlineSeconds=seconds)

    def min_ready(self, seconds: int) -> Self:
        return self._upgrade(minReadySeconds=seconds)

    def move_first(self, seconds: int | None = None) -> Self:
        """Another pod serves before this one's is evicted; it waits for that at most so long."""
        wait = {} if seconds is None else {"maxWaitSeconds": seconds}
        return self._spec(disruption={"policy": "MoveFirst", **wait})

    def annotated(self, key: str, value: str) -> Self:
        return replace(self, annotations={**self.annotations, key: value})

    def budget(self, **spec: Any) -> JSON:
        """Its PodDisruptionBudget, with these fields of the spec otherwise."""
        budget = build_budget(self.name, self.namespace, self.uid, self.spec["avsAddress"])
        metadata = {**budget["metadata"], "uid": f"budget-of-{self.uid}"}
        return _stamp({**budget, "metadata": metadata, "spec": {**budget["spec"], **spec}})

    def template(self, **metadata: Any) -> JSON:
        """The ResourceClaimTemplate by which its pods claim their devices."""
        needed = requirement(self.typed, CATALOGUE)
        assert needed is not None
        assert needed.claim is not None
        body = build_template(self.name, self.namespace, self.uid, needed.claim)
        uid = f"template-of-{self.uid}"
        return _stamp({**body, "metadata": {**body["metadata"], "uid": uid, **metadata}})

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
                    "ownerReferences": [
                        {"kind": "Service", "uid": f"service-of-{self.uid}", "controller": True}
                    ],
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
        if self.annotations:
            meta["annotations"] = self.annotations
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


def published(node: str, *devices: JSON, driver: str = "gpu.nvidia.com", **spec: Any) -> JSON:
    """A ResourceSlice: the only one of the node's pool."""
    pool = {"name": node, "generation": 1, "resourceSliceCount": 1}
    said = {"driver": driver, "nodeName": node, "pool": pool, "devices": list(devices), **spec}
    return _stamp({"metadata": {"name": f"{node}-{driver}"}, "spec": said})


def device(name: str, product: str, *taints: JSON, memory: str = "40Gi", **more: str) -> JSON:
    """A whole GPU as NVIDIA's driver publishes it."""
    said = {"type": "gpu", "productName": product, "uuid": f"GPU-{name}", **more}
    attributes = {key: {"string": value} for key, value in said.items()}
    capacity = {"memory": {"value": memory}}
    found = {"name": name, "attributes": attributes, "capacity": capacity}
    return {**found, "taints": list(taints)} if taints else found


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
    container_ready: bool = False
    init: tuple[JSON, ...] = ()
    beside: tuple[JSON, ...] = ()
    more_spec: JSON = field(default_factory=dict)
    dropped_labels: tuple[str, ...] = ()
    annotations: JSON = field(default_factory=dict)
    unhealthy: tuple[tuple[str, tuple[str, ...]], ...] = ()
    owned: bool = True
    controller: str = ""
    finalizers: tuple[str, ...] = ()
    priority: int = 0
    preemption: str = "PreemptLowerPriority"
    nominated: str = ""
    of_earlier_release: bool = False
    holds: JSON | None = None
    observed: bool = True

    @property
    def name(self) -> str:
        return names.pod_name(self.owner.name, self.template_hash, self.attempt)

    @property
    def template_hash(self) -> str:
        typed = self.owner.typed
        return former_hash(typed) if self.of_earlier_release else template_hash(typed)

    def made_by_earlier_release(self) -> Self:
        """By one whose template hash covers CPU and memory, and that notes nothing on the pod."""
        return replace(self, of_earlier_release=True)

    def has(self, **kinds: dict[str, str]) -> Self:
        """The kubelet says that the container has these resources."""
        return replace(self, holds=kinds)

    def unobserved(self) -> Self:
        """The kubelet has not seen the present spec yet."""
        return replace(self, observed=False)

    def number(self, attempt: int) -> Self:
        return replace(self, attempt=attempt)

    def born(self, at_seconds: float) -> Self:
        return replace(self, created=at_seconds)

    def unschedulable(self, message: str) -> Self:
        return self._condition(
            "PodScheduled", "False", self.created, reason="Unschedulable", message=message
        )

    def nominated_for(self, node: str) -> Self:
        """Less important pods make room for it on a node."""
        return replace(self, nominated=node)

    def waits_for(self, scheduler: str) -> Self:
        return replace(self, more_spec={**self.more_spec, "schedulerName": scheduler})

    def on(self, node: str) -> Self:
        """Bound to a node, the image being pulled or the container being made."""
        bound = replace(self, node=node)._condition("PodScheduled", "True", self.created)
        return bound._condition("Ready", "False", self.created)._waiting("ContainerCreating", "")

    def running(self, since: float) -> Self:
        """The container runs, but is not ready (yet)."""
        started = {"running": {"startedAt": at(since)}}
        return replace(self, phase="Running", state=started)

    def ready(self, since: float = 2.0) -> Self:
        serves = replace(self.running(since), container_ready=True)
        return serves._condition("Ready", "True", since)

    def with_container(self, name: str, **status: Any) -> Self:
        """A container of others, `ready` unless its status says otherwise."""
        return replace(self, beside=(*self.beside, _status(name, status)))

    def with_init(self, name: str, *, sidecar: bool = False, **status: Any) -> Self:
        """An init container of others; `performer` waits for it until it has been made to run."""
        spec = {"name": name, "image": "x", **({"restartPolicy": "Always"} if sidecar else {})}
        others = self.more_spec.get("initContainers", ())
        more = {**self.more_spec, "initContainers": [*others, spec]}
        waits = self if "running" in self.state else self.initializing()
        return replace(waits, init=(*self.init, _status(name, status)), more_spec=more)

    def initializing(self) -> Self:
        """The container `performer` waits for init containers."""
        return self._waiting("PodInitializing", "")

    def held_by_gates(self, *gates: str) -> Self:
        """Not to be scheduled yet."""
        gated = {"schedulingGates": [{"name": gate} for gate in gates]}
        return replace(self, more_spec={**self.more_spec, **gated})._condition(
            "PodScheduled", "False", self.created, reason="SchedulingGated"
        )

    def waits_for_readiness(self, *gates: str) -> Self:
        """All containers are ready, the readiness gates are not met."""
        asked = {"readinessGates": [{"conditionType": gate} for gate in gates]}
        waits = replace(self, container_ready=True, more_spec={**self.more_spec, **asked})
        return waits._condition("Ready", "False", self.created, reason="ReadinessGatesNotReady")

    def without_sandbox(self) -> Self:
        return self._condition("PodReadyToStartContainers", "False", self.created)

    def condition(self, kind: str, status: str, reason: str = "", message: str = "") -> Self:
        """A condition as the kubelet or somebody else has set it when the pod was created."""
        return self._condition(kind, status, self.created, reason=reason, message=message)

    def container_is_ready(self) -> Self:
        """The container `performer` is; whether the pod is Ready is another matter."""
        return replace(self, container_ready=True)

    def unready(self, since: float) -> Self:
        """It was ready and is no more, or not again."""
        again = replace(self, container_ready=False)
        return again._condition("Ready", "False", since, reason="ContainersNotReady")

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

    def important(self, priority: int, preemption: str = "PreemptLowerPriority") -> Self:
        """With the priority that admission has given it."""
        return replace(self, priority=priority, preemption=preemption)

    def kept_by(self, *finalizers: str) -> Self:
        """Finalizers of others."""
        return replace(self, finalizers=finalizers)

    def succeeded(self) -> Self:
        """Its containers have ended, as after SIGTERM."""
        return replace(self, phase="Succeeded")._condition("Ready", "False", self.created)

    def without_label(self, *keys: str) -> Self:
        return replace(self, dropped_labels=(*self.dropped_labels, *keys))

    def holds_unhealthy(self, *devices: str, resource: str = "nvidia.com/gpu") -> Self:
        """Its kubelet says that these of its devices are unhealthy."""
        return replace(self, unhealthy=(*self.unhealthy, (resource, devices)))

    def annotated(self, key: str, value: str) -> Self:
        return replace(self, annotations={**self.annotations, key: value})

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
            self.template_hash,
            self.attempt,
            pod_spec_of(owner.typed),
        )
        if self.of_earlier_release:
            body["metadata"].pop("annotations", None)
        needed = requirement(owner.typed, CATALOGUE)
        if needed is not None and needed.claim is not None:
            body = with_claim(body, owner.name, needed.claim)
        meta: JSON = {
            **body["metadata"],
            "uid": f"{self.name}-uid",
            "creationTimestamp": at(self.created),
        }
        meta["labels"] = {k: v for k, v in meta["labels"].items() if k not in self.dropped_labels}
        if self.annotations:
            meta["annotations"] = {**meta.get("annotations", {}), **self.annotations}
        if not self.owned:
            del meta["ownerReferences"]
        elif self.controller:
            meta["ownerReferences"] = [{**meta["ownerReferences"][0], "uid": self.controller}]
        if self.deleted is not None:
            meta["deletionTimestamp"] = at(self.deleted)
        if self.finalizers:
            meta["finalizers"] = list(self.finalizers)
        status: JSON = {"phase": self.phase, "conditions": list(self.conditions)}
        if not self.observed:
            meta["generation"], status["observedGeneration"] = 2, 1
        if self.nominated:
            status["nominatedNodeName"] = self.nominated
        if self.reason:
            status |= {"reason": self.reason, "message": self.message}
        if self.state:
            status["containerStatuses"] = [
                {
                    "name": names.CONTAINER,
                    "ready": self.container_ready,
                    "state": self.state,
                    "lastState": self.last_state,
                    "restartCount": self.restarts,
                    **({} if self.holds is None else {"resources": self.holds}),
                    "allocatedResourcesStatus": [
                        {
                            "name": resource,
                            "resources": [
                                {"resourceID": "well", "health": "Healthy"},
                                *({"resourceID": one, "health": "Unhealthy"} for one in devices),
                            ],
                        }
                        for resource, devices in self.unhealthy
                    ],
                },
                *self.beside,
            ]
        if self.init:
            status["initContainerStatuses"] = list(self.init)
        bound = {"nodeName": self.node} if self.node else {}
        priority = {"priority": self.priority, "preemptionPolicy": self.preemption}
        spec = {**body["spec"], **self.more_spec, **priority, **bound}
        return _stamp({**body, "metadata": meta, "spec": spec, "status": status})


class GoPodBuilder(PodBuilder):
    """The pod that the Go operator makes for a Performer."""

    @property
    def name(self) -> str:
        return names.service_name(self.owner.name)

    def build(self) -> JSON:
        built = super().build()
        labels = {
            "app": go_operator.APP,
            names.PERFORMER_LABEL: self.owner.name,
            names.AVS_LABEL: AVS,
        }
        return {**built, "metadata": {**built["metadata"], "name": self.name, "labels": labels}}


def go_pod_of(owner: PerformerBuilder) -> GoPodBuilder:
    """The Go operator's pod of a Performer."""
    return GoPodBuilder(owner)


def pod_of(owner: PerformerBuilder) -> PodBuilder:
    """The first pod of a Performer's present template."""
    return PodBuilder(owner)


def waiting(reason: str, message: str = "") -> JSON:
    """Parts of the status of a container that waits."""
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def runs(since: float) -> JSON:
    """Parts of the status of a container that runs and is not ready."""
    return {"state": {"running": {"startedAt": at(since)}}}


def has_crashed(at_seconds: float, code: int = 1) -> JSON:
    """Parts of the status of a container that has been started again since."""
    last = {"terminated": _exit(at_seconds, code, "Error")}
    return {**runs(at_seconds + 1), "lastState": last, "restartCount": 1}


def _status(name: str, parts: JSON) -> JSON:
    return {"name": name, "ready": not parts, "state": {}, "lastState": {}, **parts}


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
    conditions: tuple[tuple[str, str], ...] = ()

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

    def condition(self, kind: str, status: str) -> Self:
        return replace(self, conditions=(*self.conditions, (kind, status)))

    def build(self) -> JSON:
        conditions = [("Ready", "True" if self.is_ready else "Unknown"), *self.conditions]
        return _stamp(
            {
                "metadata": {"name": self.name, "labels": self.labels},
                "spec": {"taints": list(self.taints), "unschedulable": self.unschedulable},
                "status": {
                    "allocatable": self.allocatable,
                    "conditions": [{"type": kind, "status": said} for kind, said in conditions],
                },
            }
        )


def node(name: str) -> NodeBuilder:
    """A node that is ready and open."""
    return NodeBuilder(name)
