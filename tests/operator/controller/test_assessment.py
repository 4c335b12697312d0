"""From cluster to conditions: each row of the conditions table as the operator comes to see it."""

from dataclasses import dataclass, field

import pytest

from builders import NodeBuilder, PerformerBuilder, PodBuilder, node, performer, pod_of
from hourglass_kube.types import JSON
from hourglass_operator.controller import Settings
from scene import conditions_of, scene, status_of

NOW = 1000.0
V1 = performer("ml")
V2 = V1.image("avs/performer:v2")
GPU = performer("ml").gpu("nvidia-a100", 2)
TEE = performer("ml").tee("sgx")
GPU_NODE = node("gpu-1").label("accelerator", "nvidia-a100").offers("nvidia.com/gpu", 4)
SERVED_V1 = {"servingTemplateHash": V1.hash, "templateHash": V1.hash, "ready": True}
INSUFFICIENT = "0/2 nodes are available: 1 Insufficient nvidia.com/gpu."
UNMATCHED = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
# Statuses are written without the delay that lets changes settle.
AT_ONCE = Settings(status_delay=0.0)


@dataclass(frozen=True)
class Case:
    """A cluster and what is to be said of the Performer in it."""

    situation: str
    performer: PerformerBuilder
    pods: list[PodBuilder]
    phase: str
    available: str
    progressing: str
    degraded: str
    says: str
    serving: list[PodBuilder] = field(default_factory=list)
    nodes: list[NodeBuilder] = field(default_factory=lambda: [node("node-1")])
    now: float = NOW
    service: bool = True


def pending(reason: str) -> tuple[str, str, str, str]:
    return "Pending", f"False/{reason}", f"True/{reason}", "False/NotAvailable"


def failed(reason: str) -> tuple[str, str, str, str]:
    return "Failed", f"False/{reason}", f"False/{reason}", "False/NotAvailable"


RUNNING = ("Running", "True/PodReady", "False/ServiceReady", "False/AsExpected")
UPGRADING = ("Upgrading", "True/PodReady", "True/UpgradeInProgress", "False/AsExpected")


def upgrading_with(reason: str) -> tuple[str, str, str, str]:
    return "Upgrading", "True/PodReady", "True/UpgradeInProgress", f"True/{reason}"


def bound(owner: PerformerBuilder = V1, node_name: str = "node-1") -> PodBuilder:
    return pod_of(owner).on(node_name)


OLD = bound().ready()
PULL = 'failed to pull and unpack image "docker.io/avs/performer:v1": not found'


def failed_before(reason: str) -> JSON:
    """The stored status of a Performer whose pod was called broken for this reason."""
    progressing = {
        "type": "Progressing",
        "status": "False",
        "reason": reason,
        "message": "",
        "lastTransitionTime": "1970-01-01T00:00:00Z",
    }
    return {"podName": bound().name, "conditions": [progressing]}


STILL_FAILED = failed_before("ImagePullFailed")
CRASH_FAILED = failed_before("ContainerFailed")

