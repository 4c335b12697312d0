"""kubectl prints on the simulator what is recorded from real clusters, command by command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters.build import program
from conftest import ClusterReport
from kubectl.compare import differences, needless
from kubectl.play import play, shell
from kubectl.records import EVERY_SEQUENCE, KUBECTL, RECORDED, SEQUENCES, golden
from kubectl.sequences import Sequence
from kubectl.simulated import simulated
from kubectl.transcript import read

DOCUMENT = Path(__file__).parent.parent / "docs" / "serve.md"


@pytest.fixture(scope="module")
def kubectl() -> Path:
    return program("kubectl", print, KUBECTL)


@pytest.fixture(scope="module", params=RECORDED)
def simulator(
    request: pytest.FixtureRequest, kubectl: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("simulator")
    with simulated(kubectl, request.param, folder) as kubeconfig:
        yield request.param, kubeconfig


@EVERY_SEQUENCE
def test_the_simulator_prints_what_a_real_cluster_prints(
    sequence: Sequence,
    simulator: tuple[str, Path],
    kubectl: Path,
    tmp_path: Path,
    cluster_report: ClusterReport,
) -> None:
    kubernetes, kubeconfig = simulator
    file = golden(kubernetes, sequence)
    if not file.exists():
        pytest.skip(f"its commands of kubectl are yet to be recorded from {kubernetes}")
    theirs = read(sequence, file.read_text("utf-8"))
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
