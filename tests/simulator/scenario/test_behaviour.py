"""How pods say that their containers behave."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet.workload import Answers, Hook
from hourglass_simulator.scenario.behaviour import ANNOTATION, Behaviour, annotated

SAYS = """\
readyAfter: 5s
containers:
  migrate: {exitsAfter: 3s, exitCode: 4, log: no such table}
"""


def pod(text: str) -> JSON:
    spec = {"containers": [{"name": "app", "image": "app:1"}], "nodeName": "node-1"}
    return {"metadata": {"name": "p", "annotations": {ANNOTATION: text}}, "spec": spec}


def test_one_container_may_behave_otherwise_than_all() -> None:
    migrate, worker = annotated(pod(SAYS), "migrate"), annotated(pod(SAYS), "worker")
    assert migrate is not None
    assert worker is not None
    assert (migrate.exit_after, migrate.exit_code, migrate.ready_after) == (3.0, 4, 0.0)
    assert (worker.exit_after, worker.ready_after) == (None, 5.0)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param("{", ": not YAML: ", id="it is not YAML"),
        pytest.param("---\n---\n", "expected one document", id="it is two documents"),
        pytest.param(
            "{readyAfter: 1s, readyAfter: 2s}", "readyAfter occurs twice", id="a key occurs twice"
        ),
        pytest.param("a list", "it: ", id="it is no mapping"),
        pytest.param("exitAfter: 5s", "exitAfter: ", id="a key is unknown"),
        pytest.param("probes: {liveness: {status: 200}}", "probes.liveness.status: ", id="status"),
    ],
)
def test_what_cannot_be_read_is_an_event_that_names_the_mistake(text: str, mistake: str) -> None:
    cluster = Cluster()
    cluster.kubelets.declared = annotated
    cluster.add_node("node-1")
    cluster.api.create("pods", pod(text), namespace="default")
    cluster.run_until(10)
    (event,) = [e for e in cluster.api.list("events").items if e["reason"] == "InvalidBehaviour"]
    assert mistake in event["message"]
    assert cluster.api.get("pods", "default", "p")["status"]["phase"] == "Running"


def test_all_that_can_be_said_reaches_the_kubelet() -> None:
    said = {
        "probes": {
            "startup": {"succeedsAfter": "2s"},
            "readiness": {"fails": True, "output": "not yet"},
            "liveness": {"failsAfter": "5m", "status": 500, "hangs": True},
        },
        "exitCodeOnTermination": 143,
        "memory": "64Mi",
        "preStop": {"takes": "8s", "fails": True, "exitCode": 3, "output": "no"},
        "postStart": {"commandMissing": True},
    }
    workload = Behaviour.model_validate(said).workload
    assert workload.answers("startup") == Answers(2.0)
    assert workload.answers("readiness") == Answers(None, output="not yet")
    assert workload.answers("liveness") == Answers(0.0, 300.0, 500, hangs=True)
    assert (workload.stop_code, workload.memory) == (143, 64 << 20)
    assert workload.pre_stop == Hook(8.0, fails=True, code=3, output="no")
    assert workload.post_start == Hook(missing=True)
