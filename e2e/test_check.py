"""`kubectl performer check` predicts what then happens on a real cluster."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from clusters import Cluster, wait_until
from gpus import ANYWHERE, GPU, cordoned, gpu_in_use, gpu_node, nothing
from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, VERSION
from operators import Performers
from operators.namespace_state import ready_condition
from operators.performers import AVS
from plugin import kubectl_performer

IMAGE = "x:v1"
CASES: list[tuple[str, Callable[[Cluster, Performers], None], str]] = [
    ("a free GPU node", nothing, "Running"),
    ("a GPU node in use", gpu_in_use, "Pending"),
    ("a cordoned GPU node", cordoned, "Pending"),
]


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize(("before", "phase"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_said_comes_true(
    before: Callable[[Cluster, Performers], None],
    phase: str,
    cluster: Cluster,
    performers: Performers,
    tmp_path: Path,
) -> None:
    with gpu_node(cluster):
        before(cluster, performers)
        said = check(cluster, performers.namespace, tmp_path)
        assert (said["runs"], said["phase"]) == (phase == "Running", phase)
        performers.create("worker", IMAGE, ANYWHERE, **GPU)
        came = ""

        def comes_true() -> bool:
            nonlocal came
            worker = performers.get("worker")
            came = ready_condition(worker).get("message", "")
            return (worker.get("status", {}).get("phase"), came) == (phase, said["message"])

        try:
            wait_until("what was said", comes_true)
        except TimeoutError:
            raise AssertionError(f"said {said['message']!r}, came {came!r}") from None


def check(cluster: Cluster, namespace: str, folder: Path) -> JSON:
    """Its answer for the Performer that the test then creates."""
    performer = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": "worker", "namespace": namespace},
        "spec": {"avsAddress": AVS, "image": IMAGE, "scheduling": ANYWHERE, **GPU},
    }
    manifest, kubectl = folder / "performer.json", folder / "bin" / "kubectl"
    manifest.write_text(json.dumps(performer))
    kubectl.parent.mkdir()
    kubectl.symlink_to(str(shutil.which(cluster.kubectl_program)))
    path = {"PATH": f"{kubectl.parent}:{os.environ['PATH']}"}
    arguments = ("check", "-f", str(manifest), "-o", "json")
    (answer,) = json.loads(kubectl_performer(cluster, *arguments, environment=path))
    return dict(answer)
