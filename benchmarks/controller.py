"""Passes a second, and the memory of the controller with 10,000 Performers that serve.

python benchmarks/controller.py [PERFORMERS]
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.hardware.catalogue import load
from hourglass_simulator.harness.backend import SimulatedBackend

BOUND_MEGABYTES = 128
EPOCH = 1767225600.0
SENTINEL = "sentinel"


def performer(name: str) -> JSON:
    """The Performer that the benchmarks of memory make thousands of."""
    return {
        "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
        "kind": "Performer",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "avsAddress": "0x1234567890abcdef1234567890abcdef12345678",
            "image": "avs/worker:v1",
            "version": "v1",
            "config": {"env": [{"name": "LOG_LEVEL", "value": "info"}]},
            "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
        },
    }


def template() -> dict[str, list[JSON]]:
    """The objects of one Performer that serves, as the simulated API server has them."""
    backend = SimulatedBackend()
    cluster = backend.cluster
    cluster.add_node("node-1")
    backend.target.operator.start()
    backend.apply(performer(SENTINEL))
    cluster.run_until(30)
    resources = ("nodes", "services", "endpointslices", "pods", "performers")
    return {resource: cluster.api.list(resource).items for resource in resources}


def named(value: Any, name: str) -> Any:
    """A copy of an object for another Performer, its texts as fresh as if parsed from a watch."""
    if isinstance(value, str):
        return value.replace(SENTINEL, name) if SENTINEL in value else str(value.encode(), "utf-8")
    if isinstance(value, dict):
        return {key: named(item, name) for key, item in value.items()}
    return [named(item, name) for item in value] if isinstance(value, list) else value


def copies(objects: list[JSON], performers: int) -> Iterator[JSON]:
    for number in range(performers):
        for found in objects:
            copy = named(found, f"worker-{number}")
            copy["metadata"]["uid"] = f"{number:08}-0000-4000-8000-000000000000"
            for owner in copy["metadata"].get("ownerReferences") or ():
                owner["uid"] = f"{number:08}-0000-4000-8000-000000000000"
            yield copy


def main(performers: int = 10_000) -> None:
    objects = template()
    catalogue = load()
    gc.collect()
    tracemalloc.start()
    controller = Controller(catalogue, Settings())
    for resource, found in objects.items():
        count = 1 if resource == "nodes" else performers
        controller.listed(resource, copies(found, count), "1000000", EPOCH)
    gc.collect()
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    started = time.perf_counter()
    passes = writes = 0
    while (due := controller.take(EPOCH + 3600)) is not None:
        passes += 1
        writes += len(due.plan.writes)
        controller.finish(due, [], EPOCH + 3600)
    took = time.perf_counter() - started
    print(f"{passes / took:,.0f} passes a second over {passes} Performers (no bound)")
    print(f"{writes} writes in them (bound 0)")
    print(
        f"{megabytes:.0f} MB in cache and queue with {performers} Performers"
        f" (bound {BOUND_MEGABYTES} MB for the whole operator)"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
