"""New versions that become ready and crash after that, and performers that hang."""

import time

from clusters import Cluster, wait_until
from conftest import PERFORMER_IMAGE
from hourglass_kube.types import JSON
from operators import Operator, Performers

NAME = "worker"
MIN_READY = 40
CRASHES = {"args": ["--crash-after=15s", "--exit-code=3"]}


def create(cluster: Cluster, performers: Performers, **spec: JSON) -> JSON:
    """A Performer that serves on the real node; its pod."""
    where = {"nodeSelector": {"kubernetes.io/hostname": cluster.real_node}}
    performers.create(NAME, PERFORMER_IMAGE, where, **spec)
    performers.wait_settled({NAME: PERFORMER_IMAGE})
    (pod,) = performers.pods(NAME)
    return pod


def conditions(performers: Performers) -> dict[str, str]:
    found = performers.get(NAME)["status"]["conditions"]
    return {c["type"]: f"{c['status']}/{c['reason']}" for c in found}


def test_a_version_that_crashes_once_ready_never_takes_over(
    cluster: Cluster, performers: Performers, performer_image: str, operator: Operator
) -> None:
    old = create(cluster, performers, upgradeStrategy={"minReadySeconds": MIN_READY})
    performers.set_spec(NAME, version="v2", config=CRASHES)

    def degraded() -> bool:
        return conditions(performers).get("Degraded") == "True/ContainerFailed"

    wait_until("the crash is reported", degraded, 60)
    # It is ready again and again meanwhile; the old pod serves throughout.
    until = time.monotonic() + 2 * MIN_READY
    while time.monotonic() < until:
        status = performers.get(NAME)["status"]
        assert (status["phase"], status["ready"]) == ("Upgrading", True)
        assert status["podName"] == old["metadata"]["name"]
        assert conditions(performers)["Degraded"] == "True/ContainerFailed"
        time.sleep(1)

    performers.set_spec(NAME, version="v3", config={"args": None})
    performers.wait_settled({NAME: PERFORMER_IMAGE}, 2 * MIN_READY + 60)
    assert "lastUpgrade" in performers.get(NAME)["status"]


def test_a_version_that_stays_ready_takes_over_when_its_time_is_over(
    cluster: Cluster, performers: Performers, performer_image: str, operator: Operator
) -> None:
    create(cluster, performers, upgradeStrategy={"minReadySeconds": 15})
    began = time.monotonic()
    performers.set_spec(NAME, version="v2")
    wait_until("both pods are there", lambda: len(performers.pods(NAME)) == 2, 30)
    performers.wait_settled({NAME: PERFORMER_IMAGE}, 90)
    assert time.monotonic() - began >= 15


def test_a_performer_that_hangs_is_restarted(
    cluster: Cluster, performers: Performers, performer_image: str, operator: Operator
) -> None:
    pod = create(cluster, performers, config={"livenessCheck": "GRPC", "healthCheck": "GRPC"})
    name = pod["metadata"]["name"]
    path = f"/api/v1/namespaces/{performers.namespace}/pods/{name}:9091/proxy/mode/hang"
    cluster.kubectl("create", "--raw", path, "-f", "/dev/null")

    def restarted() -> bool:
        (there,) = performers.pods(NAME)
        return bool(there["status"]["containerStatuses"][0]["restartCount"])

    wait_until("the kubelet restarts it", restarted, 120)
    performers.wait_settled({NAME: PERFORMER_IMAGE})
