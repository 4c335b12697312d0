"""The definition of Performers is removed under a running operator and comes back."""

import time

from clusters import Cluster, wait_until
from conftest import ClusterReport, install_definition
from operators import Operator, Performers

IMAGE = "x:v1"


def test_a_definition_that_goes_and_comes_back_needs_no_restart(
    own_cluster: Cluster,
    custom_resource: str,
    operator: Operator,
    performers: Performers,
    cluster_report: ClusterReport,
) -> None:
    cluster, pid = own_cluster, operator.pid
    cluster.add_fake_nodes(1)
    performers.create("ml", IMAGE)
    performers.wait_settled({"ml": IMAGE})
    began = time.monotonic()
    try:
        # It goes when the operator has released the last Performer, and not before.
        cluster.kubectl("delete", "crd", custom_resource, timeout=90)
        gone = time.monotonic() - began
        missing = f"{custom_resource} is not installed"
        wait_until("the operator reports it", lambda: missing in operator.readiness(), 60)
        reported = time.monotonic() - began - gone
        assert f"ERROR the CustomResourceDefinition {missing}" in operator.log.read_text()
        assert operator.metric("synced") == 0
    finally:
        install_definition(cluster)
    began = time.monotonic()
    wait_until("the operator is ready again", operator.is_ready, 60)
    again = time.monotonic() - began
    # Nothing is left of the one from before.
    performers.create("later", IMAGE)
    performers.wait_settled({"later": IMAGE})
    # Kubernetes' garbage collector looks for new definitions every 30 s, and is slow about what it
    # met before that: the tests that follow are not to wait for it. This deletion needs it.
    delete = ("delete", "performer", "later", "-n", performers.namespace, "--cascade=foreground")
    cluster.kubectl(*delete, timeout=90)
    assert operator.runs
    assert operator.pid == pid
    assert "Traceback" not in operator.log.read_text()
    cluster_report.add(
        f"definition deleted: gone after {gone:.1f} s, reported {reported:.1f} s later;"
        f" ready {again:.1f} s after it came back"
    )
