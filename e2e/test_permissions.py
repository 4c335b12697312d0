"""Each permission is needed, missed by name, and found again without a restart.

docs/security.md is made from `permissions.json` beside this file; `E2E_RECORD=1` writes it anew.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clusters import Cluster, wait_until
from conftest import ClusterReport
from hourglass_operator.runtime.process.preflight import Exit
from losses import IMAGE, LOSSES, Loss, Scene
from operators import SHORT_LEASE, Line, Operator, Performers, operator_account, redirect
from permissions import ALL, Grants, Right
from recorded import expect_recorded

ACCOUNT = "operator"
RECORD = Path(__file__).with_name("permissions.json")


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


def test_there_is_a_loss_for_each_permission() -> None:
    assert [loss.right for loss in LOSSES] == [right.name for right in ALL]


@pytest.fixture(scope="module")
def running(
    cluster: Cluster,
    place: tuple[Performers, Grants, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Operator, Line]]:
    """An operator that leads, and its line to the API server."""
    performers, _, kubeconfig = place
    folder, address = tmp_path_factory.mktemp("running"), urlsplit(cluster.server)
    with Line(str(address.hostname), address.port or 443).open() as line:
        own = folder / "kubeconfig"
        own.write_text(kubeconfig.read_text())
        redirect(own, line.server)
        flags = (f"--lease-namespace={performers.namespace}", "--resync-period=1", *SHORT_LEASE)
        operator = Operator(own, folder / "log", flags)
        operator.start()
        operator.wait_leading()
        yield operator, line
        operator.kill()


@pytest.mark.parametrize(
    ("loss", "right"), list(zip(LOSSES, ALL, strict=True)), ids=[right.name for right in ALL]
)
def test_one_that_is_lost_and_given_back_needs_no_restart(
    loss: Loss,
    right: Right,
    place: tuple[Performers, Grants, Path],
    running: tuple[Operator, Line],
    cluster_report: ClusterReport,
) -> None:
    performers, grants, _ = place
    operator, line = running
    pid = operator.pid
    for earlier in performers.items("performers"):
        performers.delete(earlier["metadata"]["name"])
    performers.wait_settled({})
    scene = Scene(f"p{LOSSES.index(loss)}", performers, operator, line)
    performers.create(scene.name, IMAGE)
    performers.wait_settled({scene.name: IMAGE})

    with grants.without(right):
        loss.happens(scene)
        told = f"missing permission: {right.name} "
        wait_until("it is told", lambda: told in operator.log.read_text(), 60)
        wait_until("readiness tells it", lambda: not operator.is_ready())
        wait_until(f"it happens: {loss.not_done}", lambda: not loss.done(scene))
    loss.then(scene)
    wait_until("it is done after all", lambda: loss.done(scene), 60)
    wait_until("it is ready again", operator.is_ready)
    assert operator.pid == pid
    seen = {"when": loss.when, "not_done": loss.not_done}
    expect_recorded(RECORD, right.name, seen, [each.name for each in ALL])
    if right is ALL[-1]:
        cluster_report.add(f"{len(ALL)} permissions removed in turn, each missed by name")
