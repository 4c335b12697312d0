"""What is said of a pod that containers of others, or its gates, keep from being Ready."""

import pytest

from builders import has_crashed, pod_of, runs, waiting
from situations import (
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

PULL = 'failed to pull and unpack image "docker.io/istio/proxyv2:1": not found'
BACK_OFF = waiting("ImagePullBackOff", f'Back-off pulling image "x": ErrImagePull: {PULL}')
SERVER_RUNS = bound().running(10).container_is_ready()
NAME = bound().name

CASES = [
    ConditionsCase(
        "the image of a sidecar is missing",
        V1,
        [SERVER_RUNS.with_container("istio-proxy", **BACK_OFF)],
        *failed("ImagePullFailed"),
        says="the image of container istio-proxy cannot be pulled: failed to pull",
    ),
    ConditionsCase(
        "a sidecar crashes again and again",
        V1,
        [
            SERVER_RUNS.with_container(
                "istio-proxy", **{**has_crashed(900, 3), **waiting("CrashLoopBackOff")}
            )
        ],
        *failed("ContainerFailed"),
        says=f"container istio-proxy ended with exit code 3 (Error); its log says more: kubectl "
        f"logs {NAME} -n avs -c istio-proxy --previous",
    ),
    ConditionsCase(
        "a sidecar has been started again after a crash and is not ready yet",
        V1,
        [SERVER_RUNS.with_container("istio-proxy", **has_crashed(900))],
        *pending("ContainerFailed"),
        says="container istio-proxy ended with exit code 1",
    ),
    ConditionsCase(
        "a sidecar cannot be created",
        V1,
        [SERVER_RUNS.with_container("proxy", **waiting("CreateContainerConfigError", "no key"))],
        *failed("ContainerFailed"),
        says="container proxy cannot be started: CreateContainerConfigError: no key",
    ),
    ConditionsCase(
        "a sidecar has lost its readiness",
        V1,
        [bound().ready(10).unready(900).container_is_ready().with_container("proxy", **runs(10))],
        *pending("PodNotReady"),
        says=f"container proxy of pod {NAME} on node node-1 runs but fails its readiness probe",
    ),
    ConditionsCase(
        "a native sidecar has lost its readiness",
        V1,
        [
            bound()
            .ready(10)
            .unready(900)
            .container_is_ready()
            .with_init("proxy", sidecar=True, **runs(5))
        ],
        *pending("PodNotReady"),
        says=f"container proxy of pod {NAME} on node node-1 runs but fails its readiness probe",
    ),
    ConditionsCase(
        "the image of an init container is missing",
        V1,
        [bound().with_init("istio-init", **BACK_OFF)],
        *failed("ImagePullFailed"),
        says="the image of init container istio-init cannot be pulled: failed to pull",
    ),
    ConditionsCase(
        "an init container crashes again and again",
        V1,
        [
            bound().with_init(
                "istio-init", **{**has_crashed(900, 126), **waiting("CrashLoopBackOff")}
            )
        ],
        *failed("ContainerFailed"),
        says="init container istio-init ended with exit code 126",
    ),
    ConditionsCase(
        "an init container that has failed runs again",
        V1,
        [bound().with_init("istio-init", **has_crashed(900, 126))],
        *pending("ContainerFailed"),
        says="init container istio-init ended with exit code 126",
    ),
    ConditionsCase(
        "an init container that has ended is no matter any more",
        V1,
        [bound().with_init("istio-init").waiting("ImagePullBackOff", "no such image")],
        *failed("ImagePullFailed"),
        says="the image cannot be pulled: no such image",
    ),
    ConditionsCase(
        "everything is wrong at once",
        V1,
        [
            bound()
            .crash_loop(900)
            .with_container("proxy", **BACK_OFF)
            .with_container("logs", **waiting("ErrImagePull", "no such image"))
        ],
        *failed("ImagePullFailed"),
        says="the container ended with exit code 1 (Error); its log says more: kubectl logs"
        f" {NAME} -n avs --previous; the image of container proxy cannot be pulled: {PULL};"
        " the image of container logs cannot be pulled: no such image",
    ),
    ConditionsCase(
        "a sidecar has just started",
        V1,
        [SERVER_RUNS.with_container("proxy", **runs(10))],
        *pending("Scheduled"),
        says="is starting on node node-1",
    ),
    ConditionsCase(
        "an init container runs again in a pod that was ready",
        V1,
        [bound().ready(10).unready(900).with_init("istio-init", **runs(10)).initializing()],
        *pending("Scheduled"),
        says="is starting on node node-1",
    ),
    ConditionsCase(
        "a scheduling gate",
        V1,
        [pod_of(V1).held_by_gates("kueue.x-k8s.io/admission")],
        *pending("SchedulingGated"),
        says=f"pod {NAME} is held back by scheduling gate kueue.x-k8s.io/admission",
    ),
    ConditionsCase(
        "a scheduling gate of the successor of a pod that was deleted by hand",
        V1,
        [bound().ready().deleting(1030), pod_of(V1).number(1).held_by_gates("queue")],
        *pending("SchedulingGated"),
        says="is held back by scheduling gate queue",
    ),
    ConditionsCase(
        "several scheduling gates during an upgrade",
        V2,
        [bound().ready(), pod_of(V2).held_by_gates("a", "b")],
        "Upgrading",
        "True/PodReady",
        "True/UpgradeInProgress",
        "False/AsExpected",
        serving=[bound().ready()],
        says="is held back by scheduling gates a, b",
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
