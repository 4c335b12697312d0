"""Upgrades that callers do not notice: a client in the cluster calls a performer all the time."""

import time
from collections.abc import Iterator

import pytest

from caller import FEWEST_CALLS, Caller, calling
from clusters import Cluster, wait_until
from conftest import ClusterReport
from images import performer_image
from operators import Operator, Performers

NAME = "echo"
UPGRADES = 10
IMAGES = {version: f"localhost/performer:{version}" for version in ("v1", "v2")}


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
    """A client of the Performer."""
    endpoint = serving.get(NAME)["status"]["grpcEndpoint"]
    with calling(cluster, serving, IMAGES["v1"], endpoint) as made:
        yield made


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

    answered = caller.answered_since(before)
    cluster_report.add(
        f"{UPGRADES} upgrades in {took:.0f} s, each in {min(times):.1f}-{max(times):.1f} s:"
        f" {answered.total()} calls, 0 failed"
    )
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
