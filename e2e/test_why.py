"""`kubectl performer why`: one sentence that names the thing to change, for each trouble.

The sentences are goldens in `why.json` beside this file; `E2E_RECORD=1` writes them anew.
"""

import re
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from clusters import Cluster, wait_until
from conftest import PERFORMER_IMAGE
from gpus import ANYWHERE, GPU, cordoned, gpu_in_use, gpu_node, nothing
from hourglass_kube.types import JSON
from operators import Performers
from plugin import kubectl_performer
from recorded import expect_recorded, recorded

GOLDENS = Path(__file__).with_name("why.json")
NAME = "worker"


def quota(cluster: Cluster, performers: Performers) -> None:
    arguments = ("create", "quota", "no-pods", "--hard=pods=0", "-n", performers.namespace)
    cluster.kubectl(*arguments)

    def in_force() -> bool:
        found = cluster.get("quota", "no-pods", "-n", performers.namespace)
        return "used" in found.get("status", {})

    wait_until("the quota is in force", in_force)


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


@pytest.mark.usefixtures("performer_image", "operator")
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

    def says_recorded() -> bool:
        return says() and normal(said, performers.namespace) == recorded(GOLDENS, trouble)

    with gpu_node(cluster) if with_gpu else nullcontext():
        before(cluster, performers)
        where = ANYWHERE if spec is GPU else there
        performers.create(NAME, scheduling=where, **{"image": PERFORMER_IMAGE, **spec})
        wait_until(f"why says {reason}", says, 90)
        # A kubelet that is busy first reports something else: its caches are not filled yet.
        with suppress(TimeoutError):
            wait_until("why says what is recorded", says_recorded)
        sentence = normal(said, performers.namespace)
        expect_recorded(GOLDENS, trouble, sentence, [each[0] for each in TROUBLES])
        performers.delete_all()


def why(cluster: Cluster, namespace: str) -> str:
    return kubectl_performer(cluster, "why", NAME, "-n", namespace).strip()


def normal(text: str, namespace: str) -> str:
    """Without what differs from run to run: names that are drawn, and how many nodes there are."""
    text = text.replace(namespace, "NAMESPACE")
    text = re.sub(rf"(performer-{NAME})-[a-z0-9]{{10}}-\d+", r"\1-HASH-N", text)
    text = re.sub(r"of \d+ nodes", "of N nodes", text)
    text = re.sub(r"the only node does not have", "none of N nodes has", text)
    return re.sub(r"\d+ other nodes? ha(ve|s)", "N other nodes have", text)
