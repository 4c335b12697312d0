"""kubectl prints on a real cluster what is recorded (`E2E_RECORD=1`), command by command."""

import os
from pathlib import Path

import pytest

from clusters import Cluster, write_image
from clusters.build import program
from kubectl.compare import differences
from kubectl.play import play, shell
from kubectl.records import EVERY_SEQUENCE, KUBECTL, golden
from kubectl.sequences import Sequence
from kubectl.simulated import IMAGES
from kubectl.transcript import read, written


@pytest.fixture(scope="module")
def images(
    own_cluster: Cluster, custom_resource: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The real node has the images; the cluster has the definition that the simulator has."""
    if own_cluster.provider == "control-plane":
        # What is played there has no pods.
        return
    archive = tmp_path_factory.mktemp("images") / "image.tar"
    programs = {"localhost/task:1": "task"}
    for image in IMAGES:
        name = programs.get(image, "pause")
        own_cluster.import_image(
            write_image(
                archive,
                image,
                {f"/{name}": program(name, print)},
                entrypoint=[f"/{name}"],
                # Else images of the same content are one to the node.
                environment={"IMAGE": image},
            )
        )


@EVERY_SEQUENCE
def test_the_real_cluster_prints_what_is_recorded(
    sequence: Sequence, own_cluster: Cluster, images: None, tmp_path: Path
) -> None:
    minor = own_cluster.version.removeprefix("v").rpartition(".")[0]
    file, records = golden(minor, sequence), bool(os.environ.get("E2E_RECORD"))
    if not (records or sequence.quick or "E2E_KUBECTL" in os.environ):
        pytest.skip("it takes long on a real cluster: make e2e-full plays it, or E2E_KUBECTL")
    if not records and not file.exists():
        pytest.skip(f"its commands of kubectl are yet to be recorded from {minor}")
    opened = shell(
        program("kubectl", print, KUBECTL), own_cluster.kubeconfig, sequence.namespace, tmp_path
    )
    printed = play(sequence, opened)
    if records:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(written(sequence, printed), "utf-8")
    recorded = read(sequence, file.read_text("utf-8"))
    found = differences(sequence, printed, recorded)
    assert not found, f"{len(found)} of {len(printed)} commands:\n" + "\n".join(found)
