"""From cluster to conditions: each row of the conditions table as the operator comes to see it."""

import pytest

from builders import pod_of
from situations import (
    GPU,
    GPU_NODE,
    OLD,
    RUNNING,
    V1,
    V2,
    ConditionsCase,
    assert_conditions,
    assert_deciding_twice_comes_to_the_same,
    assert_written_once,
    bound,
    failed,
    pending,
)

SERVED_V1 = {"servingTemplateHash": V1.hash, "templateHash": V1.hash, "ready": True}
NO_GPU = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
# tests/goldens/scheduler
VICTIMS = "preemption: found a potential placement for pod on node gpu-1, preempting 1 victims"
NO_VICTIMS = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
UPGRADING = ("Upgrading", "True/PodReady", "True/UpgradeInProgress", "False/AsExpected")


def upgrading_with(reason: str) -> tuple[str, str, str, str]:
    return "Upgrading", "True/PodReady", "True/UpgradeInProgress", f"True/{reason}"


CASES = [
    ConditionsCase("no pod yet", V1, [], *pending("PodPending"), says="the pod is being created"),
    ConditionsCase(
        "no scheduling verdict yet",
        V1,
        [pod_of(V1)],
        *pending("PodPending"),
        says="waits for the scheduler",
    ),
    ConditionsCase(
        "less important pods make room, as 1.34 says it",
        GPU,
        [pod_of(GPU).unschedulable(NO_GPU).nominated_for("gpu-1")],
        *pending("PodPending"),
        nodes=[GPU_NODE],
        says="waits until others have made room on node gpu-1",
    ),
    ConditionsCase(
        "less important pods make room, as 1.37 says it",
        GPU,
        [pod_of(GPU).unschedulable(f"{NO_GPU} {VICTIMS}").nominated_for("gpu-1")],
        *pending("PodPending"),
        nodes=[GPU_NODE],
        says="waits until others have made room on node gpu-1",
    ),
    ConditionsCase(
        "no room is made any more",
        GPU,
        [pod_of(GPU).unschedulable(f"{NO_GPU} {NO_VICTIMS}")],
        *pending("HardwareUnavailable"),
        nodes=[GPU_NODE],
        says="used by pods of others",
    ),
    ConditionsCase(
        "starting", V1, [bound()], *pending("Scheduled"), says="is starting on node node-1"
    ),
    ConditionsCase(
        "ready but no endpoint yet",
        V1,
        [bound().ready()],
        "Pending",
        "False/EndpointsNotReady",
        "True/PodReady",
        "False/NotAvailable",
        says="is ready and joins Service performer-ml",
    ),
    ConditionsCase(
        "serving",
        V1,
        [OLD],
        *RUNNING,
        serving=[OLD],
        says="serves at performer-ml.avs.svc.cluster.local:9090",
    ),
    ConditionsCase(
        "progress deadline passed while starting",
        V1.with_status(templateHash=V1.hash, progressStartTime="1970-01-01T00:00:00Z"),
        [bound()],
        "Failed",
        "False/Scheduled",
        "False/ProgressDeadlineExceeded",
        "False/NotAvailable",
        says="is not ready: container performer has not started",
    ),
    ConditionsCase(
        "progress deadline passed without a pod",
        V1.with_status(templateHash=V1.hash, progressStartTime="1970-01-01T00:00:00Z"),
        [],
        "Failed",
        "False/PodPending",
        "False/ProgressDeadlineExceeded",
        "False/NotAvailable",
        says="the pod is being created",
    ),
    ConditionsCase(
        "one second before the progress deadline",
        V1.with_status(templateHash=V1.hash, progressStartTime="1970-01-01T00:06:41Z"),
        [bound()],
        *pending("Scheduled"),
        says="is starting",
    ),
    ConditionsCase(
        "the deadline of another template does not count",
        V1.with_status(templateHash="other", progressStartTime="1970-01-01T00:00:00Z"),
        [bound()],
        *pending("Scheduled"),
        says="is starting",
    ),
    ConditionsCase(
        "upgrade while the old pod serves",
        V2.with_status(**SERVED_V1),
        [OLD, bound(V2)],
        *UPGRADING,
        serving=[OLD],
        says="still serves at",
    ),
    ConditionsCase(
        "upgrade with nothing serving",
        V2.with_status(**SERVED_V1),
        [OLD.deleting(1010)],
        "Upgrading",
        "False/UpgradeInProgress",
        "True/UpgradeInProgress",
        "False/NotAvailable",
        says="the pod is being created",
    ),
    ConditionsCase(
        "upgrade that recreates and waits for the old pod",
        V2.strategy("Recreate").with_status(**SERVED_V1),
        [OLD.deleting(1010)],
        "Upgrading",
        "False/UpgradeInProgress",
        "True/UpgradeInProgress",
        "False/NotAvailable",
        says="waiting for the end of pod performer-ml",
    ),
    ConditionsCase(
        "upgrade whose new pod has a fault",
        V2.with_status(**SERVED_V1, progressStartTime="1970-01-01T00:16:00Z"),
        [OLD, bound(V2).waiting("ImagePullBackOff", "not found")],
        *upgrading_with("ImagePullFailed"),
        serving=[OLD],
        says="the upgrade is held up: the image cannot be pulled: not found",
    ),
    ConditionsCase(
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
    ConditionsCase(
        "failed upgrade with nothing serving",
        V2.with_status(**SERVED_V1),
        [bound(V2).waiting("ImagePullBackOff", "not found")],
        *failed("ImagePullFailed"),
        says="not found",
    ),
    ConditionsCase(
        "spec went back to the template that serves",
        V1.with_status(servingTemplateHash=V1.hash, templateHash=V2.hash),
        [OLD, bound(V2)],
        *RUNNING,
        serving=[OLD],
        says="serves at",
    ),
    ConditionsCase(
        "a change while nothing serves is no upgrade",
        V2.with_status(templateHash=V1.hash),
        [bound(V2)],
        *pending("Scheduled"),
        says="is starting",
    ),
    ConditionsCase(
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
    ConditionsCase(
        "serving on a node that still has its GPUs",
        GPU,
        [bound(GPU, "gpu-1").ready()],
        *RUNNING,
        serving=[bound(GPU, "gpu-1")],
        nodes=[GPU_NODE],
        says="serves at",
    ),
    ConditionsCase(
        "serving on shares of a GPU, as an older release or a label of those days let it",
        GPU,
        [bound(GPU, "gpu-1").ready()],
        *RUNNING,
        serving=[bound(GPU, "gpu-1")],
        nodes=[GPU_NODE.label("nvidia.com/gpu.sharing-strategy", "time-slicing")],
        says="serves at",
    ),
    ConditionsCase(
        "a spec that an older definition let in",
        V1.config(grpcPort=70000),
        [],
        *failed("PodRejected"),
        says="no pod can be made of spec.config.grpcPort",
        service=False,
    ),
    ConditionsCase(
        "a spec that an older definition let in while a pod serves",
        V1.config(grpcPort=70000).with_status(**SERVED_V1),
        [OLD],
        *upgrading_with("PodRejected"),
        serving=[OLD],
        says="no pod can be made of spec.config.grpcPort",
        service=V1,
    ),
    ConditionsCase(
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
def test_what_is_said_of(case: ConditionsCase) -> None:
    assert_conditions(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_deciding_twice_comes_to_the_same(case: ConditionsCase) -> None:
    assert_deciding_twice_comes_to_the_same(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_a_status_once_written_is_not_written_again(case: ConditionsCase) -> None:
    assert_written_once(case)
