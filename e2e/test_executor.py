"""The example executor in the cluster, with the Role of the API reference: it creates a Performer,
calls it by its DNS name, replaces it and takes it away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusters import Cluster, wait_until
from conftest import ClusterReport
from images import executor_image, performer_image
from operators import Performers, running

EXAMPLE = Path(__file__).parents[1] / "examples" / "executor"
NAMESPACE, NAME = "my-avs-project", "executor-0"
IMAGE = "localhost/executor:e2e"
BEFORE, AFTER = "localhost/performer:v1", "localhost/performer:v2"
ENVIRONMENT = {"PERFORMER_IMAGE": BEFORE, "UPGRADE_IMAGE": AFTER, "CALL_SECONDS": "1"}


def manifests(file: str) -> list[Any]:
    return [each for each in yaml.safe_load_all((EXAMPLE / file).read_text()) if each]


def stateful_set() -> list[Any]:
    """The example's objects with the images of the test."""
    objects = manifests("executor.yaml")
    for each in objects:
        if each["kind"] == "StatefulSet":
            (container,) = each["spec"]["template"]["spec"]["containers"]
            container["image"] = IMAGE
            kept = [var for var in container["env"] if var["name"] not in ENVIRONMENT]
            given = [{"name": name, "value": value} for name, value in ENVIRONMENT.items()]
            container["env"] = [*kept, *given]
    return objects


@pytest.fixture
def place(
    own_cluster: Cluster, dns: None, custom_resource: str, tmp_path: Path
) -> Iterator[tuple[Cluster, Performers]]:
    """The example's namespace, images and operator; only the real node takes pods."""
    cluster = own_cluster
    if not cluster.has_root_certificate():
        pytest.skip("this cluster gives pods no certificate by which they know the API server")
    cluster.import_image(executor_image(tmp_path / "executor.tar", IMAGE, print))
    for image in (BEFORE, AFTER):
        cluster.import_image(performer_image(tmp_path / "performer.tar", image, print))
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    performers = Performers.of(cluster, NAMESPACE)
    fake = [each["metadata"]["name"] for each in cluster.get("nodes", "-l", "type=kwok")["items"]]
    if fake:
        cluster.kubectl("cordon", *fake)
    try:
        with running(cluster, NAMESPACE, tmp_path):
            yield cluster, performers
    finally:
        if fake:
            cluster.kubectl("uncordon", *fake)
        performers.delete_all()
        cluster.kubectl("delete", "namespace", NAMESPACE, timeout=120)


def test_the_example_creates_calls_replaces_and_deletes(
    place: tuple[Cluster, Performers], cluster_report: ClusterReport
) -> None:
    cluster, performers = place
    cluster.apply(*manifests("rbac.yaml"), *stateful_set())

    def log() -> list[str]:
        text = cluster.kubectl("logs", NAME, "-n", NAMESPACE, "--ignore-errors")
        return [line.split(" ", 2)[-1] for line in text.splitlines()]

    def calls(after: str) -> int:
        lines = log()
        begin = next((i for i, line in enumerate(lines) if after in line), len(lines))
        return lines[begin:].count(f"{NAME}: SERVING")

    wait_until("it calls its Performer", lambda: calls(f"created with {BEFORE}") > 0, 120)
    wait_until("it calls the replaced one", lambda: calls(f"{AFTER} serves") > 1, 120)
    assert performers.get(NAME)["spec"]["image"] == AFTER

    cluster.kubectl("delete", "statefulset", "executor", "-n", NAMESPACE, timeout=120)
    wait_until("it took its Performer away", lambda: not performers.items("performers"), 60)
    cluster_report.add("the example executor created, called, replaced and deleted a Performer")
