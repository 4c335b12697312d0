"""How containers behave whose images nothing is declared of."""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet.container import CONTAINERS, INIT, Container, undeclared

JOB = {"ownerReferences": [{"kind": "Job", "name": "sum", "controller": True}]}
JOB_BESIDE = {"ownerReferences": [{"kind": "Job", "name": "sum"}]}
REPLICA_SET = {"ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": True}]}


@pytest.mark.parametrize(
    ("metadata", "init", "sidecar", "ends"),
    [
        pytest.param({}, False, False, False, id="a pod of its own runs for ever"),
        pytest.param(REPLICA_SET, False, False, False, id="a ReplicaSet's pod runs for ever"),
        pytest.param(JOB, False, False, True, id="a Job's pod ends"),
        pytest.param(JOB_BESIDE, False, False, False, id="a pod that a Job does not control runs"),
        pytest.param(REPLICA_SET, True, False, True, id="an init container ends"),
        pytest.param(JOB, True, True, False, id="a sidecar runs for ever"),
    ],
)
def test_a_container_that_is_there_to_end_succeeds(
    metadata: JSON, init: bool, sidecar: bool, ends: bool
) -> None:
    spec = {"name": "c", "image": "c:1"} | ({"restartPolicy": "Always"} if sidecar else {})
    workload = undeclared({"metadata": metadata}, Container(spec, INIT if init else CONTAINERS))
    assert (workload.exit_after is not None) is ends
    assert workload.exit_code == 0


def test_a_job_with_an_init_container_completes() -> None:
    cluster = Cluster()
    cluster.add_node("node-1")
    pod = {
        "restartPolicy": "Never",
        "initContainers": [{"name": "fetch", "image": "fetch:1"}],
        "containers": [{"name": "sum", "image": "sum:1"}],
    }
    job = {"metadata": {"name": "sum"}, "spec": {"template": {"spec": pod}}}
    cluster.api.create("jobs", job, namespace="default")
    cluster.run_until(20)
    status = cluster.api.get("jobs", "default", "sum")["status"]
    assert [c["type"] for c in status["conditions"]] == ["SuccessCriteriaMet", "Complete"]
