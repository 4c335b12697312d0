"""What client-go sees of a real cluster is what is recorded."""

import pytest

from client_go import GOLDENS, PARTS, what_client_go_sees
from clusters import Cluster
from conftest import ClusterReport
from recorded import expect_recorded


@pytest.mark.usefixtures("performer_image")
def test_client_go_on_a_real_cluster(cluster: Cluster, cluster_report: ClusterReport) -> None:
    seen = what_client_go_sees(cluster, cluster_report)
    assert cluster.version.startswith(f"v{seen['discovery'].pop('version')}.")
    for part in ("informer", "customResources"):
        seen[part].pop("streamed")
    for part in PARTS:
        expect_recorded(GOLDENS, part, seen[part], PARTS)
