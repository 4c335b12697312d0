"""Namespaces whose administrator limits what pods may ask for: LimitRange and ResourceQuota."""

from collections.abc import Iterator

import pytest

from clusters import Cluster, wait_until
from gpus import ANYWHERE, GPU, gpu_node
from hourglass_kube.types import JSON
from operators import Operator, Performers
from operators.namespace_state import ready_condition

NAME, IMAGE, NEXT_IMAGE = "worker", "x:v1", "x:v2"
LIMITS: JSON = {
    "default": {"cpu": "500m", "memory": "256Mi"},
    "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
    "type": "Container",
}


@pytest.fixture
def gpus(cluster: Cluster) -> Iterator[None]:
    """A node with two GPUs."""
    with gpu_node(cluster):
        yield


def limit(performers: Performers, **item: JSON | str) -> None:
    body = {"metadata": {"name": "limits"}, "spec": {"limits": [item]}}
    performers.call("POST", "limitranges", body=body)


def quota(performers: Performers, **hard: str) -> None:
    body = {"metadata": {"name": "gpus"}, "spec": {"hard": hard}}
    performers.call("POST", "resourcequotas", body=body)

    def in_force() -> bool:
        return "used" in performers.call("GET", "resourcequotas", "gpus").get("status", {})

    wait_until("the quota is in force", in_force)


def refused(performers: Performers, why: str) -> None:
    """Return once the Performer has failed because its pod was refused, in these words."""

    def says() -> bool:
        performer = performers.get(NAME)
        ready = ready_condition(performer)
        failed = performer["status"].get("phase") == "Failed"
        return failed and ready.get("reason") == "PodRejected" and why in ready["message"]

    wait_until(f"the refusal is reported: {why}", says, 30)


@pytest.mark.usefixtures("gpus")
def test_what_a_limit_range_adds_to_the_pod_stays(
    performers: Performers, operator: Operator
) -> None:
    limit(performers, **LIMITS)
    performers.create(NAME, IMAGE)
    performers.wait_settled({NAME: IMAGE})
    (pod,) = performers.pods(NAME)
    assert pod["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "500m"
    # An upgrade gets the same, and the operator is content with it.
    performers.set_spec(NAME, image=NEXT_IMAGE)
    performers.wait_settled({NAME: NEXT_IMAGE})
    (successor,) = performers.pods(NAME)
    assert successor["metadata"]["uid"] != pod["metadata"]["uid"]


@pytest.mark.usefixtures("gpus")
def test_more_gpus_than_a_limit_range_allows_are_refused_until_it_allows_them(
    performers: Performers, operator: Operator
) -> None:
    limit(performers, max={"nvidia.com/gpu": "1"}, type="Container")
    performers.create(NAME, IMAGE, ANYWHERE, **GPU)
    refused(performers, "maximum nvidia.com/gpu usage per Container is 1, but limit is 2")
    performers.call("DELETE", "limitranges", "limits")
    performers.wait_settled({NAME: IMAGE})


@pytest.mark.usefixtures("gpus")
def test_gpus_beyond_a_quota_are_refused_until_there_is_room(
    performers: Performers, operator: Operator
) -> None:
    quota(performers, **{"requests.nvidia.com/gpu": "1"})
    performers.create(NAME, IMAGE, ANYWHERE, **GPU)
    refused(performers, "exceeded quota: gpus, requested: requests.nvidia.com/gpu=2")
    spec = {"hard": {"requests.nvidia.com/gpu": "2"}}
    performers.patch("resourcequotas", "gpus", {"spec": spec})
    performers.wait_settled({NAME: IMAGE})


@pytest.mark.usefixtures("gpus")
def test_an_upgrade_gets_the_gpus_that_the_old_pod_has_of_the_quota(
    performers: Performers, operator: Operator
) -> None:
    quota(performers, **{"requests.nvidia.com/gpu": "2"})
    performers.create(NAME, IMAGE, ANYWHERE, **GPU)
    performers.wait_settled({NAME: IMAGE})
    performers.set_spec(NAME, image=NEXT_IMAGE)
    performers.wait_settled({NAME: NEXT_IMAGE})
