"""API events a second of CPU of the simulated API server: commits with their watch deliveries.

    python benchmarks/apiserver.py

5,000 nodes; 10,000 pods are created, bound, started, made Ready and deleted, watched by three
subscribers as in a simulated cluster (scheduler, kubelets, operator with a label selector).
"""

import time
from typing import Any

from hourglass_simulator.apiserver import APIServer, WatchEvent
from hourglass_simulator.clock import Clock

BOUND = 50_000
NODES = 5_000
PODS = 10_000
SPEC: dict[str, Any] = {
    "automountServiceAccountToken": False,
    "containers": [
        {
            "name": "performer",
            "image": "registry.example/performer:1",
            "ports": [{"name": "grpc", "containerPort": 9090}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"}},
            "readinessProbe": {"tcpSocket": {"port": 9090}},
        }
    ],
}


class Meter:
    """Commits and deliveries in the seconds they took."""

    def __init__(self) -> None:
        self.delivered = 0
        self.commits = 0
        self.seconds = 0.0

    def sink(self, _: WatchEvent) -> None:
        self.delivered += 1

    def phase(self, name: str, api: APIServer, work: Any) -> None:
        before, delivered, began = (
            int(api.resource_version),
            self.delivered,
            time.process_time(),
        )
        work()
        seconds = time.process_time() - began
        commits = int(api.resource_version) - before
        self.seconds += seconds
        self.commits += commits
        events = self.delivered - delivered
        print(
            f"{name:28}{commits:8} commits {commits / seconds:10,.0f}/s"
            f"{events / seconds:12,.0f} events delivered/s"
        )


def status(phase: str, *, ready: bool) -> dict[str, Any]:
    flag = "True" if ready else "False"
    conditions = [{"type": kind, "status": flag} for kind in ("Ready", "ContainersReady")]
    return {
        "phase": phase,
        "qosClass": "Burstable",
        "conditions": [{"type": "PodScheduled", "status": "True"}, *conditions],
        "containerStatuses": [{"name": "performer", "ready": ready, "restartCount": 0}],
    }


def main() -> None:
    api, meter = APIServer(Clock()), Meter()
    for selector in ("", "", "app=performer"):
        api.watch("pods", sink=meter.sink, label_selector=selector)
    names = [f"pod-{number}" for number in range(PODS)]

    def nodes() -> None:
        for number in range(NODES):
            api.create("nodes", {"metadata": {"name": f"node-{number}"}})

    def create() -> None:
        for name in names:
            meta = {"name": name, "labels": {"app": "performer"}}
            api.create("pods", {"metadata": meta, "spec": SPEC}, namespace="default")

    def bind() -> None:
        for number, name in enumerate(names):
            api.bind("default", name, f"node-{number % NODES}")

    def write(phase: str, *, ready: bool) -> None:
        for name in names:
            api.set_status("pods", "default", name, status(phase, ready=ready), user="kubelet")

    def patch() -> None:
        for name in names:
            changed = {"status": {"podIP": "10.0.0.1"}}
            api.patch("pods", "default", name, changed, subresource="status")

    def unchanged() -> None:
        for name in names:
            changed = {"status": {"podIP": "10.0.0.1"}}
            api.patch("pods", "default", name, changed, subresource="status")

    def delete() -> None:
        for name in names:
            api.delete("pods", "default", name, grace_period_seconds=0)

    meter.phase("create nodes", api, nodes)
    meter.phase("create pods", api, create)
    meter.phase("bind pods", api, bind)
    meter.phase("set status: started", api, lambda: write("Running", ready=False))
    meter.phase("set status: ready", api, lambda: write("Running", ready=True))
    meter.phase("merge patch of the status", api, patch)
    meter.phase("a patch that changes nothing", api, unchanged)
    meter.phase("delete pods by force", api, delete)
    events = meter.delivered / meter.seconds
    print(f"all: {meter.commits / meter.seconds:,.0f} commits/s, {events:,.0f} events/s", end="")
    print(f" (bound: at least {BOUND:,} events/s): {'met' if events >= BOUND else 'NOT MET'}")


if __name__ == "__main__":
    main()
