"""Kubernetes' own limits, 5,000 nodes and 150,000 pods: from creation until every pod is Ready.

    python benchmarks/cluster.py [PERCENT...]

At 1, 10 and 100 % of that, each in a process of its own. Times are CPU times.
https://kubernetes.io/docs/setup/best-practices/cluster-large/
"""

import resource
import subprocess
import sys
import time
from typing import NamedTuple

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.garbage_collector import raise_gc_thresholds

NODES, PODS = 5_000, 150_000
PERCENTAGES = (1, 10, 100)
BOUND_SECONDS = 90.0
BOUND_GIB = 4.0
BOUND_GROWTH = 1.2
"""A pod may take so many times as long at one size as at the one before."""


class Figures(NamedTuple):
    """What a size took: seconds of CPU, the peak in GiB, and commits."""

    pods: int
    seconds: float
    gib: float
    commits: int

    @property
    def a_pod(self) -> float:
        """Seconds."""
        return self.seconds / self.pods


def play(percent: int) -> Figures:
    """Create nodes and pods, and run until all is quiet."""
    raise_gc_thresholds()
    nodes, pods = NODES * percent // 100, PODS * percent // 100
    began = time.process_time()
    cluster = Cluster()
    for number in range(nodes):
        cluster.add_node(f"node-{number}")
    for number in range(pods):
        container = {
            "name": "performer",
            "image": "avs/worker:v1",
            "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}},
        }
        body = {"metadata": {"name": f"pod-{number}"}, "spec": {"containers": [container]}}
        cluster.api.create("pods", body, namespace="default")
    cluster.run_until(60)
    seconds = time.process_time() - began
    ready = sum(
        any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])
        for pod in cluster.api.list("pods").items
    )
    assert ready == pods, f"{ready} of {pods} pods are Ready"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return Figures(pods, seconds, peak, int(cluster.api.resource_version))


def main(percentages: tuple[int, ...]) -> None:
    before = None
    for percent in percentages:
        command = [sys.executable, __file__, "--play", str(percent)]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        pods, seconds, gib, commits = text.split()
        found = Figures(int(pods), float(seconds), float(gib), int(commits))
        growth = f", {found.a_pod / before.a_pod:.2f} times before" if before else ""
        rate = found.commits / found.seconds
        print(
            f"{percent:3} %: {found.pods:7,} pods on {NODES * percent // 100:5,} nodes Ready in"
            f" {found.seconds:6.1f} s ({found.a_pod * 1e6:.0f} µs a pod{growth}), {found.gib:.2f}"
            f" GiB, {found.commits:,} commits, {rate:,.0f} a second"
        )
        before = found
    bounds = f"{BOUND_SECONDS:.0f} s, {BOUND_GIB:.0f} GiB, {BOUND_GROWTH} times from size to size"
    print(f"bounds: {bounds}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        print(*play(int(sys.argv[2])))
    else:
        main(tuple(map(int, sys.argv[1:])) or PERCENTAGES)
