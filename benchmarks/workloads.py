"""1,000 Deployments of 10 pods: available, then of a new image, then off 100 of 200 nodes.

    python benchmarks/workloads.py [DEPLOYMENTS...]

Each Deployment has a budget that lets one pod be disrupted at a time. At a fourth of the size and
at the whole; times are CPU times.
"""

import sys
import time
from itertools import pairwise

from hourglass_kube.types import JSON
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.controllers.drain import drain
from hourglass_simulator.garbage_collector import raise_gc_thresholds

SIZES = (250, 1_000)
REPLICAS = 10
DEPLOYMENTS_ON_A_NODE = 5
BOUND_GROWTH = 1.2
"""A Deployment may take so many times as long at the whole size as at a fourth of it."""


def _labels(number: int) -> JSON:
    return {"app": f"web-{number}"}


def _deployment(number: int) -> JSON:
    labels = _labels(number)
    containers = [{"name": "main", "image": "web:v1"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": REPLICAS, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": f"web-{number}"}, "spec": spec}


def _budget(number: int) -> JSON:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": _labels(number)}}
    return {"metadata": {"name": f"web-{number}"}, "spec": spec}


def _create(cluster: Cluster, deployments: int) -> None:
    for number in range(deployments):
        cluster.api.create("poddisruptionbudgets", _budget(number), namespace="default")
        cluster.api.create("deployments", _deployment(number), namespace="default")


def _roll(cluster: Cluster, deployments: int) -> None:
    image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:v2"}]}}}}
    for number in range(deployments):
        cluster.api.patch("deployments", "default", f"web-{number}", image)


def _drain(cluster: Cluster, deployments: int) -> None:
    # Every second one: of the first half the scheduler fills more, the more nodes there are.
    for number in range(0, deployments // DEPLOYMENTS_ON_A_NODE, 2):
        drain(cluster.clock, cluster.api, f"node-{number}")


PHASES = {"available": (_create, 120), "rolled": (_roll, 900), "drained": (_drain, 900)}
"""What begins each, and the seconds of the simulation after which it must be over."""


def _verify(cluster: Cluster, deployments: int, phase: str) -> None:
    """All pods are of the newest template and available, and on no node that was drained."""
    for found in cluster.api.list("deployments").items:
        status = found["status"]
        counts = {status[f] for f in ("replicas", "updatedReplicas", "availableReplicas")}
        assert counts == {REPLICAS}, f"{found['metadata']['name']}: {status}"
    pods = cluster.api.list("pods").items
    assert len(pods) == deployments * REPLICAS
    if phase == "drained":
        drained = {
            node["metadata"]["name"]
            for node in cluster.api.list("nodes").items
            if node["spec"].get("unschedulable")
        }
        assert not [pod for pod in pods if pod["spec"]["nodeName"] in drained]


def play(deployments: int) -> dict[str, float]:
    """Seconds of CPU of each phase."""
    cluster, took = Cluster(), {}
    for number in range(deployments // DEPLOYMENTS_ON_A_NODE):
        cluster.add_node(f"node-{number}", cpu="1000", memory="4000Gi", pods=500)
    cluster.images.push("*")
    for phase, (begin, seconds) in PHASES.items():
        commits, began = int(cluster.api.resource_version), time.process_time()
        begin(cluster, deployments)
        cluster.run_until(cluster.clock.now + seconds)
        took[phase] = time.process_time() - began
        commits = int(cluster.api.resource_version) - commits
        rate = f"{commits:,} commits, {commits / took[phase]:,.0f} a second"
        print(f"{deployments:5,} Deployments {phase:9} in {took[phase]:5.1f} s, {rate}", flush=True)
        _verify(cluster, deployments, phase)
    return took


def main(sizes: tuple[int, ...]) -> None:
    raise_gc_thresholds()
    found = [(size, play(size)) for size in sizes]
    for (small, before), (large, after) in pairwise(found):
        growth = {phase: after[phase] / large / (before[phase] / small) for phase in PHASES}
        shown = ", ".join(f"{phase} {value:.2f}" for phase, value in growth.items())
        print(f"a Deployment takes, times that of {small:,}: {shown} (bound {BOUND_GROWTH})")


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
