"""What a copy of a cluster keeps of it."""

from typing import Any

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.harness import printed
from hourglass_simulator.harness.displacement import displace, settle
from hourglass_simulator.harness.snapshot import copy_of

NODES: list[JSON] = [
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    for name in ("a", "b")
]


def pod(name: str, *, meta: JSON | None = None, status: JSON | None = None, **spec: Any) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "team", "uid": f"uid-of-{name}", **(meta or {})},
        "spec": {"nodeName": "a", "containers": [{"name": "c", "image": "i:1"}], **spec},
        "status": {"phase": "Running", **(status or {})},
    }


def running(*items: JSON) -> Cluster:
    cluster = copy_of(printed.read([*NODES, *items]).objects).cluster
    cluster.run_until(60)
    return cluster


def found(cluster: Cluster, name: str) -> JSON | None:
    pods = cluster.api.list("pods", "team").items
    return next((each for each in pods if each["metadata"]["name"] == name), None)


NOT_READY = {"conditions": [{"type": "Ready", "status": "False"}]}
WAITING = {
    "name": "c",
    "image": "i:1",
    "imageID": "",
    "ready": False,
    "restartCount": 9,
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
}
CRASHES = {**NOT_READY, "containerStatuses": [WAITING]}
PROBED = [
    {
        "name": "c",
        "image": "i:1",
        "readinessProbe": {"httpGet": {"port": 80, "path": "/"}, "periodSeconds": 1},
    }
]


@pytest.mark.parametrize(
    ("given", "phase", "ready"),
    [
        pytest.param(pod("p"), "Running", True, id="a pod that ran runs"),
        pytest.param(
            pod("p", status={"phase": "Failed", "reason": "Evicted"}),
            "Failed",
            False,
            id="a pod that has ended has ended",
        ),
        pytest.param(
            pod("p", status=NOT_READY, containers=PROBED),
            "Running",
            False,
            id="a pod that was not ready is not",
        ),
        pytest.param(
            pod("p", status=CRASHES), "Running", False, id="a container that did not run does not"
        ),
        pytest.param(
            pod("p", schedulingGates=[{"name": "queue"}], nodeName=None, status={"phase": None}),
            "Pending",
            False,
            id="a pod that a gate holds back is held back",
        ),
        pytest.param(
            pod("p", ephemeralContainers=[{"name": "debugger", "image": "i:1"}]),
            "Running",
            True,
            id="a pod that somebody debugs runs",
        ),
    ],
)
def test_pods_go_on_as_they_were(given: JSON, phase: str, ready: bool) -> None:
    after = found(running(given), "p")
    assert after is not None
    assert (after["metadata"]["uid"], after["status"]["phase"]) == ("uid-of-p", phase)
    conditions = {c["type"]: c["status"] for c in after["status"].get("conditions") or ()}
    assert (conditions.get("Ready") == "True") is ready


def test_a_pod_that_was_being_deleted_goes() -> None:
    meta = {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    assert found(running(pod("p", meta=meta)), "p") is None


def test_what_an_absent_owner_owns_stays() -> None:
    owner = {"apiVersion": "example.com/v1", "kind": "Team", "name": "t", "uid": "absent"}
    meta = {"ownerReferences": [owner]}
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "s", "namespace": "team", "uid": "s", **meta},
    }
    cluster = running(account, pod("p", meta=meta))
    assert found(cluster, "p") is not None
    assert cluster.api.get("serviceaccounts", "team", "s")["metadata"]["uid"] == "s"


def test_values_of_secrets_and_managed_fields_are_not_kept() -> None:
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "namespace": "team",
            "annotations": {applied: "c2VjcmV0", "a": "b"},
            "managedFields": [{"manager": "kubectl"}],
        },
        "data": {"password": "c2VjcmV0"},
        "stringData": {"other": "secret"},
    }
    (read,) = printed.read([secret]).objects
    assert read["data"] == {"password": ""}
    assert read["metadata"] == {"name": "s", "namespace": "team", "annotations": {"a": "b"}}
    assert "stringData" not in read


def test_times_of_a_copy_go_on_from_those_of_the_file() -> None:
    condition = {"type": "Ready", "status": "True", "lastHeartbeatTime": "2027-03-01T12:00:00Z"}
    node = {**NODES[0], "status": {**NODES[0]["status"], "conditions": [condition]}}
    cluster = copy_of(printed.read([node]).objects).cluster
    assert cluster.clock.timestamp() == "2027-03-01T12:00:00Z"


def test_an_ephemeral_volume_gets_its_claim_again() -> None:
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "scratch",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    volume = {"name": "tmp", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r"}
    meta = {"ownerReferences": [{**owner, "controller": True}], "generateName": "r-"}
    copied = copy_of(printed.read([*NODES, pod("r-1", meta=meta, volumes=[volume])]).objects)
    settle(copied.cluster)
    (displaced,) = displace(copied, without=(), drained=["a"])
    assert (displaced.outcome, displaced.to) == ("moves", "b")
    claims = copied.cluster.api.list("persistentvolumeclaims", "team").items
    assert [each["metadata"]["name"] for each in claims] == [f"{displaced.successor}-tmp"]
