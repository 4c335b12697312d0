"""What a `Cluster` says to kubectl, and the images and nodes it makes."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clusters import Cluster, KubectlError, UnavailableError, fake_node, write_image
from e2e_clusters.executables import Executables

Kubectl = Callable[[str], Cluster]


@pytest.fixture
def kubectl(executables: Executables, tmp_path: Path) -> Kubectl:
    """A cluster whose kubectl is a shell script."""

    def cluster(script: str) -> Cluster:
        executables.add("kubectl", script)
        return Cluster("native", Path("/kubeconfig"), "kubectl", lambda _: None, lambda: None)

    return cluster


def ready_node(name: str, *, ready: str = "True", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def fake_ready_node(name: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True"}]
    return fake_node(name) | {"status": {"conditions": conditions}}


TAINT = {"key": "a", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([fake_ready_node("fake-0")], id="not one of KWOK"),
        pytest.param([ready_node("down", ready="False")], id="not one that is not Ready"),
        pytest.param([ready_node("control-plane", taints=[TAINT])], id="not one with taints"),
        pytest.param([{"metadata": {"name": "new"}, "spec": {}, "status": {}}], id="not a new one"),
    ],
)
def test_the_real_node_is(kubectl: Kubectl, others: list[dict[str, Any]]) -> None:
    items = json.dumps({"items": [*others, ready_node("real")]})
    assert kubectl(f"echo '{items}'").real_node == "real"
    with pytest.raises(LookupError):
        _ = kubectl(f"echo '{json.dumps({'items': others})}'").real_node


def test_a_cluster_without_a_node_is_none(kubectl: Kubectl) -> None:
    with pytest.raises(UnavailableError, match="a node that is Ready"):
        kubectl("exit 1").wait_for_node(seconds=0)


def test_an_error_names_the_command_and_its_output(kubectl: Kubectl) -> None:
    with pytest.raises(KubectlError, match="kubectl get pods: exit code 3: no such host") as raised:
        kubectl("echo no such host >&2; exit 3").kubectl("get", "pods")
    assert raised.value.code == 3


CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
KIND_IS_NEW = "case $3 in get) echo 'no matches for kind' >&2; exit 1 ;; esac"
EXISTS = "case $3 in get) echo configmap/a ;; esac"


@pytest.mark.parametrize(
    ("script", "deleted"),
    [
        pytest.param("", True, id="an object that did not exist goes"),
        pytest.param(KIND_IS_NEW, True, id="an object of a kind that did not exist goes"),
        pytest.param(
            "case $3 in get) echo configmap/a ;; esac", False, id="one that existed stays"
        ),
    ],
)
def test_at_the_end(kubectl: Kubectl, executables: Executables, script: str, deleted: bool) -> None:
    cluster = kubectl(script)
    cluster.apply(CONFIG_MAP)
    cluster.delete_what_was_made()
    verbs = [call.split()[3] for call in executables.calls()]
    assert verbs == ["get", "apply"] + ["delete"] * deleted


def test_what_was_made_goes_in_reverse_order(kubectl: Kubectl, tmp_path: Path) -> None:
    deleted = tmp_path / "deleted"
    cluster = kubectl(f"case $3 in delete) cat >> {deleted}; echo >> {deleted} ;; esac")
    cluster.apply({"name": "first"}, {"name": "second"})
    cluster.delete_what_was_made()
    names = [json.loads(line)["name"] for line in deleted.read_text().splitlines()]
    assert names == ["second", "first"]


def test_a_namespace_is_deleted_also_when_its_test_fails(
    kubectl: Kubectl, executables: Executables
) -> None:
    with pytest.raises(ZeroDivisionError), kubectl("").namespace("scenario") as name:
        raise ZeroDivisionError
    assert name.startswith("scenario-")
    assert f"delete namespace {name} --wait=false" in executables.calls()[-1]


def test_fake_nodes_are_made_after_kwok_was_started(
    kubectl: Kubectl, executables: Executables
) -> None:
    cluster = kubectl("")
    cluster.start_kwok = lambda: executables.add("kwok-was-started", "")
    assert cluster.add_fake_nodes(2, prefix="gpu") == ["gpu-0", "gpu-1"]
    assert (executables.folder / "kwok-was-started").exists()


def test_a_fake_node_has_its_labels_and_devices() -> None:
    node = fake_node("gpu", labels={"zone": "a"}, capacity={"nvidia.com/gpu": "4", "cpu": "8"})
    assert node["metadata"]["labels"]["zone"] == "a"
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "gpu"
    assert node["status"]["allocatable"] == node["status"]["capacity"]
    assert node["status"]["capacity"] == {
        "cpu": "8",
        "memory": "512Gi",
        "pods": "250",
        "nvidia.com/gpu": "4",
    }


def image(folder: Path, name: str) -> Path:
    program = folder / "program"
    program.write_bytes(b"\x7fELF")
    return write_image(
        folder / f"{name}.tar",
        "localhost/a:1",
        {"/bin/a": program},
        entrypoint=["/bin/a"],
        environment={"A": "1"},
        user="65532",
    )


def test_an_image_is_what_its_digests_say(tmp_path: Path) -> None:
    with tarfile.open(image(tmp_path, "a")) as tar:
        parts = {member.name: file.read() for member in tar if (file := tar.extractfile(member))}
    (manifest,) = json.loads(parts["manifest.json"])
    assert manifest["RepoTags"] == ["localhost/a:1"]
    config = parts[manifest["Config"]]
    layer = parts[manifest["Layers"][0]]
    assert manifest["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    described = json.loads(config)
    assert described["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert described["config"] == {"Entrypoint": ["/bin/a"], "Env": ["A=1"], "User": "65532"}


def test_the_same_files_give_the_same_image(tmp_path: Path) -> None:
    first = image(tmp_path, "a").read_bytes()
    (tmp_path / "program").unlink()
    assert image(tmp_path, "b").read_bytes() == first
