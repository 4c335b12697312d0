"""Each permission is needed, missed by name, and found again without a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import Cluster, wait_until
from conftest import ClusterReport
from hourglass_operator.runtime.preflight import Exit
from operators import Operator, Performers, operator_account
from permissions import ALL, Grants, Right

ACCOUNT = "operator"
IMAGE = "x:v1"


@pytest.fixture(scope="module")
def place(
    cluster: Cluster, custom_resource: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Performers, Grants, Path]]:
    """A namespace with an account for the operator: Performers, its roles, its kubeconfig."""
    cluster.add_fake_nodes(1)
    kubeconfig = tmp_path_factory.mktemp("operator") / "kubeconfig"
    with cluster.namespace() as namespace:
        operator_account(cluster, namespace, ACCOUNT, kubeconfig)
        performers = Performers.of(cluster, namespace)
        yield performers, Grants(cluster, namespace, ACCOUNT), kubeconfig
        performers.delete_all()


@pytest.mark.parametrize("right", ALL, ids=[right.name for right in ALL])
def test_without_it_the_operator_does_not_start_and_says_why(
    right: Right, place: tuple[Performers, Grants, Path], tmp_path: Path
) -> None:
    performers, grants, kubeconfig = place
    flags = (f"--lease-namespace={performers.namespace}", "--startup-timeout=0")
    operator = Operator(kubeconfig, tmp_path / "log", flags)
    with grants.without(right):
        operator.start()
        wait_until("the operator has ended", lambda: not operator.runs, 30)
    assert operator.stop() == Exit.NO_PERMISSION
    lines = operator.log.read_text().splitlines()
    assert [line for line in lines if f"missing permission: {right.name} " in line], lines
    assert right.permission.use in lines[0]
    assert not any("Traceback" in line for line in lines)


WRITES = [
    right
    for right in ALL
    if right.verb in ("create", "patch")
    and right.permission.resource in ("performers", "performers/status", "pods", "services")
    and (right.verb, right.permission.resource) not in (("patch", "pods"), ("patch", "services"))
]
"""What a new Performer cannot do without."""


@pytest.fixture(scope="module")
def operator(
    place: tuple[Performers, Grants, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    performers, _, kubeconfig = place
    flags = (f"--lease-namespace={performers.namespace}",)
    running = Operator(kubeconfig, tmp_path_factory.mktemp("log") / "log", flags)
    running.start()
    running.wait_leading()
    yield running
    running.kill()


@pytest.mark.parametrize("right", WRITES, ids=[right.name for right in WRITES])
def test_one_that_is_lost_and_given_back_needs_no_restart(
    right: Right,
    place: tuple[Performers, Grants, Path],
    operator: Operator,
    cluster_report: ClusterReport,
) -> None:
    performers, grants, _ = place
    pid = operator.pid
    name = f"p{WRITES.index(right)}"
    with grants.without(right):
        performers.create(name, IMAGE)
        wait_until(
            "it is told", lambda: f"missing permission: {right.name} " in operator.log.read_text()
        )
        wait_until("readiness tells it", lambda: not operator.is_ready())
    performers.wait_settled({f"p{number}": IMAGE for number in range(WRITES.index(right) + 1)})
    wait_until("it is ready again", operator.is_ready)
    assert operator.pid == pid
    if right is WRITES[-1]:
        cluster_report.add(f"{len(ALL)} permissions removed in turn, each missed by name")
