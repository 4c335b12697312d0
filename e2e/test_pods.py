"""Scenario files about pods go the same way on a real kubelet as on the simulator."""

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest

from clusters import Cluster
from conftest import ClusterReport
from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.kubernetes.version import Version, minor_of, nearest
from hourglass_simulator.scenario import Observer, ScenarioFile, find, load, run
from hourglass_simulator.scenario.cluster import Cluster as Wanted
from hourglass_simulator.scenario.result import Result
from images import container_image
from scenarios.api import Api
from scenarios.backend import RealBackend
from scenarios.named_images import images_of
from scenarios.other_nodes import node_group
from scenarios.pace import extend_deadlines, shorten_windows
from scenarios.pod_history import event_reasons, pod_histories
from scenarios.selection import PODS
from scenarios.status_history import difference

FILES = find([PODS])
AT_ONCE = 8
"""Scenarios that are played at the same time, each in a namespace of its own."""


@dataclass(frozen=True)
class Played:
    """A scenario on both backends."""

    simulated: Result
    real: Result


class WithImages(SimulatedBackend):
    """A simulated cluster whose node has images, as the real one has them."""

    def __init__(self, version: Version, images: Iterable[str]) -> None:
        super().__init__(version=version)
        self._images = tuple(images)

    def start(
        self, cluster: Wanted, namespace: str, resources: Collection[str], observer: Observer
    ) -> None:
        super().start(cluster, namespace, resources, observer)
        for group in cluster.nodes:
            for name, image in product(group.names, self._images):
                self.cluster.kubelets.preload(name, image)


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest,
    own_cluster: Cluster,
    custom_resource: str,
    tmp_path_factory: pytest.TempPathFactory,
    cluster_report: ClusterReport,
) -> Iterator[Callable[[Path], Played]]:
    """Plays all selected files, several at once; gives what became of one of them."""
    cluster, folder = own_cluster, tmp_path_factory.mktemp("pods")
    selected = {
        path
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
        if isinstance(path := item.callspec.params["path"], Path)
    }
    files = {path: load(path, REGISTRY) for path in sorted(selected)}
    # Those of earlier tests.
    cluster.remove_fake_nodes()
    images = images_of([file.scenario for file in files.values()])
    for number, (name, image) in enumerate(images.items()):
        cluster.import_image(container_image(folder / f"{number}.tar", name, image, print))
    node = node_group(cluster.get("node", cluster.real_node), [])
    version = nearest(minor_of(cluster.version) or 0)
    api = Api(cluster.kubeconfig, folder)

    def play(path: Path) -> Played:
        written, namespace = files[path].scenario, f"pods-{path.stem}"
        like_it = {"kubernetes": version.name, "nodes": (node,)}
        here = {"cluster": written.cluster.model_copy(update=like_it), "namespace": namespace}
        file = replace(files[path], scenario=shorten_windows(written.model_copy(update=here)))
        simulated = run(file, WithImages(version, images))
        return Played(simulated, play_for_real(file, api.within(namespace)))

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        playing = {path: pool.submit(play, path) for path in files}
        yield lambda path: playing[path].result()
    finally:
        # After Ctrl-C those that have not begun are not waited for.
        pool.shutdown(cancel_futures=True)
    cluster_report.add(f"scenario files on the real node: {len(files)}")


def play_for_real(file: ScenarioFile, api: Api) -> Result:
    """Play a scenario on the cluster's own node, in a namespace that has nothing but it."""
    scenario = extend_deadlines(file.scenario)
    # The node is there already.
    cluster = scenario.cluster.model_copy(update={"nodes": ()})
    scenario = scenario.model_copy(update={"cluster": cluster})
    with RealBackend(api) as backend:
        # Without the token that pods of the simulator are not given either.
        api.create("namespaces", "", {"metadata": {"name": scenario.namespace}})
        backend.wait_for_account(scenario.namespace)
        account = {"automountServiceAccountToken": False}
        api.patch("serviceaccounts", scenario.namespace, "default", account)
        try:
            return run(replace(file, scenario=scenario), backend)
        finally:
            api.delete("namespaces", "", scenario.namespace)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_pods_go_the_same_way_on_a_real_node(path: Path, played: Callable[[Path], Played]) -> None:
    both = played(path)
    for result in (both.simulated, both.real):
        assert result.met, "\n".join(f"{step.where}: {found}" for step, found in result.failures)
    one = pod_histories(both.simulated.records, both.simulated.duration)
    other = pod_histories(both.real.records, both.real.duration)
    differences = [
        f"{name} (number {number}):\n{text}"
        for name, number in sorted({*one, *other})
        if (text := difference(one.get((name, number), []), other.get((name, number), [])))
    ]
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_real_kubelet_reports_the_same_events(
    path: Path, played: Callable[[Path], Played]
) -> None:
    both = played(path)
    assert event_reasons(both.simulated.records) == event_reasons(both.real.records)
