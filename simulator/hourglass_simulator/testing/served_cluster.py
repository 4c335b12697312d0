"""A simulated cluster that programs use over HTTP while a test lasts."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.certificates import Authority
from hourglass_simulator.http.served import Served, served
from hourglass_simulator.kubernetes.version import version
from hourglass_simulator.testing.options import Options
from hourglass_simulator.testing.simulated_cluster import Duration, SimulatedCluster, seconds

WALL_SECONDS = 20.0
"""How long a test waits at most for what is to happen within longer than that."""
LOOK_SECONDS = 0.01
"""Between two looks at what a test waits for."""


class ServedCluster(SimulatedCluster):
    """A SimulatedCluster at `url`, where `kubeconfig` leads; begun by `start`.

    Its time is that of the wall clock, until a test advances it. While a test waits, it passes so
    fast that the wait is over within WALL_SECONDS: programs under test need real time.
    """

    kubeconfig: Path
    url: str

    def __init__(self, wanted: Options, there: Served, kubeconfig: Path) -> None:
        self._there = there
        self._begin(wanted, there.cluster, there.server.router, there.lock)
        self.url = there.url
        self.kubeconfig = kubeconfig
        self.write_kubeconfig(kubeconfig)

    @classmethod
    @contextmanager
    def start(cls, wanted: Options, kubeconfig: Path) -> Iterator[Self]:
        """Serve a cluster within a `with` block, with a kubeconfig for `wanted.user` in a file."""
        made = Cluster(
            epoch=datetime.now(UTC),
            version=version(wanted.cluster.kubernetes, resizes_pods=wanted.cluster.resizes_pods),
            managed_fields=True,
        )
        # Over HTTP, programs in Go send no credentials.
        authority = Authority() if wanted.rbac else None
        with served(made, names=not wanted.rbac, authority=authority) as there:
            with there.lock:
                cluster = cls(wanted, there, kubeconfig)
            yield cluster

    def write_kubeconfig(self, file: Path, user: str | None = None) -> None:
        """A kubeconfig for another program: its user is an admin, unless it is a ServiceAccount.

        ServiceAccounts are named `system:serviceaccount:NAMESPACE:NAME`.
        """
        self._there.write_kubeconfig(file, user or self.operator)

    def advance(self, by: Duration) -> None:
        """Let time pass at once; programs see afterwards what has happened."""
        self._there.driver.advance(seconds(by))

    def _pass_time(self, until: float, done: Callable[[], bool]) -> bool:
        driver = self._there.driver
        with driver.at_speed(max(1.0, (until - self.now) / WALL_SECONDS), until):
            while not done():
                if driver.failure is not None:
                    raise RuntimeError("a component of the cluster failed") from driver.failure
                if self.now >= until:
                    return False
                time.sleep(LOOK_SECONDS)
        return True

    def _drop_watch(self, resource: str) -> None:
        self._there.drop_watches(self.resource(resource).qualified)
