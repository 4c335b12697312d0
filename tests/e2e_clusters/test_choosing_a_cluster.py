"""Which provider a run takes, what it logs about it, and how it ends without any."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clusters import Cluster, Log, UnavailableError
from clusters.choose import choose
from clusters.provider import Provider
from clusters.providers import NAMES, providers

ROOT = Path(__file__).parents[2]


class Providers:
    """Providers that work or say why not; `log` holds what was started and taken down."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def working(self, name: str) -> Provider:
        @contextmanager
        def provider(log: Log) -> Iterator[Cluster]:
            self.log.append(f"{name} up")
            yield Cluster(name, Path(), "kubectl", lambda _: None, lambda: None)
            self.log.append(f"{name} down")

        return provider

    def broken(self, name: str) -> Provider:
        @contextmanager
        def provider(log: Log) -> Iterator[Cluster]:
            self.log.append(f"{name} tried")
            raise UnavailableError(f"no {name} here")
            yield

        return provider

    def all(self, **states: str) -> dict[str, Provider]:
        return {
            name: self.working(name) if state == "works" else self.broken(name)
            for name, state in states.items()
        }


@pytest.mark.parametrize(
    ("wanted", "states", "log", "line"),
    [
        pytest.param(
            "auto",
            {"k3s": "works", "native": "works"},
            ["k3s up", "k3s down"],
            "k3s: taken, the first that works",
            id="auto takes the first",
        ),
        pytest.param(
            "auto",
            {"k3s": "broken", "native": "works"},
            ["k3s tried", "native up", "native down"],
            "k3s: not available: no k3s here",
            id="auto says why the first does not work and takes the second",
        ),
        pytest.param(
            "auto",
            {"kubeconfig": "works", "native": "works"},
            ["native up", "native down"],
            "kubeconfig: not tried: only with --cluster kubeconfig, as it is somebody's",
            id="auto leaves somebody's cluster alone",
        ),
        pytest.param(
            "auto",
            {"control-plane": "works", "native": "works"},
            ["native up", "native down"],
            "control-plane: not tried: only with --cluster control-plane, as it has no node",
            id="auto takes none without a node",
        ),
        pytest.param(
            "native",
            {"k3s": "works", "native": "works"},
            ["native up", "native down"],
            "native: taken, as asked",
            id="the one that is asked for is taken though others come first",
        ),
        pytest.param(
            "kubeconfig",
            {"k3s": "works", "kubeconfig": "works"},
            ["kubeconfig up", "kubeconfig down"],
            "kubeconfig: taken, as asked",
            id="somebody's cluster is taken when asked for",
        ),
    ],
)
def test_takes(wanted: str, states: dict[str, str], log: list[str], line: str) -> None:
    providers, logged = Providers(), list[str]()
    with choose(wanted, providers.all(**states), logged.append) as cluster:
        assert f"{cluster.provider} up" == providers.log[-1]
    assert providers.log == log
    assert line in logged


@pytest.mark.parametrize(
    ("wanted", "states", "reason"),
    [
        pytest.param(
            "auto",
            {"k3s": "broken", "native": "broken"},
            "k3s: no k3s here; native: no native here",
            id="none works: all reasons",
        ),
        pytest.param(
            "native",
            {"k3s": "works", "native": "broken"},
            "native: no native here",
            id="the one that is asked for does not work: no other is taken",
        ),
    ],
)
def test_takes_none(wanted: str, states: dict[str, str], reason: str) -> None:
    providers = Providers()
    with (
        pytest.raises(UnavailableError) as raised,
        choose(wanted, providers.all(**states), lambda _: None),
    ):
        pass
    assert str(raised.value) == reason
    assert not any(entry.endswith("up") for entry in providers.log)


def test_auto_tries_k3s_before_k3d_before_native() -> None:
    assert tuple(providers("")) == NAMES
    assert NAMES == ("k3s", "k3d", "native", "control-plane", "kubeconfig")


def test_a_run_without_a_cluster_ends_with_a_code_of_its_own() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    environment["E2E_CLUSTER"] = "kubeconfig"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "e2e/test_cluster.py", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 69
    assert "[cluster] kubeconfig: not available: KUBECONFIG is not set" in run.stdout
    assert "passed" not in run.stdout
