"""Upgrades that callers do not notice: a client in the cluster calls a performer all the time."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from clusters import Cluster, wait_until
from conftest import ClusterReport
from images import performer_image
from operators import Operator, Performers

NAME = "echo"
UPGRADES = 10
RATE = 200
"""Calls a second on the channel that is kept."""
FEWEST_CALLS = 100
"""Answered each second: a busy machine may make a client miss some of its beats."""
IMAGES = {version: f"localhost/performer:{version}" for version in ("v1", "v2")}


@dataclass(frozen=True)
class Second:
    """What the client counted in a second: calls by the version that answered, and by error."""

    answered: Counter[str]
    failed: Counter[str]


@dataclass(frozen=True)
class Caller:
    """The pod in which `performer call` runs."""

    cluster: Cluster
    namespace: str
    name: str

    def seconds(self) -> list[Second]:
        """The seconds that are over."""
        lines = self.cluster.kubectl("logs", self.name, "-n", self.namespace).splitlines()
        counts = [json.loads(line) for line in lines]
        return [Second(Counter(each["answered"]), Counter(each["failed"])) for each in counts]

    def wait_answered(self, version: str) -> None:
        """Return once this version alone has answered for a second, and every call."""

        def answered() -> bool:
            last = self.seconds()[-1:]
            return any(
                each.answered[version] >= FEWEST_CALLS
                and set(each.answered) == {version}
                and not each.failed
                for each in last
            )

        wait_until(f"{version} alone answers", answered, 60)


@pytest.fixture(scope="module")
def images(cluster: Cluster, dns: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of the performer, which is called by the name that its status gives."""
    folder = tmp_path_factory.mktemp("images")
    for version, tag in IMAGES.items():
        cluster.import_image(performer_image(folder / f"{version}.tar", tag, print))


@pytest.fixture
def serving(
    cluster: Cluster, images: None, performers: Performers, operator: Operator
) -> Performers:
    """The Performer, on a node that really runs it."""
    where = {"nodeSelector": {"kubernetes.io/hostname": cluster.real_node}}
    performers.create(NAME, IMAGES["v1"], where)
    performers.wait_settled({NAME: IMAGES["v1"]})
    return performers


@pytest.fixture
def caller(cluster: Cluster, serving: Performers) -> Iterator[Caller]:
    """A client, as plain as gRPC makes them; e2e/images/performer/call.go says what it does."""
    endpoint = serving.get(NAME)["status"]["grpcEndpoint"]
    container = {
        "name": "call",
        "image": IMAGES["v1"],
        "imagePullPolicy": "Never",
        "args": ["call", f"--rate={RATE}", endpoint],
    }
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": cluster.real_node},
        "containers": [container],
        "terminationGracePeriodSeconds": 0,
    }
    pod = {"metadata": {"name": "caller"}, "spec": spec}
    serving.call("POST", "pods", body=pod)
    wait = ("wait", "pod/caller", "-n", serving.namespace, "--for=condition=Ready")
    cluster.kubectl(*wait, "--timeout=60s", timeout=70)
    yield Caller(cluster, serving.namespace, "caller")
    serving.call("DELETE", "pods", "caller")


def test_no_call_fails_during_ten_upgrades_in_a_row(
    serving: Performers, caller: Caller, cluster_report: ClusterReport
) -> None:
    # A Performer is Running before each node's kube-proxy has heard of its endpoint, so that the
    # first calls may come too early; what is counted begins when calls are answered.
    caller.wait_answered("v1")
    before = len(caller.seconds())
    began = time.monotonic()
    times = []
    for number in range(UPGRADES):
        at = time.monotonic()
        version = upgrade(serving, number)
        times.append(time.monotonic() - at)
        # Every other one begins while the pod of the one before is still draining.
        if number % 2:
            wait_until("one pod is left", lambda: len(serving.pods(NAME)) == 1, 60)
            caller.wait_answered(version)
    took = time.monotonic() - began

    seconds = caller.seconds()[before:]
    answered = sum((second.answered for second in seconds), Counter[str]())
    failed = sum((second.failed for second in seconds), Counter[str]())
    cluster_report.add(
        f"{UPGRADES} upgrades in {took:.0f} s, each in {min(times):.1f}-{max(times):.1f} s:"
        f" {answered.total()} calls, {failed.total()} failed"
    )
    assert failed == {}
    assert min(second.answered.total() for second in seconds) >= FEWEST_CALLS
    assert all(answered[version] > 5 * FEWEST_CALLS for version in IMAGES)


def upgrade(performers: Performers, number: int) -> str:
    """To the other image, now and then with a new `version` of the same; returns what answers."""
    before = performers.get(NAME)["status"]
    if number in (3, 7):
        changed = performers.set_spec(NAME, version=str(number))
    else:
        other = {IMAGES["v1"]: IMAGES["v2"], IMAGES["v2"]: IMAGES["v1"]}
        changed = performers.set_spec(NAME, image=other[performers.get(NAME)["spec"]["image"]])
    generation = changed["metadata"]["generation"]

    def upgraded() -> bool:
        status = performers.get(NAME)["status"]
        done = (status["phase"], status["observedGeneration"]) == ("Running", generation)
        return done and bool(status["servingTemplateHash"] != before["servingTemplateHash"])

    wait_until(f"upgrade {number} has ended", upgraded, 60)
    return str(changed["spec"]["image"]).rpartition(":")[2]
