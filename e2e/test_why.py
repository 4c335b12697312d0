"""`kubectl performer why`: one sentence that names the thing to change, for each trouble.

The sentences are goldens in `why.json` beside this file; `E2E_RECORD=1` writes them anew.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from clusters import Cluster, wait_until
from images import performer_image
from operators import Performers

JSON = dict[str, Any]

GOLDENS = Path(__file__).with_name("why.json")
PROGRAM = Path(sys.executable).with_name("kubectl-performer")
IMAGE = "localhost/performer:v1"
NAME = "worker"
GPU = {"hardwareRequirements": {"gpuType": "nvidia-a100", "gpuCount": 2}}
NODE = "why-gpu-0"


@pytest.fixture(scope="module")
def image(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    archive = tmp_path_factory.mktemp("image") / "performer.tar"
    cluster.import_image(performer_image(archive, IMAGE, print))


@contextmanager
def gpu_node(cluster: Cluster) -> Iterator[None]:
    labels, capacity = {"accelerator": "nvidia-a100"}, {"nvidia.com/gpu": "2"}
    cluster.add_fake_nodes(1, prefix="why-gpu", labels=labels, capacity=capacity)
    try:
        yield
    finally:
        cluster.kubectl("delete", "node", NODE)


def gpu_in_use(cluster: Cluster, performers: Performers) -> None:
    performers.create("other", "x:v1", {}, **GPU)
    performers.wait_phase(["other"], "Running")


def cordoned(cluster: Cluster, performers: Performers) -> None:
    cluster.kubectl("cordon", NODE)


def quota(cluster: Cluster, performers: Performers) -> None:
    arguments = ("create", "quota", "no-pods", "--hard=pods=0", "-n", performers.namespace)
    cluster.kubectl(*arguments)

    def in_force() -> bool:
        found = cluster.get("quota", "no-pods", "-n", performers.namespace)
        return "used" in found.get("status", {})

    wait_until("the quota is in force", in_force)


def nothing(cluster: Cluster, performers: Performers) -> None:
    pass


SECRET = {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "api-secrets", "key": "k"}}}
NO_SECRET = {"config": {"env": [SECRET]}}
NO_IMAGE = {"image": "localhost/nobody-has-this:v1"}
CRASHES = {"config": {"args": ["--crash-after=50ms"]}}
TROUBLES: list[tuple[str, bool, Callable[[Cluster, Performers], None], JSON, str]] = [
    ("a missing GPU", False, nothing, GPU, "HardwareUnavailable"),
    ("a GPU in use", True, gpu_in_use, GPU, "HardwareUnavailable"),
    ("a cordoned GPU node", True, cordoned, GPU, "HardwareUnavailable"),
    ("a missing image", False, nothing, NO_IMAGE, "(Failed, ImagePullFailed)"),
    ("a crash loop", False, nothing, CRASHES, "(Failed, ContainerFailed)"),
    ("a missing Secret", False, nothing, NO_SECRET, "(Failed, ContainerFailed)"),
    ("a quota", False, quota, {}, "(Failed, PodRejected)"),
]


@pytest.mark.usefixtures("image", "operator")
@pytest.mark.parametrize(
    ("trouble", "with_gpu", "before", "spec", "reason"), TROUBLES, ids=[t[0] for t in TROUBLES]
)
def test_the_sentence(
    trouble: str,
    with_gpu: bool,
    before: Callable[[Cluster, Performers], None],
    spec: JSON,
    reason: str,
    cluster: Cluster,
    performers: Performers,
) -> None:
    there = {"nodeSelector": {"kubernetes.io/hostname": cluster.real_node}}
    said = ""

    def says() -> bool:
        nonlocal said
        said = why(cluster, performers.namespace)
        return reason in said

    with gpu_node(cluster) if with_gpu else nullcontext():
        before(cluster, performers)
        where = {} if spec is GPU else there
        performers.create(NAME, scheduling=where, **{"image": IMAGE, **spec})
        wait_until(f"why says {reason}", says, 90)
        sentence = normal(said, performers.namespace)
        if os.environ.get("E2E_RECORD"):
            goldens = json.loads(GOLDENS.read_text()) if GOLDENS.exists() else {}
            goldens[trouble] = sentence
            GOLDENS.write_text(json.dumps(goldens, indent=2, ensure_ascii=False) + "\n")
        assert sentence == json.loads(GOLDENS.read_text())[trouble]
        performers.delete_all()


def why(cluster: Cluster, namespace: str) -> str:
    command = [str(PROGRAM), "why", NAME, "-n", namespace, "--kubeconfig", str(cluster.kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.strip()


def normal(text: str, namespace: str) -> str:
    """Without what differs from run to run: names that are drawn, and how many nodes there are."""
    text = text.replace(namespace, "NAMESPACE")
    text = re.sub(rf"(performer-{NAME})-[a-z0-9]{{10}}-\d+", r"\1-HASH-N", text)
    text = re.sub(r"of \d+ nodes", "of N nodes", text)
    text = re.sub(r"the only node does not have", "none of N nodes has", text)
    return re.sub(r"\d+ other nodes? ha(ve|s)", "N other nodes have", text)
