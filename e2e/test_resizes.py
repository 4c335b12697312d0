"""CPU and memory change while the pod runs, and callers notice nothing; what cannot is an upgrade.

The amounts are such that any machine has them: the document's command asks for two cores.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from caller import Caller, calling
from clusters import Cluster, wait_until
from conftest import ClusterReport
from hourglass_kube import quantity
from hourglass_kube.types import JSON
from images import performer_image
from operators import Operator, Performers

NAME, IMAGE, VERSION = "echo", "localhost/performer:v1", "v1"
SMALL = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}}
PATIENCE = 20


@pytest.fixture(scope="module")
def image(cluster: Cluster, dns: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the performer."""
    archive = tmp_path_factory.mktemp("image") / "performer.tar"
    cluster.import_image(performer_image(archive, IMAGE, print))
    return IMAGE


@pytest.fixture
def serving(cluster: Cluster, image: str, performers: Performers, operator: Operator) -> Performers:
    """The Performer, on the node that really runs it."""
    create(cluster, performers, resources=SMALL)
    return performers


@pytest.fixture
def caller(cluster: Cluster, serving: Performers) -> Iterator[Caller]:
    """A client of the Performer."""
    endpoint = serving.get(NAME)["status"]["grpcEndpoint"]
    with calling(cluster, serving, IMAGE, endpoint) as made:
        yield made


def create(cluster: Cluster, performers: Performers, **spec: JSON) -> None:
    """The Performer, serving."""
    where = {"nodeSelector": {"kubernetes.io/hostname": cluster.real_node}}
    strategy = {"progressDeadlineSeconds": PATIENCE}
    performers.create(NAME, IMAGE, where, upgradeStrategy=strategy, **spec)
    performers.wait_settled({NAME: IMAGE})


def resize(performers: Performers, **resources: JSON) -> None:
    """The document's command "Scale resources", with these amounts."""
    performers.set_spec(NAME, resources=resources)


def wait_resized(performers: Performers, wanted: JSON) -> None:
    """Return once the status says that the pod has this, and that nothing is left to do."""

    def resized() -> bool:
        found = performers.get(NAME)
        status = found["status"]
        seen = status["observedGeneration"] == found["metadata"]["generation"]
        progressing = condition(status, "Progressing")["reason"]
        return seen and (progressing, status.get("resources")) == ("ServiceReady", wanted)

    wait_until(f"it has {wanted}", resized, 60)


def condition(status: JSON, kind: str) -> JSON:
    found: JSON = next(c for c in status["conditions"] if c["type"] == kind)
    return found


def only_pod(performers: Performers) -> JSON:
    (pod,) = performers.pods(NAME)
    return pod


def container(pod: JSON) -> JSON:
    """Its status."""
    (found,) = pod["status"]["containerStatuses"]
    return dict(found)


def cgroup(pod: JSON) -> JSON | None:
    """What the kernel holds the container to, where it is one of this machine.

    `cpu` in thousandths of a core, `memory` in bytes.
    """
    identity = container(pod)["containerID"].rpartition("/")[2]
    read = {
        "memory": ("memory.max", "memory.limit_in_bytes"),
        "cpu": ("cpu.max", "cpu.cfs_quota_us"),
    }
    found: JSON = {}
    for folder in Path("/sys/fs/cgroup").rglob(f"*{identity}*"):
        for what, files in read.items():
            for file in files:
                if (folder / file).is_file():
                    number = int((folder / file).read_text().split()[0])
                    found[what] = number if what == "memory" else number // 100
    return found or None


def test_a_pod_is_resized_while_it_runs_and_no_call_fails(
    serving: Performers, caller: Caller, cluster_report: ClusterReport
) -> None:
    caller.wait_answered(VERSION)
    before, first = only_pod(serving), len(caller.seconds())
    times = []
    for requests, limits in (
        ({"cpu": "40m", "memory": "64Mi"}, SMALL["limits"]),
        ({"cpu": "40m", "memory": "64Mi"}, {"cpu": "1", "memory": "256Mi"}),
        ({"cpu": "10m", "memory": "16Mi"}, {"cpu": "250m", "memory": "256Mi"}),
        ({"cpu": "10m", "memory": "16Mi"}, {"cpu": "250m", "memory": "96Mi"}),
    ):
        began = time.monotonic()
        resize(serving, requests=requests, limits=limits)
        wait_resized(serving, {"requests": requests, "limits": limits})
        times.append(time.monotonic() - began)
        after = only_pod(serving)
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert container(after)["restartCount"] == 0
        assert container(after)["state"] == container(before)["state"]
        held = cgroup(after)
        if held is not None:
            cpu, memory = quantity.milli(limits["cpu"]), quantity.whole(limits["memory"])
            assert held == {"cpu": cpu, "memory": memory}
    caller.wait_answered(VERSION)
    answered = caller.answered_since(first)
    cluster_report.add(
        f"{len(times)} resizes, each in {min(times):.1f}-{max(times):.1f} s:"
        f" {answered.total()} calls, 0 failed"
    )
    status = serving.get(NAME)["status"]
    assert status["phase"] == "Running"
    assert "lastUpgrade" not in status


