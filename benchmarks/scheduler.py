"""Pods a second of the simulated scheduler: 5,000 nodes, 10,000 pods, the scheduler's part alone.

    python benchmarks/scheduler.py [NODES] [PODS]

The creation of nodes and pods is not counted; bindings and Events, which the scheduler writes, are.
"""

import sys
import time
from collections.abc import Callable

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.node_object import node_object
from hourglass_simulator.scheduler import Scheduler

BOUND_SECONDS = 2.0
HOST = "kubernetes.io/hostname"
PERFORMERS = {"matchLabels": {"app": "performer"}}


def plain(_: int) -> JSON:
    return {}


def sizes(number: int) -> JSON:
    """Ten sizes of pods."""
    return {"cpu": f"{100 + 50 * (number % 10)}m"}


def rather_apart(_: int) -> JSON:
    """Preferred anti-affinity, as in the example of the API reference."""
    term = {"weight": 100, "podAffinityTerm": {"topologyKey": HOST, "labelSelector": PERFORMERS}}
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [term]}
    return {"affinity": {"podAntiAffinity": preferred}}


def spread(_: int) -> JSON:
    """Spread over zones."""
    constraint = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": PERFORMERS,
    }
    return {"topologySpreadConstraints": [constraint]}


def impossible(_: int) -> JSON:
    """A device that no node has: every pod gets its verdict and an Event."""
    return {"devices": {"nvidia.com/gpu": "1"}}


def seconds(nodes: int, pods: int, extra: Callable[[int], JSON]) -> tuple[float, int]:
    """How long the scheduler took, and how many pods have a node."""
    clock = Clock()
    api = APIServer(clock)
    Scheduler(clock, api)
    for number in range(nodes):
        node = node_object(
            f"node-{number}",
            number,
            clock.timestamp(),
            cpu="8",
            memory="32Gi",
            pods=110,
            labels={},
            taints=(),
            devices={},
            zone=f"eu-1{'abc'[number % 3]}",
            kubelet_version=api.version.git_version,
        )
        api.create("nodes", node)
    for number in range(pods):
        spec = extra(number)
        requests = {"cpu": spec.pop("cpu", "500m"), "memory": "1Gi"}
        limits = spec.pop("devices", {})
        resources = {"requests": {**requests, **limits}, "limits": limits}
        container = {"name": "performer", "image": "avs/worker:v1", "resources": resources}
        labels = {"app": "performer", "performer-name": f"p-{number}"}
        meta = {"name": f"pod-{number}", "labels": labels}
        body = {"metadata": meta, "spec": {"containers": [container], **spec}}
        api.create("pods", body, namespace="default")
    began = time.process_time()
    clock.run_until(60)
    took = time.process_time() - began
    bound = sum(bool(pod["spec"].get("nodeName")) for pod in api.list("pods").items)
    return took, bound


def main(nodes: int = 5_000, pods: int = 10_000) -> None:
    for extra in (plain, sizes, rather_apart, spread, impossible):
        took, bound = seconds(nodes, pods, extra)
        verdict = "met" if took <= BOUND_SECONDS else "NOT MET"
        name = extra.__name__.replace("_", " ")
        print(
            f"{name:14} {nodes} nodes, {pods} pods ({bound} scheduled): {took:5.2f} s, "
            f"{pods / took:8,.0f} pods/s (bound {BOUND_SECONDS:.0f} s: {verdict})"
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
