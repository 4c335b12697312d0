"""What is said of a pod that does not come to serve, and of one that ended."""

import pytest

from builders import node, performer, pod_of
from hourglass_kube.types import JSON
from situations import (
    GPU,
    GPU_NODE,
    V1,
    ConditionsCase,
    assert_conditions,
    assert_deciding_twice_comes_to_the_same,
    assert_written_once,
    bound,
    failed,
    pending,
)

TEE = performer("ml").tee("sgx")
INSUFFICIENT = "0/2 nodes are available: 1 Insufficient nvidia.com/gpu."
UNMATCHED = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
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
    ConditionsCase(
        "no node has the GPU",
        GPU,
        [pod_of(GPU).unschedulable(UNMATCHED)],
        *pending("HardwareUnavailable"),
        says="needs 2 × nvidia-a100",
    ),
    ConditionsCase(
        "the GPUs are in use by pods of others",
        GPU,
        [pod_of(GPU).unschedulable(INSUFFICIENT)],
        *pending("HardwareUnavailable"),
        nodes=[GPU_NODE],
        says="used by pods of others",
    ),
    ConditionsCase(
        "the GPUs are free but the CPU is not",
        GPU,
        [pod_of(GPU).unschedulable("0/1 nodes are available: 1 Insufficient cpu.")],
        *pending("SchedulingFailed"),
        nodes=[GPU_NODE],
        says="Insufficient cpu",
    ),
    ConditionsCase(
        "no node matches a plain selector",
        V1,
        [pod_of(V1).unschedulable(UNMATCHED)],
        *pending("SchedulingFailed"),
        says="didn't match Pod's node affinity/selector",
    ),
    ConditionsCase(
        "the TEE is missing",
        TEE,
        [pod_of(TEE).unschedulable(UNMATCHED)],
        *pending("HardwareUnavailable"),
        says="needs TEE sgx",
    ),
    ConditionsCase(
        "the first image pull failed",
        V1,
        [bound().waiting("ErrImagePull", PULL)],
        *pending("ImagePullFailed"),
        says="the image cannot be pulled: failed to pull",
    ),
    ConditionsCase(
        "image pulls back off",
        V1,
        [bound().waiting("ImagePullBackOff", f'Back-off pulling image "x": ErrImagePull: {PULL}')],
        *failed("ImagePullFailed"),
        says="the image cannot be pulled: failed to pull",
    ),
    ConditionsCase(
        "the image name is invalid",
        V1,
        [bound().waiting("InvalidImageName", "couldn't parse")],
        *failed("ImagePullFailed"),
        says="couldn't parse",
    ),
    ConditionsCase(
        "the image must never be pulled",
        V1,
        [bound().waiting("ErrImageNeverPull", "not present with pull policy of Never")],
        *failed("ImagePullFailed"),
        says="pull policy of Never",
    ),
    ConditionsCase(
        "a pull is tried again after it was given up",
        V1.with_status(**STILL_FAILED),
        [bound().waiting("ErrImagePull", PULL)],
        *failed("ImagePullFailed"),
        says="failed to pull",
    ),
    ConditionsCase(
        "a pull of another pod is tried for the first time",
        V1.with_status(**{**STILL_FAILED, "podName": "another"}),
        [bound().waiting("ErrImagePull", PULL)],
        *pending("ImagePullFailed"),
        says="failed to pull",
    ),
    ConditionsCase(
        "the image came after the pull was given up",
        V1.with_status(**STILL_FAILED),
        [bound().running(900)],
        *pending("Scheduled"),
        says="is starting",
    ),
    ConditionsCase(
        "the container ended once",
        V1,
        [bound().crashed(900)],
        *pending("ContainerFailed"),
        says="ended with exit code 1 (Error)",
    ),
    ConditionsCase(
        "the container runs again after its first end",
        V1,
        [bound().restarted(900)],
        *pending("ContainerFailed"),
        says="exit code 1",
    ),
    ConditionsCase(
        "crash loop",
        V1,
        [bound().crash_loop(900, code=137)],
        *failed("ContainerFailed"),
        says="exit code 137",
    ),
    ConditionsCase(
        "between two crashes of a crash loop",
        V1.with_status(**CRASH_FAILED),
        [bound().restarted(900)],
        *failed("ContainerFailed"),
        says="exit code 1",
    ),
    ConditionsCase(
        "a secret is missing",
        V1,
        [bound().waiting("CreateContainerConfigError", 'secret "api" not found')],
        *failed("ContainerFailed"),
        says='CreateContainerConfigError: secret "api" not found',
    ),
    ConditionsCase(
        "the command does not exist",
        V1,
        [bound().waiting("RunContainerError", "no such file")],
        *failed("ContainerFailed"),
        says="no such file",
    ),
    ConditionsCase(
        "the container has ended, which a busy kubelet reported late",
        V1,
        [bound().crashed(900).unready(960)],
        *pending("ContainerFailed"),
        says="ended with exit code 1 (Error)",
    ),
    ConditionsCase(
        "the container ended seconds before a busy kubelet called the pod unready",
        V1,
        [bound().restarted(900).unready(905)],
        *pending("ContainerFailed"),
        says="exit code 1",
    ),
    ConditionsCase(
        "the container ended longer before the pod was called unready",
        V1,
        [bound().restarted(900).unready(906)],
        *pending("PodNotReady"),
        says="fails its readiness probe",
    ),
    ConditionsCase(
        "readiness lost",
        V1,
        [bound().ready(10).unready(900)],
        *pending("PodNotReady"),
        says="fails its readiness probe",
    ),
    ConditionsCase(
        "readiness lost long after a restart",
        V1,
        [bound().restarted(10).ready(20).unready(900)],
        *pending("PodNotReady"),
        says="fails its readiness probe",
    ),
    ConditionsCase(
        "its node is not ready",
        V1,
        [bound().ready(10).unready(900)],
        *pending("PodLost"),
        nodes=[node("node-1").not_ready()],
        says="node node-1 of pod performer-ml",
    ),
    ConditionsCase(
        "its node is gone",
        V1,
        [bound().ready(10).unready(900)],
        *pending("PodLost"),
        nodes=[],
        says="is gone",
    ),
    ConditionsCase(
        "evicted by the kubelet",
        V1,
        [bound().born(995).failed("Evicted", "The node was low on resource: memory.")],
        *pending("PodLost"),
        says="(Evicted): The node was low on resource",
    ),
    ConditionsCase(
        "drained",
        V1,
        [bound().ready().disrupted("EvictionByEvictionAPI").deleting(1030)],
        *pending("PodLost"),
        says="was lost (EvictionByEvictionAPI)",
    ),
    ConditionsCase(
        "deleted by hand while its successor waits for the scheduler",
        V1,
        [bound().ready().deleting(1030), pod_of(V1).number(1)],
        *pending("PodLost"),
        says="was lost (deleted)",
    ),
    ConditionsCase(
        "deleted by hand while its successor starts",
        V1,
        [bound().ready().deleting(1030), bound().number(1)],
        *pending("Scheduled"),
        says="is starting",
    ),
    ConditionsCase(
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
    ConditionsCase(
        "out of a device at admission",
        GPU,
        [bound(GPU, "gpu-1").born(995).failed("OutOfnvidia.com/gpu", "Node didn't have enough")],
        *pending("HardwareUnavailable"),
        nodes=[GPU_NODE],
        says="Node didn't have enough",
    ),
    ConditionsCase(
        "out of CPU at admission is no matter of hardware",
        V1,
        [bound().born(995).failed("OutOfcpu", "Node didn't have enough")],
        *pending("PodLost"),
        says="OutOfcpu",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_what_is_said_of(case: ConditionsCase) -> None:
    assert_conditions(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_deciding_twice_comes_to_the_same(case: ConditionsCase) -> None:
    assert_deciding_twice_comes_to_the_same(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_a_status_once_written_is_not_written_again(case: ConditionsCase) -> None:
    assert_written_once(case)
