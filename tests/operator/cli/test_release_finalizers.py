"""`hourglass-operator release-finalizers` after an uninstall, on a simulated cluster."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from builders import performer
from hourglass_operator.cli.release_finalizers import release_finalizers, releases
from hourglass_operator.resources import go_operator, names
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.http.served import Served, served

OWN, OLD = names.FINALIZER, go_operator.FINALIZER


def found(*finalizers: str) -> dict[str, Any]:
    metadata = {"namespace": "ml", "name": "p", "resourceVersion": "7"}
    return {"metadata": {**metadata, **({"finalizers": list(finalizers)} if finalizers else {})}}


LEFT: list[tuple[str, tuple[str, ...], list[str] | None]] = [
    ("its own goes", (OWN,), []),
    ("the Go operator's goes too", (OLD, OWN), []),
    ("that of another stays", ("a/b", OWN, "c/d"), ["a/b", "c/d"]),
    ("one with another's only is left alone", ("a/b",), None),
    ("one without is left alone", (), None),
]


@pytest.mark.parametrize(("finalizers", "left"), [r[1:] for r in LEFT], ids=[r[0] for r in LEFT])
def test_what_is_released(finalizers: tuple[str, ...], left: list[str] | None) -> None:
    patches = [patch["metadata"] for _, patch in releases([found(*finalizers)])]
    wanted = [] if left is None else [{"resourceVersion": "7", "finalizers": left}]
    assert patches == wanted


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[SimulatedBackend, Path, Served]]:
    """With two Performers that serve, and an operator that has gone."""
    backend = SimulatedBackend()
    backend.cluster.add_node("plain")
    backend.cluster.images.push("*")
    backend.target.operator.start()
    for name in ("kept", "goes"):
        built = performer(name).build()
        meta = {"name": name, "namespace": "default"}
        backend.apply({**{k: built[k] for k in ("apiVersion", "kind", "spec")}, "metadata": meta})
    backend.cluster.run_until(60)
    backend.target.operator.crash()
    file = tmp_path / "kubeconfig"
    with served(backend.cluster) as there:
        there.write_kubeconfig(file)
        yield backend, file, there


def run(kubeconfig: Path, *arguments: str) -> Result:
    return CliRunner().invoke(release_finalizers, [f"--kubeconfig={kubeconfig}", *arguments])


def test_a_performer_that_hangs_goes_with_its_pod_and_the_other_stays(
    cluster: tuple[SimulatedBackend, Path, Served],
) -> None:
    backend, kubeconfig, there = cluster
    api = backend.cluster.api
    with there.lock:
        api.delete("performers", "default", "goes")
    lines = ["default/goes: {}; it is being deleted", "default/kept: {}"]

    tried = run(kubeconfig, "-A", "--dry-run")
    assert tried.output.splitlines() == [line.format("would be released") for line in lines]
    done = run(kubeconfig, "-n", "default")
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [line.format("released") for line in lines],
    )
    with there.lock:
        backend.cluster.run_until(backend.cluster.clock.now + 120)
        assert [each["metadata"]["name"] for each in api.list("performers").items] == ["kept"]
        pods = api.list("pods").items
        assert [pod["metadata"]["labels"]["performer-name"] for pod in pods] == ["kept"]
    again = run(kubeconfig, "-A")
    said = "no Performer in any namespace has a finalizer of the operator\n"
    assert (again.exit_code, again.output) == (0, said)


REFUSED = [
    ("no namespace", (), "--namespace or --all-namespaces is expected, found neither"),
    ("both", ("-A", "-n", "x"), "--namespace or --all-namespaces is expected, found both"),
    ("no kubeconfig", ("-A",), "/nowhere"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_bad_input_ends_with_code_2(arguments: tuple[str, ...], said: str) -> None:
    done = run(Path("/nowhere"), *arguments)
    assert done.exit_code == 2
    assert said in done.output
