"""End-to-end tests: the cluster they run on, and what the run says at its end."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import images
import smoke
from clusters import Cluster, Components, UnavailableError, wait_until
from clusters.choose import AUTO, choose
from clusters.providers import NAMES, providers
from hourglass_operator.manifests.kubernetes_versions import TESTED
from hourglass_operator.manifests.roles import NAME
from operators import Operator, Performers, running

NO_CLUSTER = 69
"""Exit code of a run that found no cluster: EX_UNAVAILABLE of sysexits.h."""


CRDS = Path(__file__).parent.parent / "crds"
PERFORMERS = "performers.hourglass.eigenlayer.io"
PERFORMER_IMAGE = "localhost/performer:v1"
OPERATOR_IMAGE = f"localhost/{NAME}:e2e"


class ClusterReport:
    """Lines for the end of the run, such as how many scenario files agreed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Print this line after the tests."""
        self.lines.append(line)


REPORT = pytest.StashKey[ClusterReport]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cluster",
        choices=[AUTO, *NAMES],
        default=os.environ.get("E2E_CLUSTER", AUTO),
        help="who provides the cluster (default: $E2E_CLUSTER or auto; see e2e/README.md)",
    )
    parser.addoption(
        "--kubernetes",
        choices=TESTED,
        default="",
        help="its minor version (see e2e/README.md)",
    )
    parser.addoption(
        "--smoke",
        action="store_true",
        help="play only what smoke.py chooses, ten minutes at most, and say what is left out",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = ClusterReport()
    # Whoever ends the run by SIGTERM gets the same clean end as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("smoke"):
        return
    played, left_out = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        callspec = getattr(item, "callspec", None)
        parameters = callspec.id if callspec is not None else ""
        (played if smoke.is_chosen(item.path.name, parameters) else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = played
    config.stash[REPORT].add(smoke.summary(len(played), (item.path.name for item in left_out)))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if lines := config.stash[REPORT].lines:
        terminalreporter.section("cluster")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def cluster_report(request: pytest.FixtureRequest) -> ClusterReport:
    """`cluster_report.add("40 scenario files, all agreed")` prints that at the end."""
    return request.config.stash[REPORT]


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, cluster_report: ClusterReport) -> Iterator[Cluster]:
    """The one cluster of the run; without any the run ends with exit code 69."""
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    capture = request.config.pluginmanager.get_plugin("capturemanager")

    assert terminal is not None
    assert capture is not None

    def log(line: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.write_line(f"[cluster] {line}", flush=True)

    wanted = request.config.getoption("cluster")
    kubernetes = request.config.getoption("kubernetes")
    try:
        with choose(wanted, providers(kubernetes), log) as chosen:
            line = f"{chosen.provider}: Kubernetes {chosen.version}"
            log(line)
            cluster_report.add(line)
            yield chosen
    except UnavailableError as reason:
        cluster_report.add(f"no cluster: {reason}")
        pytest.exit(f"no cluster ({wanted}): {reason}", returncode=NO_CLUSTER)


@pytest.fixture(scope="session")
def own_cluster(cluster: Cluster) -> Cluster:
    """The cluster; what works under names that may be somebody's is skipped in a shared one."""
    if cluster.shared:
        pytest.skip("this test needs a cluster of its own: it uses names that may be somebody's")
    return cluster


@pytest.fixture(scope="session")
def dns(cluster: Cluster) -> None:
    """Pods look up names of Services; the test is skipped where they cannot."""
    if not cluster.has_dns():
        pytest.skip(f"{cluster.provider} gives pods no DNS")


@pytest.fixture(scope="session")
def custom_resource(cluster: Cluster) -> str:
    """The name of the Performer CRD, which the cluster serves from now on."""
    install_definition(cluster)
    return PERFORMERS


def install_definition(cluster: Cluster) -> None:
    """Apply the Performer CRD; return once it is served."""
    cluster.apply(CRDS / f"{PERFORMERS}.yaml")

    def established() -> bool:
        status = cluster.get("crd", PERFORMERS).get("status", {})
        # At first they are null.
        conditions = status.get("conditions") or ()
        return any((c["type"], c["status"]) == ("Established", "True") for c in conditions)

    wait_until(f"{PERFORMERS} is Established", established)


@pytest.fixture(scope="session")
def performer_image(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image of the tests' performer, which the real node has from now on."""
    archive = tmp_path_factory.mktemp("image") / "performer.tar"
    cluster.import_image(images.performer_image(archive, PERFORMER_IMAGE, print))
    return PERFORMER_IMAGE


@pytest.fixture(scope="session")
def operator_image(own_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The operator's image, which the real node has from now on."""
    archive = tmp_path_factory.mktemp("image") / "operator.tar"
    own_cluster.import_image(images.operator_image(archive, OPERATOR_IMAGE, print))
    return OPERATOR_IMAGE


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of the test's own."""
    with cluster.namespace() as name:
        yield name


@pytest.fixture
def components(cluster: Cluster) -> Components:
    """The processes of the control plane; the test is skipped where they are out of reach."""
    if cluster.components is None:
        pytest.skip(f"{cluster.provider} gives no hold on the control plane: native does")
    return cluster.components


@pytest.fixture
def audit_log(cluster: Cluster) -> Path:
    """The API server's audit log; the test is skipped where there is none."""
    if cluster.audit_log is None:
        pytest.skip(f"{cluster.provider} has no audit log: native has")
    return cluster.audit_log


@pytest.fixture
def performers(cluster: Cluster, custom_resource: str, namespace: str) -> Iterator[Performers]:
    """The Performers of the test's namespace; those that are left at the end are taken away."""
    those = Performers.of(cluster, namespace)
    yield those
    # Nobody would release their finalizers later, and the namespace could not end.
    those.delete_all()


@pytest.fixture
def operator(
    cluster: Cluster, performers: Performers, namespace: str, tmp_path: Path
) -> Iterator[Operator]:
    """The operator as a process of this machine, with the rights it is given and its own Lease."""
    with running(cluster, namespace, tmp_path) as replica:
        yield replica
