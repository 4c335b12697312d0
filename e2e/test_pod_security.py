"""Performers in a namespace that enforces the restricted Pod Security Standard."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from clusters import Cluster, wait_until
from conftest import PERFORMER_IMAGE
from hourglass_kube.types import JSON
from operators import Operator, Performers, running
from operators.namespace_state import ready_condition

EXAMPLE = Path(__file__).parent.parent / "examples/restricted.yaml"
CONFIG: JSON = YAML(typ="safe").load(EXAMPLE)["spec"]["config"]
NAME = "worker"
DEFAULTS = {
    "HOURGLASS_DEFAULT_SECURITY_CONTEXT": json.dumps(CONFIG["securityContext"]),
    "HOURGLASS_DEFAULT_POD_SECURITY_CONTEXT": json.dumps(CONFIG["podSecurityContext"]),
    "HOURGLASS_DEFAULT_LIVENESS_CHECK": "GRPC",
}


@pytest.fixture
def restricted(cluster: Cluster, performers: Performers, performer_image: str) -> Performers:
    """The test's namespace, which enforces the standard from now on."""
    label = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", performers.namespace, label)
    return performers


def on_the_real_node(cluster: Cluster) -> JSON:
    return {"nodeSelector": {"kubernetes.io/hostname": cluster.real_node}}


def test_the_example_runs(cluster: Cluster, restricted: Performers, operator: Operator) -> None:
    where = on_the_real_node(cluster)
    restricted.create(NAME, PERFORMER_IMAGE, where, config=CONFIG)
    restricted.wait_settled({NAME: PERFORMER_IMAGE})


def test_without_the_contexts_the_refusal_is_reported(
    cluster: Cluster, restricted: Performers, operator: Operator
) -> None:
    restricted.create(NAME, PERFORMER_IMAGE, on_the_real_node(cluster))

    def refused() -> bool:
        ready = ready_condition(restricted.get(NAME))
        return ready.get("reason") == "PodRejected" and "violates PodSecurity" in ready["message"]

    wait_until("the refusal is reported", refused, 30)
    # What the message names is changed, and it runs.
    restricted.set_spec(NAME, config=CONFIG)
    restricted.wait_settled({NAME: PERFORMER_IMAGE})


def test_the_operators_defaults_reach_a_performer_that_says_nothing(
    cluster: Cluster, restricted: Performers, tmp_path: Path
) -> None:
    with running(cluster, restricted.namespace, tmp_path, environment=DEFAULTS):
        restricted.create(NAME, PERFORMER_IMAGE, on_the_real_node(cluster))
        restricted.wait_settled({NAME: PERFORMER_IMAGE})
        (pod,) = restricted.pods(NAME)
        assert "grpc" in pod["spec"]["containers"][0]["livenessProbe"]
    # Another setting, or none, is no reason to touch the pod.
    with running(cluster, restricted.namespace, tmp_path):
        restricted.wait_settled({NAME: PERFORMER_IMAGE})
        assert [p["metadata"]["uid"] for p in restricted.pods(NAME)] == [pod["metadata"]["uid"]]
