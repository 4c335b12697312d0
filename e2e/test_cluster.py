"""The cluster itself: what every other end-to-end test takes for granted."""

import json
from pathlib import Path
from typing import Any

import pytest

from clusters import TOLERATION, Cluster, Components, KubectlError, wait_until, write_image
from clusters.build import program
from hourglass_operator.manifests.kubernetes_versions import OLDEST

IMAGE = "localhost/e2e-lookup:1"


@pytest.fixture(scope="module")
def image(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image whose program looks up its arguments and then waits."""
    archive = tmp_path_factory.mktemp("image") / "lookup.tar"
    files = {"/lookup": program("lookup", print)}
    cluster.import_image(write_image(archive, IMAGE, files, entrypoint=["/lookup"]))
    return IMAGE


def create_pod(cluster: Cluster, namespace: str, name: str, image: str, **spec: Any) -> None:
    args = spec.pop("args", [])
    container = {"name": "main", "image": image, "imagePullPolicy": "Never", "args": args}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], **spec},
    }
    cluster.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(pod))


def on(node: str) -> dict[str, str]:
    """A selector: tests before may have left fake nodes, which take pods too."""
    return {"kubernetes.io/hostname": node}


def wait_ready(cluster: Cluster, namespace: str, name: str) -> None:
    arguments = ("--for=condition=Ready", f"pod/{name}", "--timeout=60s")
    cluster.kubectl("wait", "-n", namespace, *arguments, timeout=70)


def test_the_api_server_is_a_kubernetes_of_the_supported_versions(cluster: Cluster) -> None:
    major, minor = cluster.version.removeprefix("v").split(".")[:2]
    assert (int(major), int(minor)) >= tuple(map(int, OLDEST.split(".")))


@pytest.mark.usefixtures("custom_resource")
def test_the_custom_resource_is_served(cluster: Cluster, namespace: str) -> None:
    assert cluster.get("performers", "-n", namespace)["items"] == []


def test_a_pod_of_an_imported_image_is_ready_on_the_real_node(
    cluster: Cluster, namespace: str, image: str
) -> None:
    create_pod(cluster, namespace, "real", image, nodeSelector=on(cluster.real_node))
    wait_ready(cluster, namespace, "real")
    pod = cluster.get("pod", "real", "-n", namespace)
    assert pod["spec"]["nodeName"] == cluster.real_node
    assert pod["status"]["containerStatuses"][0]["image"] == image


def test_the_name_of_a_service_resolves_in_a_pod(
    cluster: Cluster, dns: None, namespace: str, image: str
) -> None:
    names = ["kubernetes.default.svc.cluster.local", "kubernetes.default"]
    create_pod(
        cluster, namespace, "resolver", image, args=names, nodeSelector=on(cluster.real_node)
    )
    wait_ready(cluster, namespace, "resolver")
    address = cluster.get("service", "kubernetes", "-n", "default")["spec"]["clusterIP"]
    expected = "".join(f"{name} {address}\n" for name in names)
    # Errors come before: the DNS of the cluster may still be starting.
    wait_until(
        "the pod has logged what it found",
        lambda: cluster.kubectl("logs", "resolver", "-n", namespace).endswith(expected),
    )


def test_a_fake_node_takes_a_pod_that_asks_for_what_only_it_has(
    cluster: Cluster, namespace: str
) -> None:
    labels, capacity = {"e2e": "gpu"}, {"nvidia.com/gpu": "2"}
    (node,) = cluster.add_fake_nodes(1, prefix="gpu", labels=labels, capacity=capacity)
    create_pod(
        cluster,
        namespace,
        "fake",
        "no-such-image",
        nodeSelector=labels,
        tolerations=[TOLERATION],
    )
    wait_ready(cluster, namespace, "fake")
    assert cluster.get("pod", "fake", "-n", namespace)["spec"]["nodeName"] == node
    assert cluster.get("node", node)["status"]["allocatable"]["nvidia.com/gpu"] == "2"
    cluster.kubectl("delete", "node", node)


def test_the_api_server_comes_back_after_a_restart(
    cluster: Cluster, components: Components, namespace: str
) -> None:
    components.restart("kube-apiserver")
    assert cluster.get("namespace", namespace)["status"]["phase"] == "Active"


def test_nothing_is_answered_while_etcd_is_paused(
    cluster: Cluster, components: Components, namespace: str
) -> None:
    with components.paused("etcd"), pytest.raises(KubectlError, match=r"(?i)time"):
        cluster.kubectl("create", "configmap", "a", "-n", namespace, "--request-timeout=2s")
    cluster.kubectl("create", "configmap", "b", "-n", namespace)


def test_the_audit_log_shows_who_made_an_object(
    cluster: Cluster, audit_log: Path, namespace: str
) -> None:
    cluster.kubectl("create", "configmap", "audited", "-n", namespace)
    events = [json.loads(line) for line in audit_log.read_text().splitlines()]
    (made,) = [event for event in events if event["objectRef"].get("name") == "audited"]
    assert made["verb"] == "create"
    assert made["user"]["username"] == "admin"
    assert made["responseStatus"]["code"] == 201
    assert not {"get", "watch"} & {event["verb"] for event in events}
    # How much a restarted operator lists is counted; what people and components list is not logged.
    lists = {event["user"]["username"] for event in events if event["verb"] == "list"}
    assert all(user.startswith("system:serviceaccount:") for user in lists), lists
