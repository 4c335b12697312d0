"""5,000 nodes and 10,000 pods: from creation until every pod is scheduled and Ready.

python benchmarks/cluster.py [NODES] [PODS]
"""

import sys
import time

from hourglass_simulator.cluster import Cluster, raise_gc_thresholds

BOUND_SECONDS = 5.0


def main(nodes: int = 5_000, pods: int = 10_000) -> None:
    raise_gc_thresholds()
    cluster = Cluster()
    started = time.perf_counter()
    for number in range(nodes):
        cluster.add_node(f"node-{number}")
    for number in range(pods):
        container = {
            "name": "performer",
            "image": "avs/worker:v1",
            "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
        }
        body = {"metadata": {"name": f"pod-{number}"}, "spec": {"containers": [container]}}
        cluster.api.create("pods", body, namespace="default")
    cluster.run_until(60)
    took = time.perf_counter() - started
    ready = sum(
        any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])
        for pod in cluster.api.list("pods").items
    )
    assert ready == pods, f"{ready} of {pods} pods are Ready"
    commits = int(cluster.api.resource_version)
    print(f"{nodes} nodes and {pods} pods Ready in {took:.2f} s (bound {BOUND_SECONDS:.0f} s)")
    print(f"{commits} commits, {commits / took:,.0f} a second in all")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
