"""`clock`, `fault` and `snapshot` on a cluster that is served, found by its kubeconfig."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hourglass_simulator.cli import main, snapshot_file
from hourglass_simulator.cli.served_faults import ServedFaults
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.harness.snapshot import copy_of
from hourglass_simulator.http.served import served


class Running:
    """A cluster whose time stands still, and the commands on it."""

    def __init__(self, cluster: Cluster, kubeconfig: Path) -> None:
        self.cluster = cluster
        self._kubeconfig = str(kubeconfig)

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--kubeconfig", self._kubeconfig])

    def ready(self, node: str) -> str:
        conditions = self.cluster.api.get("nodes", "", node)["status"]["conditions"]
        return next(str(each["status"]) for each in conditions if each["type"] == "Ready")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    cluster = Cluster(managed_fields=True)
    cluster.fill_namespaces()
    cluster.images.push("*")
    for name in ("node-1", "node-2"):
        cluster.add_node(name)
    kubeconfig = tmp_path_factory.mktemp("running") / "kubeconfig"
    with served(cluster, play=lambda driver: driver.pause()) as there:
        there.finished.wait()
        there.server.control.faults = ServedFaults(there)
        there.write_kubeconfig(kubeconfig)
        yield Running(cluster, kubeconfig)


def test_a_fault_lasts_until_it_is_healed_and_time_passes_by_command(running: Running) -> None:
    assert running("clock", "now").output.endswith("after the start, paused\n")
    injected = running("fault", "node-lost", "node=node-1")
    assert injected.output == (
        "injected node-lost; end it with: hourglass-sim fault --heal node-lost\n"
    )
    assert running("fault", "--active").output == "node-lost\n"
    assert running("clock", "advance", "2m").exit_code == 0
    assert running.ready("node-1") == "Unknown"
    assert running("fault", "--heal", "node-lost").output == "healed node-lost\n"
    running("clock", "advance", "1m")
    assert running.ready("node-1") == "True"


REFUSED = [
    ("a node that is not there", "fault node-lost node=x", "there is no node x; there are node-1"),
    ("an unknown fault", "fault nodelost", "unknown fault; expected one of api-conflict"),
    ("a missing parameter", "fault node-lost", "node-lost.node: required, but missing"),
    ("no key and value", "fault node-lost node", "expected KEY=VALUE"),
    ("a value that is no YAML", "fault node-lost node=[", "expected KEY=VALUE"),
    ("a fault of the operator's process", "fault two-leaders", "two-leaders: "),
    ("what does not last", "fault --heal slow-pull", "slow-pull: nothing to heal"),
    ("neither a name nor an option", "fault", "expected one of NAME, --list"),
    ("a name and an option", "fault node-lost --active", "expected one of NAME, --list"),
    ("a duration that is none", "clock advance 5", "is not a duration; write it as 30s"),
    ("a speed of zero", "clock speed 0", "0.0 is not in the range"),
]


@pytest.mark.parametrize(("command", "text"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_bad_input_is_refused(running: Running, command: str, text: str) -> None:
    result = running(*command.split())
    assert result.exit_code == 2, result.output
    assert text in " ".join(result.output.split())


def test_a_kubeconfig_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    nowhere = tmp_path / "kubeconfig"
    result = CliRunner().invoke(main, ["clock", "now", "--kubeconfig", str(nowhere)])
    assert result.exit_code == 2
    assert "expected the kubeconfig that `hourglass-sim serve` wrote" in result.output


def test_what_is_saved_can_be_loaded(running: Running, tmp_path: Path) -> None:
    api = running.cluster.api
    labels = {"app": "web"}
    container = {"name": "web", "image": "web:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    api.create("deployments", {"metadata": {"name": "web"}, "spec": spec}, namespace="default")
    running("clock", "advance", "1m")
    before = _pods(running.cluster)
    assert {phase for _, phase in before.values()} == {"Running"}
    file = tmp_path / "cluster.yaml"
    assert running("snapshot", "save", str(file)).exit_code == 0
    items = snapshot_file.read(file).objects
    copied = copy_of(items, managed_fields=True).cluster
    copied.fill_namespaces()
    copied.run_until(60)
    assert _pods(copied) == before


def _pods(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """Node and phase of each by its name."""
    return {
        pod["metadata"]["name"]: (pod["spec"]["nodeName"], pod["status"]["phase"])
        for pod in cluster.api.list("pods").items
    }