CASES = [
    Case("no pod yet", V1, [], *pending("PodPending"), says="the pod is being created"),
    Case(
        "no scheduling verdict yet",
        V1,
        [pod_of(V1)],
        *pending("PodPending"),
        says="waits for the scheduler",
    ),
    Case("starting", V1, [bound()], *pending("Scheduled"), says="is starting on node node-1"),
    Case(
        "ready but no endpoint yet",
        V1,
        [bound().ready()],
        "Pending",
        "False/EndpointsNotReady",
        "True/PodReady",
        "False/NotAvailable",
        says="is ready and joins Service performer-ml",
    ),
    Case(
        "serving",
        V1,
        [OLD],
        *RUNNING,
        serving=[OLD],
        says="serves at performer-ml.avs.svc.cluster.local:9090",
    ),
    Case(
        "no node has the GPU",
        GPU,
        [pod_of(GPU).unschedulable(UNMATCHED)],
        *pending("HardwareUnavailable"),
        says="needs 2 × nvidia-a100",
    ),
    Case(
        "the GPUs are in use by pods of others",
        GPU,
        [pod_of(GPU).unschedulable(INSUFFICIENT)],
        *pending("HardwareUnavailable"),
        nodes=[GPU_NODE],
        says="used by pods of others",
    ),
    Case(
        "the GPUs are free but the CPU is not",
        GPU,
        [pod_of(GPU).unschedulable("0/1 nodes are available: 1 Insufficient cpu.")],
        *pending("SchedulingFailed"),
        nodes=[GPU_NODE],
        says="Insufficient cpu",
    ),
    Case(
        "no node matches a plain selector",
        V1,
        [pod_of(V1).unschedulable(UNMATCHED)],
        *pending("SchedulingFailed"),
        says="didn't match Pod's node affinity/selector",
    ),
    Case(
        "the TEE is missing",
        TEE,
        [pod_of(TEE).unschedulable(UNMATCHED)],
        *pending("HardwareUnavailable"),
        says="needs TEE sgx",
    ),
    Case(
        "the first image pull failed",
        V1,
        [bound().waiting("ErrImagePull", PULL)],
        *pending("ImagePullFailed"),
        says="the image cannot be pulled: failed to pull",
    ),
    Case(
        "image pulls back off",
        V1,
        [bound().waiting("ImagePullBackOff", f'Back-off pulling image "x": ErrImagePull: {PULL}')],
        *failed("ImagePullFailed"),
        says="the image cannot be pulled: failed to pull",
    ),
    Case(
        "the image name is invalid",
        V1,
        [bound().waiting("InvalidImageName", "couldn't parse")],
        *failed("ImagePullFailed"),
        says="couldn't parse",
    ),
    Case(
        "the image must never be pulled",
        V1,
        [bound().waiting("ErrImageNeverPull", "not present with pull policy of Never")],
        *failed("ImagePullFailed"),
        says="pull policy of Never",
    ),
    Case(
        "a pull is tried again after it was given up",
        V1.with_status(**STILL_FAILED),
        [bound().waiting("ErrImagePull", PULL)],
        *failed("ImagePullFailed"),
        says="failed to pull",
    ),
    Case(
        "a pull of another pod is tried for the first time",
        V1.with_status(**{**STILL_FAILED, "podName": "another"}),
        [bound().waiting("ErrImagePull", PULL)],
        *pending("ImagePullFailed"),
        says="failed to pull",
    ),
    Case(
        "the image came after the pull was given up",
        V1.with_status(**STILL_FAILED),
        [bound().running(900)],
        *pending("Scheduled"),
        says="is starting",
    ),
    Case(
        "the container ended once",
        V1,
        [bound().crashed(900)],
        *pending("ContainerFailed"),
        says="ended with exit code 1 (Error)",
    ),
    Case(
        "the container runs again after its first end",
        V1,
        [bound().restarted(900)],
        *pending("ContainerFailed"),
        says="exit code 1",
    ),
    Case(
        "crash loop",
        V1,
        [bound().crash_loop(900, code=137)],
        *failed("ContainerFailed"),
        says="exit code 137",
    ),
    Case(
        "between two crashes of a crash loop",
        V1.with_status(**CRASH_FAILED),
        [bound().restarted(900)],
        *failed("ContainerFailed"),
        says="exit code 1",
    ),
    Case(
        "a secret is missing",
        V1,
        [bound().waiting("CreateContainerConfigError", 'secret "api" not found')],
        *failed("ContainerFailed"),
        says='CreateContainerConfigError: secret "api" not found',
    ),
    Case(
        "the command does not exist",
        V1,
        [bound().waiting("RunContainerError", "no such file")],
        *failed("ContainerFailed"),
        says="no such file",
    ),
    Case(
        "readiness lost",
        V1,
        [bound().ready(10).unready(900)],
        *pending("PodNotReady"),
        says="fails its readiness probe",
    ),
    Case(
        "readiness lost long after a restart",
        V1,
        [bound().restarted(10).ready(20).unready(900)],
        *pending("PodNotReady"),
        says="fails its readiness probe",
    ),
    Case(
        "its node is not ready",
        V1,
        [bound().ready(10).unready(900)],
        *pending("PodLost"),
        nodes=[node("node-1").not_ready()],
        says="node node-1 of pod performer-ml",
    ),
    Case(
        "its node is gone",
        V1,
        [bound().ready(10).unready(900)],
        *pending("PodLost"),
        nodes=[],
        says="is gone",
    ),
    Case(
        "evicted by the kubelet",
        V1,
        [bound().born(995).failed("Evicted", "The node was low on resource: memory.")],
        *pending("PodLost"),
        says="(Evicted): The node was low on resource",
    ),
    Case(
        "drained",
        V1,
        [bound().ready().disrupted("EvictionByEvictionAPI").deleting(1030)],
        *pending("PodLost"),
        says="was lost (EvictionByEvictionAPI)",
    ),
    Case(
        "deleted by hand while its successor waits for the scheduler",
        V1,
        [bound().ready().deleting(1030), pod_of(V1).number(1)],
        *pending("PodLost"),
        says="was lost (deleted)",
    ),
    Case(
        "deleted by hand while its successor starts",
        V1,
        [bound().ready().deleting(1030), bound().number(1)],
        *pending("Scheduled"),
        says="is starting",
    ),
    Case(
        "refused for want of a device",
        GPU,
        [
            bound(GPU, "gpu-1")
            .born(995)
            .failed("UnexpectedAdmissionError", "Allocate failed due to requested number")
        ],
        *pending("HardwareUnavailable"),
        nodes=[GPU_NODE],
        says="node gpu-1 refused pod",
    ),
    Case(
        "out of a device at admission",
        GPU,
        [bound(GPU, "gpu-1").born(995).failed("OutOfnvidia.com/gpu", "Node didn't have enough")],
        *pending("HardwareUnavailable"),
        nodes=[GPU_NODE],
        says="Node didn't have enough",
    ),
    Case(
        "out of CPU at admission is no matter of hardware",
        V1,
        [bound().born(995).failed("OutOfcpu", "Node didn't have enough")],
        *pending("PodLost"),
        says="OutOfcpu",
    ),
    Case(
        "progress deadline passed while starting",
        V1.with_status(templateHash=V1.hash, progressStartTime="1970-01-01T00:00:00Z"),
        [bound()],
        "Failed",
        "False/Scheduled",
        "False/ProgressDeadlineExceeded",
        "False/NotAvailable",
        says="is starting",
    ),
    Case(
        "one second before the progress deadline",
        V1.with_status(templateHash=V1.hash, progressStartTime="1970-01-01T00:06:41Z"),
        [bound()],
        *pending("Scheduled"),
        says="is starting",
    ),
    Case(
        "the deadline of another template does not count",
        V1.with_status(templateHash="other", progressStartTime="1970-01-01T00:00:00Z"),
        [bound()],
        *pending("Scheduled"),
        says="is starting",
    ),
    Case(
        "upgrade while the old pod serves",
        V2.with_status(**SERVED_V1),
        [OLD, bound(V2)],
        *UPGRADING,
        serving=[OLD],
        says="still serves at",
    ),
    Case(
        "upgrade with nothing serving",
        V2.with_status(**SERVED_V1),
        [OLD.deleting(1010)],
        "Upgrading",
        "False/UpgradeInProgress",
        "True/UpgradeInProgress",
        "False/NotAvailable",
        says="waiting for the end of pod",
    ),
    Case(
        "upgrade whose new pod has a fault",
        V2.with_status(**SERVED_V1, progressStartTime="1970-01-01T00:16:00Z"),
        [OLD, bound(V2).waiting("ImagePullBackOff", "not found")],
        *upgrading_with("ImagePullFailed"),
        serving=[OLD],
        says="the upgrade is held up: the image cannot be pulled: not found",
    ),
    Case(
        "upgrade whose new pod has a fault after the deadline",
        V2.with_status(
            servingTemplateHash=V1.hash,
            templateHash=V2.hash,
            progressStartTime="1970-01-01T00:00:00Z",
        ),
        [OLD, bound(V2).waiting("ImagePullBackOff", "not found")],
        "Upgrading",
        "True/PodReady",
        "False/ProgressDeadlineExceeded",
        "True/ImagePullFailed",
        serving=[OLD],
        says="not found",
    ),
    Case(
        "failed upgrade with nothing serving",
        V2.with_status(**SERVED_V1),
        [bound(V2).waiting("ImagePullBackOff", "not found")],
        *failed("ImagePullFailed"),
        says="not found",
    ),
    Case(
        "spec went back to the template that serves",
        V1.with_status(servingTemplateHash=V1.hash, templateHash=V2.hash),
        [OLD, bound(V2)],
        *RUNNING,
        serving=[OLD],
        says="serves at",
    ),
    Case(
        "a change while nothing serves is no upgrade",
        V2.with_status(templateHash=V1.hash),
        [bound(V2)],
        *pending("Scheduled"),
        says="is starting",
    ),
    Case(
        "serving on a node that lost its GPUs",
        GPU,
        [bound(GPU, "gpu-1").ready()],
        "Running",
        "True/PodReady",
        "False/ServiceReady",
        "True/HardwareUnavailable",
        serving=[bound(GPU, "gpu-1")],
        nodes=[GPU_NODE.offers("nvidia.com/gpu", 1)],
        says="node gpu-1 no longer offers 2 × nvidia-a100",
    ),
    Case(
        "serving on a node that still has its GPUs",
        GPU,
        [bound(GPU, "gpu-1").ready()],
        *RUNNING,
        serving=[bound(GPU, "gpu-1")],
        nodes=[GPU_NODE],
        says="serves at",
    ),
    Case(
        "a spec that an older definition let in",
        V1.config(grpcPort=70000),
        [],
        *failed("PodRejected"),
        says="no pod can be made of spec.config.grpcPort",
        service=False,
    ),
    Case(
        "a spec that an older definition let in while a pod serves",
        V1.config(grpcPort=70000).with_status(**SERVED_V1),
        [OLD],
        *upgrading_with("PodRejected"),
        serving=[OLD],
        says="no pod can be made of spec.config.grpcPort",
        service=False,
    ),
    Case(
        "deleting",
        V1.deleting(999),
        [OLD],
        "Terminating",
        "False/Terminating",
        "True/Terminating",
        "False/NotAvailable",
        serving=[OLD],
        says="waiting for the end of pod performer-ml",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_what_is_said_of(case: Case) -> None:
    staged = scene(
        case.performer,
        *case.pods,
        serving=case.serving,
        nodes=case.nodes,
        service=case.service,
        settings=AT_ONCE,
    )
    status = status_of(staged.plan(case.now), case.performer.status)
    found = conditions_of(status)
    assert (status["phase"], found["Available"], found["Progressing"], found["Degraded"]) == (
        case.phase,
        case.available,
        case.progressing,
        case.degraded,
    )
    assert case.says in status["conditions"][-1]["message"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_deciding_twice_comes_to_the_same(case: Case) -> None:
    staged = scene(
        case.performer,
        *case.pods,
        serving=case.serving,
        nodes=case.nodes,
        service=case.service,
    )
    assert staged.plan(case.now) == staged.plan(case.now)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_a_status_once_written_is_not_written_again(case: Case) -> None:
    def plan(performer: PerformerBuilder, now: float) -> dict[str, object]:
        staged = scene(
            performer,
            *case.pods,
            serving=case.serving,
            nodes=case.nodes,
            service=case.service,
            settings=AT_ONCE,
        )
        return next(
            (w.body["status"] for w in staged.plan(now).writes if w.subresource == "status"), {}
        )

    written = plan(case.performer, case.now)
    merged = {k: v for k, v in {**case.performer.status, **written}.items() if v is not None}
    assert plan(case.performer.with_status(**merged), case.now) == {}
