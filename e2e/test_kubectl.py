"""kubectl prints on the simulator what it prints on a real cluster, command by command.

The real cluster's output is recorded (`E2E_RECORD=1`); the simulator's is compared with the record
wherever there is one, and where the cluster of the run is real, that with the record too.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import Cluster, write_image
from clusters.build import program
from conftest import ClusterReport
from hourglass_simulator.kubernetes.version import NEWEST, VERSIONS
from kubectl.compare import differences, needless
from kubectl.play import play, shell
from kubectl.sequences import Sequence, load
from kubectl.simulated import IMAGES, simulated
from kubectl.transcript import read, written

GOLDENS = Path(__file__).with_name("kubectl") / "goldens"
KUBECTL = NEWEST
"""The minor version of kubectl, whatever the cluster's."""
DOCUMENT = Path(__file__).parent.parent / "docs" / "serve.md"
SEQUENCES = load()
EVERY_SEQUENCE = pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda each: each.name)


def golden(kubernetes: str, sequence: Sequence) -> Path:
    return GOLDENS / kubernetes / f"{sequence.name}.txt"


RECORDED = pytest.mark.parametrize(
    ("simulator", "sequence"),
    [
        pytest.param(kubernetes, sequence, id=f"{sequence.name}-{kubernetes}")
        for kubernetes in VERSIONS
        for sequence in SEQUENCES
        if golden(kubernetes, sequence).exists()
    ],
    indirect=["simulator"],
)


@pytest.fixture(scope="module")
def kubectl() -> Path:
    return program("kubectl", print, KUBECTL)


@pytest.fixture(scope="module")
def simulator(
    request: pytest.FixtureRequest, kubectl: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("simulator")
    with simulated(kubectl, request.param, folder) as kubeconfig:
        yield request.param, kubeconfig


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
    sequence: Sequence, own_cluster: Cluster, images: None, kubectl: Path, tmp_path: Path
) -> None:
    minor = own_cluster.version.removeprefix("v").rpartition(".")[0]
    file, records = golden(minor, sequence), bool(os.environ.get("E2E_RECORD"))
    if not (records or sequence.quick or "E2E_KUBECTL" in os.environ):
        pytest.skip("it takes long on a real cluster: make e2e-full plays it, or E2E_KUBECTL")
    if not records and not file.exists():
        pytest.skip(f"its commands of kubectl are yet to be recorded from {minor}")
    opened = shell(kubectl, own_cluster.kubeconfig, sequence.namespace, tmp_path)
    printed = play(sequence, opened)
    if records:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(written(sequence, printed), "utf-8")
    recorded = read(sequence, file.read_text("utf-8"))
    found = differences(sequence, printed, recorded)
    assert not found, f"{len(found)} of {len(printed)} commands:\n" + "\n".join(found)


@RECORDED
def test_the_simulator_prints_what_a_real_cluster_prints(
    sequence: Sequence,
    simulator: tuple[str, Path],
    kubectl: Path,
    tmp_path: Path,
    cluster_report: ClusterReport,
) -> None:
    kubernetes, kubeconfig = simulator
    theirs = read(sequence, golden(kubernetes, sequence).read_text("utf-8"))
    opened = shell(kubectl, kubeconfig, sequence.namespace, tmp_path)
    ours = play(sequence, opened, simulated=True)
    found = [*differences(sequence, ours, theirs), *needless(sequence, ours, theirs)]
    assert not found, f"{len(found)} of {len(ours)} commands:\n" + "\n".join(found)
    known = sum(bool(command.differs) for command in sequence.compared)
    counts = f"{len(ours) - known} commands alike, {known} but for what is documented"
    cluster_report.add(f"kubectl {sequence.name} on {kubernetes}: {counts}")


def test_every_difference_is_documented() -> None:
    text = " ".join(DOCUMENT.read_text("utf-8").split())
    commands = [command for sequence in SEQUENCES for command in sequence.commands]
    reasons = {known.reason for command in commands for known in command.differs}
    assert [reason for reason in sorted(reasons) if reason not in text] == []
