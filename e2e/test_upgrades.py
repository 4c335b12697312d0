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
RATE = 120
"""Calls a second that the client tries; at least 100 are asked for."""
IMAGES = {version: f"localhost/performer:{version}" for version in ("v1", "v2")}


@dataclass(frozen=True)
class Calls:
    """What the client counted: one entry for each second that is over."""

    seconds: tuple[Counter[str], ...]
    """How many calls each version answered."""
    failed: Counter[str]
    """What went wrong, and how many times."""

    @classmethod
    def logged(cls, log: str) -> "Calls":
        """From what `performer call` printed so far."""
        lines = [json.loads(line) for line in log.splitlines()]
        failed: Counter[str] = Counter()
        for line in lines:
            failed.update(line["failed"] or {})
        return cls(tuple(Counter(line["answered"] or {}) for line in lines), failed)

    @property
    def versions(self) -> set[str]:
        """Those that answered in the last second."""
        return set(self.seconds[-1]) if self.seconds else set()


@dataclass(frozen=True)
class Caller:
    """The pod in which `performer call` runs."""

    cluster: Cluster
    namespace: str
    name: str

    def calls(self) -> Calls:
        """What it has counted so far."""
        return Calls.logged(self.cluster.kubectl("logs", self.name, "-n", self.namespace))

    def wait_answered(self, version: str) -> None:
        """Return once this version alone has answered for a second."""
        what = f"{version} alone answers"
        wait_until(what, lambda: self.calls().versions == {version}, 30)


@pytest.fixture(scope="module")
def images(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
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
    caller.wait_answered("v1")
    began = time.monotonic()
    times = []
    for number in range(UPGRADES):
        at = time.monotonic()
        version = upgrade(serving, number)
        times.append(time.monotonic() - at)
        # Every other one begins while the pod before the last is still draining.
        if number % 2:
            caller.wait_answered(version)
    took = time.monotonic() - began

    calls = caller.calls()
    answered = sum(calls.seconds, Counter())
    cluster_report.add(
        f"{UPGRADES} upgrades in {took:.0f} s, each in {min(times):.1f}-{max(times):.1f} s:"
        f" {answered.total()} calls, {calls.failed.total()} failed"
    )
    assert calls.failed == {}
    # The first second is not a whole one.
    assert min(second.total() for second in calls.seconds[1:]) >= 100
    assert all(answered[version] > 5 * RATE for version in IMAGES)


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