def node_cpu(cluster: Cluster) -> int:
    """What the node has, in whole cores."""
    path = "jsonpath={.status.allocatable.cpu}"
    text = cluster.kubectl("get", "node", cluster.real_node, "-o", path).strip()
    millis = re.fullmatch(r"(\d+)m", text)
    return int(millis[1]) // 1000 if millis else int(text)


def said(performers: Performers) -> str:
    """What the Performer says of its progress."""
    return str(condition(performers.get(NAME)["status"], "Progressing")["message"])


def test_what_the_node_never_has_is_an_upgrade_at_once(
    cluster: Cluster, serving: Performers
) -> None:
    old = only_pod(serving)
    cpu = str(node_cpu(cluster) + 1)
    resize(serving, requests={"cpu": cpu}, limits={"cpu": cpu})

    def upgrading() -> bool:
        status = serving.get(NAME)["status"]
        return (status["phase"], len(serving.pods(NAME))) == ("Upgrading", 2)

    wait_until("it is an upgrade", upgrading, PATIENCE / 2)
    # Of 1.36 and newer the API server itself compares with what the node has.
    assert re.search("cannot be resized: .*(says Infeasible|allocatable)", said(serving))
    # No node takes the new pod; with the old resources the old one is as wanted.
    assert serving.get(NAME)["status"]["podName"] == old["metadata"]["name"]
    serving.set_spec(NAME, resources=SMALL)
    wait_resized(serving, SMALL)
    wait_until("one pod is left", lambda: len(serving.pods(NAME)) == 1, 60)
    assert only_pod(serving)["metadata"]["uid"] == old["metadata"]["uid"]


def test_what_others_have_is_waited_for_until_the_deadline(
    cluster: Cluster, serving: Performers
) -> None:
    old = only_pod(serving)
    cpu = str(node_cpu(cluster))
    other = {
        "metadata": {"name": "other"},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": cluster.real_node},
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "other",
                    "image": IMAGE,
                    "imagePullPolicy": "Never",
                    "resources": {"requests": {"cpu": "200m"}},
                }
            ],
        },
    }
    serving.call("POST", "pods", body=other)
    wait = ("wait", "pod/other", "-n", serving.namespace, "--for=condition=Ready")
    cluster.kubectl(*wait, "--timeout=60s", timeout=70)
    resize(serving, requests={"cpu": cpu}, limits={"cpu": cpu})

    def deferred() -> bool:
        found = condition(serving.get(NAME)["status"], "Progressing")
        return found["reason"] == "ResizeInProgress" and "says Deferred" in found["message"]

    wait_until("the node defers it", deferred, PATIENCE / 2)
    assert serving.get(NAME)["status"]["phase"] == "Running"
    wait_until("it is an upgrade", lambda: len(serving.pods(NAME)) == 2, PATIENCE + 10)
    assert "was not resized in time: node" in said(serving)
    assert serving.get(NAME)["status"]["podName"] == old["metadata"]["name"]
    serving.call("DELETE", "pods", "other")


def test_resources_for_a_pod_without_any_are_an_upgrade(
    cluster: Cluster, image: str, performers: Performers, operator: Operator
) -> None:
    create(cluster, performers)
    old = only_pod(performers)
    resize(performers, requests=SMALL["requests"])
    wait_until("it is an upgrade", lambda: "QOS" in said(performers), 10)
    wait_resized(performers, {"requests": SMALL["requests"]})
    wait_until("one pod is left", lambda: len(performers.pods(NAME)) == 1, 60)
    assert only_pod(performers)["metadata"]["uid"] != old["metadata"]["uid"]
    assert "lastUpgrade" in performers.get(NAME)["status"]
