"""Performers that the Go operator has left are taken over, and their callers do not notice."""

from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException

from caller import FEWEST_CALLS, calling
from clusters import Cluster, wait_until
from conftest import ClusterReport
from hourglass_kube.types import JSON
from images import performer_image
from operators import Performers, running
from operators.performers import performer_manifest

NAME = "echo"
OBJECT = f"performer-{NAME}"
"""Name of pod and Service."""
FINALIZER = "hourglass.eigenlayer.io/performer-finalizer"
IMAGES = {version: f"localhost/performer:{version}" for version in ("v1", "v2")}
PORT = 9090


@pytest.fixture(scope="module")
def images(cluster: Cluster, dns: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of the performer: the old pod runs v1, the Performer asks for v2."""
    folder = tmp_path_factory.mktemp("images")
    for version, tag in IMAGES.items():
        cluster.import_image(performer_image(folder / f"{version}.tar", tag, print))


def labels() -> JSON:
    return {"app": "hourglass-performer", "hourglass.eigenlayer.io/performer": NAME}


@pytest.fixture
def left(cluster: Cluster, images: None, performers: Performers) -> Performers:
    """A Performer with pod, Service and status as the Go operator makes them, and no operator."""
    where = {"nodeSelector": {"kubernetes.io/hostname": cluster.real_node}}
    manifest = performer_manifest(NAME, IMAGES["v2"], where, config={"grpcPort": PORT})
    manifest["metadata"] |= {"labels": labels(), "finalizers": [FINALIZER]}
    stored = performers.call("POST", "performers", body=manifest)
    owner = {
        "apiVersion": stored["apiVersion"],
        "kind": "Performer",
        "name": NAME,
        "uid": stored["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    probe = {"grpc": {"port": PORT}, "failureThreshold": 3}
    container = {
        "name": "performer",
        "image": IMAGES["v1"],
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "grpc", "containerPort": PORT, "protocol": "TCP"}],
        "livenessProbe": {
            **probe,
            "initialDelaySeconds": 30,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
        },
        "readinessProbe": {**probe, "initialDelaySeconds": 5, "periodSeconds": 15},
    }
    meta = {"name": OBJECT, "ownerReferences": [owner]}
    pod = {"metadata": {**meta, "labels": labels()}, "spec": {"containers": [container], **where}}
    ports = [{"name": "grpc", "port": PORT, "targetPort": "grpc", "protocol": "TCP"}]
    selector = {"hourglass.eigenlayer.io/performer": NAME}
    performers.call("POST", "pods", body=pod)
    performers.call(
        "POST", "services", body={"metadata": meta, "spec": {"selector": selector, "ports": ports}}
    )
    wait = ("wait", f"pod/{OBJECT}", "-n", performers.namespace, "--for=condition=Ready")
    cluster.kubectl(*wait, "--timeout=60s", timeout=70)
    status = {
        "phase": "Running",
        "ready": True,
        "podName": OBJECT,
        "serviceName": OBJECT,
        "grpcEndpoint": f"{OBJECT}.{performers.namespace}.svc.cluster.local",
        "readyTime": "2026-11-01T08:00:00Z",
    }
    performers.patch("performers", NAME, {"status": status}, "status")
    return performers


def pod_names(performers: Performers) -> list[str]:
    return [pod["metadata"]["name"] for pod in performers.pods(NAME)]


def successor(performers: Performers) -> str | None:
    """The pod that serves in the place of the old one."""
    status = performers.get(NAME)["status"]
    taken_over = (status["phase"], status["podName"] != OBJECT) == ("Running", True)
    return str(status["podName"]) if taken_over else None


def test_no_call_fails_during_the_take_over(
    cluster: Cluster, left: Performers, cluster_report: ClusterReport, tmp_path: Path
) -> None:
    endpoint = f"{OBJECT}.{left.namespace}.svc.cluster.local:{PORT}"
    with calling(cluster, left, IMAGES["v1"], endpoint) as caller:
        caller.wait_answered("v1")
        before = len(caller.seconds())
        with running(cluster, left.namespace, tmp_path):
            wait_until("the old pod is gone", lambda: pod_names(left) == [successor(left)], 90)
            caller.wait_answered("v2")
            answered = caller.answered_since(before)
    cluster_report.add(f"take-over from the Go operator: {answered.total()} calls, 0 failed")
    assert all(answered[version] > FEWEST_CALLS for version in IMAGES)
    assert left.get(NAME)["status"]["lastUpgrade"]


def test_a_deletion_ends_the_old_pod_and_releases_both_finalizers(
    cluster: Cluster, left: Performers, tmp_path: Path
) -> None:
    left.delete(NAME)

    def gone() -> bool:
        try:
            left.get(NAME)
        except ApiException as error:
            return bool(error.status == 404)
        return False

    with running(cluster, left.namespace, tmp_path):
        wait_until("the Performer is gone", gone, 60)
    assert OBJECT not in {pod["metadata"]["name"] for pod in left.items("pods")}
