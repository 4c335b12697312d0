"""The operator writes as little as it must: counted in the API server's audit log.

benchmarks/real_cluster.py counts the same with many more Performers.
"""

import time
from pathlib import Path

from clusters import Cluster, wait_until
from conftest import ClusterReport
from operators import FEWEST_CALLS, MOST_CALLS, Audit, Operator, Performers, account_user

COUNT = 30
IMAGE = "x:v1"
SETTLING = 5
"""Seconds after which the last calls of a start or a creation have surely been made."""
IDLE = 30


def test_few_calls_until_running_none_while_nothing_changes_none_after_a_restart(
    cluster: Cluster,
    audit_log: Path,
    operator: Operator,
    performers: Performers,
    cluster_report: ClusterReport,
) -> None:
    cluster.add_fake_nodes(2)
    audit = Audit(audit_log, account_user(performers.namespace, "operator"))
    audit.count()
    wanted = {f"p-{number:02}": IMAGE for number in range(COUNT)}
    for name, image in wanted.items():
        performers.create(name, image)
    performers.wait_settled(wanted)
    time.sleep(SETTLING)
    creation = audit.count()

    time.sleep(IDLE)
    idle = audit.count()

    operator.stop()
    operator.start()
    operator.wait_leading()
    wait_until("all are looked at", lambda: operator.metric("passes_total") >= COUNT)
    time.sleep(SETTLING)
    restart = audit.count()

    cluster_report.add(
        f"mutating calls: {creation.made.total() / COUNT:.2f} a Performer from create to Running,"
        f" {idle.made.total()} in {IDLE} idle seconds, {restart.made.total()} after a restart"
    )
    assert FEWEST_CALLS * COUNT <= creation.made.total() <= MOST_CALLS * COUNT, creation
    assert idle.made == {}
    assert restart.made == {}
    # It was the operator's log: it has renewed its Lease.
    assert idle.apart > 0
    assert restart.apart > 0
