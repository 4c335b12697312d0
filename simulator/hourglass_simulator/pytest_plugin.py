"""Fixtures for tests of operators, which pytest finds by itself where this package is installed.

Nothing of the simulator is imported until a test uses one of them: docs/any-operator.md.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hourglass_simulator.testing import ServedCluster, SimulatedCluster
    from hourglass_simulator.testing.options import Options

MARKER = "simulated_cluster"
VERSION_OPTION = "--simulated-kubernetes"
VERSION_INI = "simulated_kubernetes"
MANIFESTS_INI = "simulated_manifests"
_CLUSTER = pytest.StashKey["SimulatedCluster"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The version of Kubernetes, and what every cluster has in it."""
    group = parser.getgroup("simulated Kubernetes")
    group.addoption(
        VERSION_OPTION,
        metavar="VERSION",
        help="minor version of simulated clusters, unless a test is marked with one",
    )
    parser.addini(VERSION_INI, f"as {VERSION_OPTION}; by default the newest there is")
    parser.addini(
        MANIFESTS_INI,
        "YAML files that every simulated cluster has applied, such as CustomResourceDefinitions",
        type="paths",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker is."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(**options): what the simulated or served cluster of a test is like: kubernetes,"
        " nodes, images and all else that `cluster` of a scenario takes, manifests, rbac, user",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a test that fails what happened in its cluster."""
    report = yield
    cluster = item.stash.get(_CLUSTER, None)
    if cluster is not None and report.when == "call" and report.failed:
        report.sections.append(("simulated cluster", cluster.happened()))
    return report


@pytest.fixture
def simulated_cluster(request: pytest.FixtureRequest) -> "SimulatedCluster":
    """A simulated Kubernetes in the process, whose time passes when the test says so."""
    from hourglass_simulator.testing import SimulatedCluster

    cluster = SimulatedCluster(_options(request))
    request.node.stash[_CLUSTER] = cluster
    return cluster


@pytest.fixture
def served_cluster(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator["ServedCluster"]:
    """A simulated Kubernetes served over HTTP on this machine, where KUBECONFIG leads to."""
    from hourglass_simulator.testing import ServedCluster
    from hourglass_simulator.testing.environment import lead_to

    with ServedCluster.start(_options(request), tmp_path / "kubeconfig") as cluster:
        lead_to(cluster.kubeconfig, monkeypatch)
        request.node.stash[_CLUSTER] = cluster
        yield cluster


def _options(request: pytest.FixtureRequest) -> "Options":
    from hourglass_simulator.testing.options import OptionsError, options

    config = request.config
    given: dict[str, Any] = {}
    # The nearest marker wins, key by key.
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        if marker.args:
            pytest.fail(f"@pytest.mark.{MARKER} takes keywords only", pytrace=False)
        given |= marker.kwargs
    version = config.getoption(VERSION_OPTION) or config.getini(VERSION_INI)
    if version:
        given.setdefault("kubernetes", version)
    try:
        return options(given, config.getini(MANIFESTS_INI), Path(request.path).parent)
    except OptionsError as error:
        pytest.fail(f"@pytest.mark.{MARKER}: {error}", pytrace=False)
