"""The operator in the test's own process, on a served cluster."""

from pathlib import Path

import kopf
import pytest
from kopf.testing import KopfRunner

HERE = Path(__file__).parent
WEBSITE = HERE / "website.yaml"

pytestmark = pytest.mark.simulated_cluster(manifests=["crd.yaml"])


@pytest.fixture
def operator(served_cluster):
    """Runs until the test is over; the test fails if the operator does."""
    # A new registry, as kopf would keep the handlers of the tests before.
    registry = type(kopf.get_default_registry())()
    command = ["run", "--standalone", "--all-namespaces", str(HERE / "websites.py")]
    with KopfRunner(command, registry=registry):
        yield


def test_a_website_is_served(served_cluster, operator):
    served_cluster.apply(WEBSITE)
    website = served_cluster.assert_condition("Website", "hello", reason="Serving")
    assert website["status"]["deploy"] == {"image": "nginx:1.27"}
    assert served_cluster.get("Deployment", "hello")["spec"]["replicas"] == 2
    served_cluster.assert_settles()


def test_an_image_that_is_not_there_is_reported(served_cluster, operator):
    served_cluster.inject("image-missing", image="nginx:*")
    served_cluster.apply(WEBSITE)
    served_cluster.assert_condition("Website", "hello", status="False", reason="Waiting")
    served_cluster.heal("image-missing")
    served_cluster.assert_condition("Website", "hello", within="30m")


def test_a_website_goes_after_its_pods(served_cluster, operator):
    served_cluster.apply(WEBSITE)
    served_cluster.assert_condition("Website", "hello")
    served_cluster.delete("Website", "hello")
    served_cluster.assert_gone("Website", "hello")
    assert not served_cluster.list("Pod", labels="website=hello")
    served_cluster.assert_gone("Deployment", "hello")


def test_nothing_is_written_twice_when_the_api_server_is_in_trouble(served_cluster, operator):
    served_cluster.inject("api-error", code=503, resource="websites", times=2)
    served_cluster.apply(WEBSITE)
    served_cluster.assert_condition("Website", "hello")
    assert len(served_cluster.writes.by("operator").of("deployments", "hello")) == 1
