"""Two replicas: one of them writes, whatever is done to the other."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clusters import Cluster, wait_until
from conftest import ClusterReport
from operators import (
    Operator,
    Performers,
    Stream,
    Work,
    calls,
    operator_account,
    own_flags,
    stray,
    terms,
)

TAKEOVER = 4 + 2 * 0.5
"""Seconds: the Lease's duration, and a try before and after it (`SHORT_LEASE`)."""
SLACK = 2.0
"""Seconds that a busy machine and this test's own looking may add."""
SEED = 5
PAUSES = 3


@dataclass
class Replicas:
    """The one that leads and the other one, each a user of its own."""

    leader: Operator
    standby: Operator
    users: tuple[str, ...]
    since: datetime

    def hand_over(self, begin: float) -> float:
        """Wait until the standby leads, and change their names; seconds since `begin`."""
        wait_until("the standby leads", lambda: self.standby.leads, TAKEOVER + 30)
        self.leader, self.standby = self.standby, self.leader
        return time.monotonic() - begin

    def restart_standby(self) -> None:
        """Start the one that has ended; return once it knows the cluster."""
        self.standby.start()
        wait_until("the standby is ready", self.standby.is_ready, 60)


@pytest.fixture
def replicas(
    cluster: Cluster, performers: Performers, namespace: str, tmp_path: Path
) -> Iterator[Replicas]:
    since = datetime.now(UTC)
    operators, users = [], []
    for name in ("replica-a", "replica-b"):
        kubeconfig = tmp_path / f"{name}.kubeconfig"
        users.append(operator_account(cluster, namespace, name, kubeconfig))
        flags = own_flags(cluster, namespace)
        operators.append(Operator(kubeconfig, tmp_path / f"{name}.log", flags))
    two = Replicas(operators[0], operators[1], tuple(users), since)
    try:
        two.leader.start()
        two.leader.wait_leading()
        two.restart_standby()
        yield two
    finally:
        for operator in operators:
            if operator.runs:
                operator.kill()


def test_never_two_write_when_the_leader_is_stopped_for_longer_than_its_lease(
    cluster: Cluster, replicas: Replicas, performers: Performers, cluster_report: ClusterReport
) -> None:
    cluster.add_fake_nodes(2)
    draw = random.Random(SEED)
    work = Work.random(SEED, create=60, upgrade=20, delete=20)
    stream = Stream(Performers.of(cluster, performers.namespace), work, pause=0.25)
    takeovers = []
    with stream.running():
        for _ in range(PAUSES):
            time.sleep(draw.uniform(1, 3))
            stopped = replicas.leader
            stopped.pause()
            takeovers.append(replicas.hand_over(time.monotonic()))
            time.sleep(draw.uniform(1, 2))
            stopped.resume()
            wait_until("the one that was stopped is a standby", lambda: is_standby(replicas), 30)
            written = stopped.writes()
            time.sleep(1)
            assert stopped.writes() == written
        assert replicas.leader.leads
    performers.wait_settled(work.outcome(), 60)

    said = f"leader stopped {PAUSES} times during {len(work.steps)} steps of work:"
    said += f" taken over in {min(takeovers):.1f}-{max(takeovers):.1f} s,"
    if cluster.audit_log is None:
        cluster_report.add(f"{said} no write by a standby in its metrics (there is no audit log)")
    else:
        found = calls(cluster.audit_log, replicas.users, replicas.since)
        held = terms(found)
        writes = sum(call.resource != "leases" for call in found)
        strays = stray(found, held)
        cluster_report.add(
            f"{said} {writes} writes in {len(held)} terms in the audit log, {len(strays)} outside"
        )
        assert len(held) == PAUSES + 1
        assert writes > len(work.steps)
        assert strays == []
    assert max(takeovers) < TAKEOVER + SLACK


def is_standby(replicas: Replicas) -> bool:
    return replicas.standby.is_ready() and not replicas.standby.leads


def test_the_standby_takes_over_when_the_leader_is_killed_or_ends(
    cluster: Cluster, replicas: Replicas, performers: Performers, cluster_report: ClusterReport
) -> None:
    cluster.add_fake_nodes(1)
    wanted = {}

    replicas.leader.kill()
    after_kill = replicas.hand_over(time.monotonic())
    wanted["after-kill"] = performers.create("after-kill", "a/b:1")["spec"]["image"]
    performers.wait_settled(wanted)

    replicas.restart_standby()
    began = time.monotonic()
    assert replicas.leader.stop() == 0
    after_end = replicas.hand_over(began)
    wanted["after-end"] = performers.create("after-end", "a/b:1")["spec"]["image"]
    performers.wait_settled(wanted)

    cluster_report.add(
        f"taken over {after_kill:.1f} s after kill -9 of the leader,"
        f" {after_end:.1f} s after SIGTERM"
    )
    assert after_kill < TAKEOVER + SLACK
    # It gives the Lease up when it has ended its work.
    assert after_end < 1 + SLACK
