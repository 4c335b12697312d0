"""Each permission is needed, missed by name, and found again without a restart.

On the cluster, and on `hourglass-sim serve --rbac`. docs/security.md is made from
`permissions.json` beside this file; `E2E_RECORD=1` writes it anew.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clusters import Cluster, wait_until
from clusters.runs import kubectl_program
from conftest import ClusterReport, install_definition
from hourglass_operator.runtime.process.preflight import Exit
from hourglass_simulator.kubernetes.version import OLDEST
from lost_permissions import IMAGE, LOST_PERMISSIONS, LostPermission, Scene
from operators import SHORT_LEASE, Operator, Performers, Relay, operator_account, redirect
from permissions import ALL, Grants, Right
from recorded import expect_recorded
from simulated import simulated

ACCOUNT = "operator"
RECORD = Path(__file__).with_name("permissions.json")


@pytest.fixture(scope="module", params=["cluster", "simulator"])
def backend(
    request: pytest.FixtureRequest,
    cluster_report: ClusterReport,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    """A cluster that decides by roles and serves Performers, with a node for their pods."""
    if request.param == "cluster":
        cluster: Cluster = request.getfixturevalue("cluster")
        request.getfixturevalue("custom_resource")
        cluster.add_fake_nodes(1)
        yield cluster
        return
    folder, kubectl = tmp_path_factory.mktemp("simulated"), kubectl_program(cluster_report.add)
    with simulated(OLDEST, folder, Path(kubectl), "--rbac") as cluster:
        install_definition(cluster)
        cluster.kubectl("label", "node", "plain-1", "type=kwok")
        yield cluster


@pytest.fixture(scope="module")
def place(
    backend: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Performers, Grants, Path]]:
    """A namespace with an account for the operator: Performers, its roles, its kubeconfig."""
    kubeconfig = tmp_path_factory.mktemp("operator") / "kubeconfig"
    with backend.namespace() as namespace:
        operator_account(backend, namespace, ACCOUNT, kubeconfig)
        performers = Performers.of(backend, namespace)
        yield performers, Grants(backend, namespace, ACCOUNT), kubeconfig
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
    assert [relay for relay in lines if f"missing permission: {right.name} " in relay], lines
    assert right.permission.use in lines[0]
    assert not any("Traceback" in relay for relay in lines)


def test_there_is_a_loss_for_each_permission() -> None:
    assert [loss.right for loss in LOST_PERMISSIONS] == [right.name for right in ALL]


@pytest.fixture(scope="module")
def running(
    backend: Cluster,
    place: tuple[Performers, Grants, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Operator, Relay]]:
    """An operator that leads, and the relay between it and the API server."""
    performers, _, kubeconfig = place
    folder, address = tmp_path_factory.mktemp("running"), urlsplit(backend.server)
    with Relay(str(address.hostname), address.port or 443).open() as relay:
        own = folder / "kubeconfig"
        own.write_text(kubeconfig.read_text())
        redirect(own, relay.server)
        flags = (f"--lease-namespace={performers.namespace}", "--resync-period=1", *SHORT_LEASE)
        operator = Operator(own, folder / "log", flags)
        operator.start()
        operator.wait_leading()
        yield operator, relay
        operator.kill()


@pytest.mark.parametrize(
    ("loss", "right"),
    list(zip(LOST_PERMISSIONS, ALL, strict=True)),
    ids=[right.name for right in ALL],
)
def test_one_that_is_lost_and_given_back_needs_no_restart(
    loss: LostPermission,
    right: Right,
    place: tuple[Performers, Grants, Path],
    running: tuple[Operator, Relay],
    backend: Cluster,
    cluster_report: ClusterReport,
) -> None:
    performers, grants, _ = place
    operator, relay = running
    pid = operator.pid
    for earlier in performers.items("performers"):
        performers.delete(earlier["metadata"]["name"])
    performers.wait_settled({})
    scene = Scene(f"p{LOST_PERMISSIONS.index(loss)}", performers, operator, relay)
    performers.create(scene.name, IMAGE)
    performers.wait_settled({scene.name: IMAGE})

    with grants.without(right):
        loss.happens(scene)
        missing = f"missing permission: {right.name} "
        wait_until("it is logged", lambda: missing in operator.log.read_text(), 60)
        wait_until("the operator is not ready", lambda: not operator.is_ready())
        wait_until(f"it happens: {loss.not_done}", lambda: not loss.done(scene))
    loss.then(scene)
    wait_until("it is done after all", lambda: loss.done(scene), 60)
    wait_until("it is ready again", operator.is_ready)
    assert operator.pid == pid
    seen = {"when": loss.when, "not_done": loss.not_done}
    expect_recorded(RECORD, right.name, seen, [each.name for each in ALL])
    if right is ALL[-1]:
        line = f"{backend.provider}: {len(ALL)} permissions removed in turn, each missed by name"
        cluster_report.add(line)
