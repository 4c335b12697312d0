"""Scenario files go the same way on a real cluster as on the simulator."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from clusters import Cluster
from clusters.build import program
from conftest import ClusterReport
from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.kubernetes.version import Version, minor_of, nearest
from hourglass_simulator.scenario import find, load, run
from hourglass_simulator.scenario.result import Result
from hourglass_simulator.scenario.run import OBSERVED
from operators import SHORT_LEASE, Operator, operator_account
from scenarios.api import Api
from scenarios.backend import RealBackend
from scenarios.kwok import Kwok
from scenarios.other_nodes import OtherNodes
from scenarios.pace import extend_deadlines, shorten_windows
from scenarios.proxy import Proxy
from scenarios.selection import PODS, SCENARIOS, left_out
from scenarios.status_history import difference, status_histories

FILES = [path for path in find([SCENARIOS]) if path.parent != PODS]
WANTED = 40
"""Files that must run on both backends."""
NAMESPACE = "hourglass-scenarios"
"""Of the operator's account and Lease."""


@dataclass
class Outcomes:
    """How many files agreed, and which were left out for which rule."""

    agreed: list[str] = field(default_factory=list)
    differed: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def ran(self) -> int:
        return len(self.agreed) + len(self.differed)

    def lines(self) -> Iterator[str]:
        yield f"scenario files on both backends: {self.ran}, of which agreed: {len(self.agreed)}"
        for rule, count in Counter(self.left_out.values()).most_common():
            yield f"scenario files left out: {count}: {rule}"
        yield from (f"scenario file that differed: {name}" for name in self.differed)


@pytest.fixture(scope="module")
def outcomes(cluster_report: ClusterReport) -> Iterator[Outcomes]:
    found = Outcomes()
    yield found
    for line in found.lines():
        cluster_report.add(line)


@dataclass(frozen=True)
class Stage:
    """All that a scenario needs on the real cluster; `kubernetes` is what the simulator speaks."""

    kubernetes: Version

    api: Api
    kwok: Kwok
    other_nodes: OtherNodes
    proxy: Proxy


@pytest.fixture(scope="module")
def stage(
    own_cluster: Cluster, custom_resource: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    cluster = own_cluster
    folder = tmp_path_factory.mktemp("scenarios")
    api = Api(cluster.kubeconfig, folder)
    for resource in OBSERVED:
        api.watch(resource)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    account, proxied = folder / "account.kubeconfig", folder / "operator.kubeconfig"
    operator_account(cluster, NAMESPACE, "operator", account)
    with ExitStack() as running:
        other_nodes = running.enter_context(OtherNodes(api))
        proxy = running.enter_context(Proxy(account, api.records.put))
        proxy.write_kubeconfig(proxied)
        lease = (f"--lease-namespace={NAMESPACE}", *SHORT_LEASE)
        operator = Operator(proxied, folder / "operator.log", lease)
        operator.start()
        running.callback(operator.stop)
        operator.wait_leading()
        kwok = Path(shutil.which("kwok") or program("kwok", print))
        simulated = nearest(minor_of(cluster.version) or 0)
        yield Stage(simulated, api, Kwok(kwok, cluster.kubeconfig, folder), other_nodes, proxy)
        assert not operator.missed()
        assert not operator.warned()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SCENARIOS)))
def test_scenario_goes_the_same_way_on_a_real_cluster(
    path: Path, stage: Stage, outcomes: Outcomes
) -> None:
    name = str(path.relative_to(SCENARIOS))
    file = load(path, REGISTRY)
    cluster = file.scenario.cluster.model_copy(update={"kubernetes": stage.kubernetes.name})
    written = file.scenario.model_copy(update={"cluster": cluster})
    scenario = shorten_windows(stage.other_nodes.apart(written, path.parent))
    simulated: list[Result] = []

    def play() -> Result:
        beside = replace(file, scenario=stage.other_nodes.beside(scenario))
        backend = SimulatedBackend(version=stage.kubernetes)
        # KWOK has no images that a pod could find on its node.
        backend.cluster.images.kept = False
        simulated.append(run(beside, backend))
        return simulated[-1]

    if rule := left_out(scenario, play):
        outcomes.left_out[name] = rule
        pytest.skip(rule)
    outcomes.differed.append(name)
    with RealBackend(stage.api, stage.kwok, stage.proxy.writing) as backend:
        real = run(replace(file, scenario=extend_deadlines(scenario)), backend)
    assert real.met, "\n".join(f"{step.where}: {failure}" for step, failure in real.failures)
    assert_same_histories(simulated[-1], real)
    outcomes.differed.remove(name)
    outcomes.agreed.append(name)


def assert_same_histories(simulated: Result, real: Result) -> None:
    """Every Performer went through the same on both."""
    one = status_histories(simulated.records, simulated.duration)
    other = status_histories(real.records, real.duration)
    differences = [
        f"{namespace}/{name} (number {number} of that name):\n{text}"
        for namespace, name, number in sorted({*one, *other})
        if (
            text := difference(
                one.get((namespace, name, number), []), other.get((namespace, name, number), [])
            )
        )
    ]
    assert not differences, "\n".join(differences)


def test_enough_scenario_files_ran_on_both_backends(outcomes: Outcomes) -> None:
    if outcomes.ran + len(outcomes.left_out) < len(FILES):
        pytest.skip("not all files were selected")
    assert outcomes.ran >= WANTED
