"""What webhooks of others add to a pod: sidecars, init containers and gates, reported truthfully.

The pods' conditions are those that the simulated kubelet is tested to give
(tests/simulator/kubelet/test_several_containers.py).
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from admission import patching_pods
from clusters import Cluster, wait_until
from conftest import PERFORMER_IMAGE, ClusterReport
from hourglass_kube.types import JSON
from operators import Performers
from operators.namespace_state import ready_condition

NAME = "one"
GATE = "kueue.x-k8s.io/admission"
TARGET_HEALTH = "target-health.elbv2.k8s.aws"
SIDECAR: JSON = {
    "name": "istio-proxy",
    "image": PERFORMER_IMAGE,
    "args": ["--port=19090", "--control-port=19091"],
    "readinessProbe": {"tcpSocket": {"port": 19090}, "periodSeconds": 1},
}
NEVER_READY = {**SIDECAR, "args": [*SIDECAR["args"], "--never-listen"]}
INIT: JSON = {"name": "istio-init", "image": PERFORMER_IMAGE}

Inject = Callable[[Sequence[JSON]], AbstractContextManager[None]]


@pytest.fixture
def inject(cluster: Cluster, performers: Performers, tmp_path: Path) -> Inject:
    """Register a webhook that changes new pods of the namespace by a JSON patch."""
    if cluster.provider != "native":
        pytest.skip(f"the API server of {cluster.provider} does not reach the test's webhook")
    return lambda patch: patching_pods(cluster, performers.namespace, tmp_path, patch)


@pytest.fixture
def said(performers: Performers, cluster_report: ClusterReport) -> Iterator[list[str]]:
    """What the Performer was waited to say; the run shows it at its end."""
    lines: list[str] = []
    yield lines
    for line in lines:
        cluster_report.add(f"injected: {line.replace(performers.namespace, 'NAMESPACE')}")


def beside(container: JSON) -> list[JSON]:
    return [{"op": "add", "path": "/spec/containers/-", "value": container}]


def before(container: JSON) -> list[JSON]:
    return [{"op": "add", "path": "/spec/initContainers", "value": [container]}]


def not_ready(*names: str) -> str:
    return f"ContainersNotReady: containers with unready status: [{' '.join(names)}]"


def not_initialized(name: str) -> str:
    return f"ContainersNotInitialized: containers with incomplete status: [{name}]"


TROUBLES: list[tuple[str, list[JSON], str, str, dict[str, str]]] = [
    (
        "a sidecar whose image is missing",
        beside({"name": "istio-proxy", "image": "localhost/nobody-has-this:v1"}),
        "Failed/ImagePullFailed",
        r"the image of container istio-proxy cannot be pulled: .*localhost/nobody-has-this:v1",
        {"Ready": not_ready("istio-proxy"), "Initialized": ""},
    ),
    (
        "a sidecar that never becomes ready",
        beside(NEVER_READY),
        "Pending/PodNotReady",
        r"is not ready: container istio-proxy runs but is not ready",
        {"Ready": not_ready("istio-proxy"), "Initialized": ""},
    ),
    (
        "a sidecar that crashes",
        beside({**SIDECAR, "args": [*NEVER_READY["args"], "--crash-after=1s"]}),
        "Failed/ContainerFailed",
        r"container istio-proxy ended with exit code 1 .*-c istio-proxy --previous",
        {"Ready": not_ready("istio-proxy"), "Initialized": ""},
    ),
    (
        "a native sidecar that never passes its startup probe",
        before(
            {
                **NEVER_READY,
                "restartPolicy": "Always",
                "startupProbe": {"tcpSocket": {"port": 19090}, "failureThreshold": 60},
            }
        ),
        "Pending/PodNotReady",
        r"is not ready: container istio-proxy runs but is not ready",
        {
            "Ready": not_ready("istio-proxy", "performer"),
            "Initialized": not_initialized("istio-proxy"),
        },
    ),
    (
        "an init container whose image is missing",
        before({**INIT, "image": "localhost/nobody-has-this:v1"}),
        "Failed/ImagePullFailed",
        r"the image of init container istio-init cannot be pulled",
        {"Ready": not_ready("performer"), "Initialized": not_initialized("istio-init")},
    ),
    (
        "an init container that crashes",
        before({**INIT, "args": ["--crash-after=100ms", "--exit-code=126"]}),
        "Failed/ContainerFailed",
        r"init container istio-init ended with exit code 126",
        {"Ready": not_ready("performer"), "Initialized": not_initialized("istio-init")},
    ),
    (
        "an init container that does not end",
        before(INIT),
        "Pending/PodNotReady",
        r"is not ready: init container istio-init has not ended",
        {"Ready": not_ready("performer"), "Initialized": not_initialized("istio-init")},
    ),
]


@pytest.mark.usefixtures("performer_image", "operator")
@pytest.mark.parametrize(
    ("patch", "state", "message", "conditions"),
    [t[1:] for t in TROUBLES],
    ids=[t[0] for t in TROUBLES],
)
def test_the_container_that_keeps_the_pod_from_ready_is_named(
    patch: list[JSON],
    state: str,
    message: str,
    conditions: dict[str, str],
    cluster: Cluster,
    performers: Performers,
    inject: Inject,
    said: list[str],
) -> None:
    with inject(patch):
        create(cluster, performers)
        said.append(wait_for(performers, state, message))
    (pod,) = performers.items("pods")
    found = {c["type"]: c for c in pod["status"]["conditions"]}
    assert {kind: reason_of(found[kind]) for kind in conditions} == conditions


@pytest.mark.usefixtures("performer_image", "operator")
def test_a_sidecar_that_is_well_is_left_alone(
    cluster: Cluster, performers: Performers, inject: Inject
) -> None:
    with inject(beside(SIDECAR)):
        create(cluster, performers)
        performers.wait_settled({NAME: PERFORMER_IMAGE})
        (first,) = performers.items("pods")
        assert [c["name"] for c in first["spec"]["containers"]] == ["performer", "istio-proxy"]
        time.sleep(5)
        (still,) = performers.items("pods")
    assert still["metadata"]["uid"] == first["metadata"]["uid"]


@pytest.mark.usefixtures("performer_image", "operator")
def test_a_scheduling_gate_is_named_until_it_is_taken_away(
    cluster: Cluster, performers: Performers, inject: Inject, said: list[str]
) -> None:
    gated = [{"op": "add", "path": "/spec/schedulingGates", "value": [{"name": GATE}]}]
    with inject(gated):
        create(cluster, performers, upgradeStrategy={"progressDeadlineSeconds": 5})
        message = f"is held back by scheduling gate {GATE}"
        said.append(wait_for(performers, "Pending/SchedulingGated", message))
    # Longer than the progress deadline.
    time.sleep(8)
    assert state_of(performers) == "Pending/SchedulingGated"
    (pod,) = performers.items("pods")
    performers.patch("pods", pod["metadata"]["name"], {"spec": {"schedulingGates": None}})
    performers.wait_settled({NAME: PERFORMER_IMAGE})


@pytest.mark.usefixtures("performer_image", "operator")
def test_a_readiness_gate_is_named_until_it_is_met(
    cluster: Cluster, performers: Performers, inject: Inject, said: list[str]
) -> None:
    asked = [{"conditionType": TARGET_HEALTH}]
    with inject([{"op": "add", "path": "/spec/readinessGates", "value": asked}]):
        create(cluster, performers)
        message = f"is not ready: readiness gate is not met: {TARGET_HEALTH}"
        said.append(wait_for(performers, "Pending/PodNotReady", message))
    (pod,) = performers.items("pods")
    ready = next(c for c in pod["status"]["conditions"] if c["type"] == "Ready")
    assert reason_of(ready) == (
        f'ReadinessGatesNotReady: corresponding condition of pod readiness gate "{TARGET_HEALTH}"'
        " does not exist."
    )
    met = json.dumps({"status": {"conditions": [{"type": TARGET_HEALTH, "status": "True"}]}})
    where = ("-n", performers.namespace, "--subresource=status", "-p", met)
    cluster.kubectl("patch", "pod", pod["metadata"]["name"], *where)
    performers.wait_settled({NAME: PERFORMER_IMAGE})


@pytest.mark.usefixtures("performer_image", "operator")
def test_a_pod_without_a_sandbox_points_to_its_events(
    cluster: Cluster, performers: Performers, said: list[str]
) -> None:
    name = f"{performers.namespace}-nothing"
    runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "nothing"}
    cluster.apply({**runtime, "metadata": {"name": name}})
    try:
        create(cluster, performers, {"runtimeClass": name})
        said.append(wait_for(performers, "Pending/PodNotReady", r"kubectl describe pod \S+ -n"))
        (pod,) = performers.items("pods")
        found = {c["type"]: c["status"] for c in pod["status"]["conditions"]}
        assert found["PodReadyToStartContainers"] == "False"
    finally:
        performers.delete(NAME)
        wait_until("the pod is gone", lambda: performers.items("pods") == [], 60)
        cluster.kubectl("delete", "runtimeclass", name)


def create(
    cluster: Cluster, performers: Performers, scheduling: JSON | None = None, **spec: object
) -> None:
    """A Performer on the node that runs containers."""
    there = {"nodeSelector": {"kubernetes.io/hostname": cluster.real_node}, **(scheduling or {})}
    performers.create(NAME, PERFORMER_IMAGE, there, **spec)


def state_of(performers: Performers) -> str:
    """`phase/reason` of Ready."""
    performer = performers.get(NAME)
    phase = performer.get("status", {}).get("phase")
    return f"{phase}/{ready_condition(performer).get('reason')}"


def wait_for(performers: Performers, state: str, message: str) -> str:
    """What Ready says, once it says this for this reason."""

    def says() -> bool:
        found = str(ready_condition(performers.get(NAME)).get("message"))
        return state_of(performers) == state and re.search(message, found) is not None

    wait_until(f"{state}: {message}", says, 120)
    return f"{state}: {ready_condition(performers.get(NAME))['message']}"


def reason_of(condition: JSON) -> str:
    """`reason: message` of a condition, empty if it has neither."""
    return ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
