"""The controller alone: passes a second, memory, and what many changes of nodes cost.

python benchmarks/controller.py [PERFORMERS]

Seconds are of CPU: passes wait for nothing, and the machine may be busy with other things. Exit
code 1 if a bound is missed. Bounds that a number of Performers is part of are checked with the
default number alone.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.controller import Controller, Outcome, Settings, Write
from hourglass_operator.hardware.catalogue import load
from hourglass_simulator.harness.backend import SimulatedBackend

BOUND_MEGABYTES = 128
NODES = 5_000
WAITING = 2_000
BOUND_STRETCH_MS = 50
BOUND_FLIP_SECONDS = 10
BOUND_NOT_READY_SECONDS = 5
SLICE_SECONDS = 0.02
"""For so long the workers take passes before the event loop gets its turn."""
EPOCH = 1767225600.0
SENTINEL = "sentinel"
GPU = "nvidia.com/gpu"


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


def gpu_performer(name: str) -> JSON:
    """A Performer that needs a GPU."""
    made = performer(name)
    made["spec"]["hardwareRequirements"] = {"gpuType": "nvidia-a100", "gpuCount": 1}
    return made


def gpu_node(name: str, *, ready: bool = True) -> JSON:
    return {
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "accelerator": "nvidia-a100"},
        },
        "status": {
            "allocatable": {"cpu": "64", "memory": "256Gi", GPU: "8"},
            "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}],
        },
    }


def template(of: Callable[[str], JSON] = performer) -> dict[str, list[JSON]]:
    """The objects of one Performer 30 s after its creation, as the simulated API server has them.

    The only node has no GPU.
    """
    backend = SimulatedBackend()
    cluster = backend.cluster
    cluster.add_node("node-1")
    backend.target.operator.start()
    backend.apply(of(SENTINEL))
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


def take_list(
    controller: Controller, resource: str, objects: Iterable[JSON], version: str, now: float
) -> None:
    """Let a controller take in a whole list, as an informer does."""
    for obj in objects:
        controller.event_handler.listed(resource, obj, version, now)


@dataclass
class Bench:
    """A controller whose writes all succeed; times its passes in slices, as the workers take them.

    `stretches` are the seconds for which the event loop had no turn.
    """

    controller: Controller = field(default_factory=lambda: Controller(load(), Settings()))
    performers: dict[tuple[str, str], JSON] = field(default_factory=dict)
    version: int = 2_000_000
    stretches: list[float] = field(default_factory=list)
    passes: int = 0
    writes: int = 0

    def see(self, resource: str, objects: Iterator[JSON]) -> None:
        """Take in a list."""
        found = []
        for obj in objects:
            found.append(self.stamped(obj))
            if resource == "performers":
                self.performers[(obj["metadata"]["namespace"], obj["metadata"]["name"])] = obj
        take_list(self.controller, resource, found, str(self.version), EPOCH)

    def stamped(self, obj: JSON) -> JSON:
        """The object with a resourceVersion that is newer than all others."""
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        return obj

    def change(self, resource: str, objects: list[JSON], now: float) -> None:
        """Take in watch events of changed objects."""
        self._timed(self._events(resource, objects, now))

    def work(self, now: float) -> None:
        """Make all passes that are due, those that their writes cause too."""
        self._timed(self._passes(now))

    def _events(self, resource: str, objects: list[JSON], now: float) -> Iterator[None]:
        for obj in objects:
            self.controller.event_handler.watched(resource, "MODIFIED", self.stamped(obj), now)
            yield

    def _passes(self, now: float) -> Iterator[None]:
        while (due := self.controller.take(now)) is not None:
            outcomes = [Outcome(write, 200, body=self._written(write)) for write in due.plan.writes]
            self.controller.finish(due, outcomes, now)
            self.passes += 1
            self.writes += len(outcomes)
            yield

    def _written(self, write: Write) -> JSON | None:
        if write.subresource != "status":
            return None
        obj = deepcopy(self.performers[(write.namespace, write.name)])
        merged = obj["status"] | write.body["status"]
        obj["status"] = {key: value for key, value in merged.items() if value is not None}
        self.performers[(write.namespace, write.name)] = obj
        return self.stamped(obj)

    def _timed(self, steps: Iterator[None]) -> None:
        began = time.process_time()
        for _ in steps:
            took = time.process_time() - began
            if took >= SLICE_SECONDS:
                self.stretches.append(took)
                began = time.process_time()
        self.stretches.append(time.process_time() - began)

    def start(self) -> None:
        """From now on count."""
        self.stretches, self.passes, self.writes = [], 0, 0
        gc.collect()

    @property
    def seconds(self) -> float:
        return sum(self.stretches)


def steady(performers: int) -> bool:
    objects = template()
    gc.collect()
    tracemalloc.start()
    bench = Bench()
    for resource, found in objects.items():
        count = 1 if resource == "nodes" else performers
        take_list(bench.controller, resource, copies(found, count), "1000000", EPOCH)
    gc.collect()
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    bench.start()
    bench.work(EPOCH + 3600)
    micros = bench.seconds / bench.passes * 1e6
    print(f"{micros:.0f} µs a pass over {bench.passes:,} Performers that serve (no bound)")
    print(f"{bench.writes} writes in them (bound 0)")
    print(
        f"{megabytes:.0f} MB in cache and queue with {performers:,} Performers"
        f" (bound {BOUND_MEGABYTES} MB for the whole operator)"
    )
    return bench.writes == 0 and megabytes <= BOUND_MEGABYTES


def one_node_flips() -> bool:
    """Performers wait for GPUs that are all in use by pods of others; one node goes."""
    objects, bench = template(gpu_performer), Bench()
    bench.see("nodes", (gpu_node(f"gpu-{number:04}") for number in range(NODES)))
    said = f"0/{NODES} nodes are available: {NODES} Insufficient {GPU}."
    for condition in objects["pods"][0]["status"]["conditions"]:
        if condition["type"] == "PodScheduled":
            condition["message"] = said
    for resource in ("services", "endpointslices", "pods"):
        bench.see(resource, copies(objects[resource], WAITING))
    bench.see("performers", patient(copies(objects["performers"], WAITING)))
    for later in (0, 2):
        bench.work(EPOCH + 60 + later)
    bench.start()
    bench.change("nodes", [gpu_node("gpu-0007", ready=False)], EPOCH + 100)
    for later in (1, 2, 3):
        bench.work(EPOCH + 100 + later)
    stretch = max(bench.stretches) * 1000
    print(
        f"{WAITING:,} wait for GPUs, one of {NODES:,} nodes flips: {stretch:.0f} ms the longest"
        f" stretch without a turn of the event loop (bound {BOUND_STRETCH_MS}), {bench.passes:,}"
        f" passes with {bench.writes:,} writes in {bench.seconds:.2f} s"
        f" (bound {BOUND_FLIP_SECONDS})"
    )
    return stretch <= BOUND_STRETCH_MS and bench.seconds <= BOUND_FLIP_SECONDS


def patient(objects: Iterator[JSON]) -> Iterator[JSON]:
    """Performers with deadlines far away, so that no spec is equal to another."""
    for number, obj in enumerate(objects):
        obj["spec"]["upgradeStrategy"] = {"progressDeadlineSeconds": 100_000 + number}
        yield obj


def all_nodes_go(performers: int) -> bool:
    """Performers serve, and all nodes become NotReady, as after a partition of the network."""
    objects, bench = template(), Bench()
    bench.see("nodes", (gpu_node(f"n-{number}") for number in range(NODES)))
    for resource in ("services", "endpointslices"):
        bench.see(resource, copies(objects[resource], performers))
    for resource in ("pods", "performers"):
        bench.see(resource, placed(copies(objects[resource], performers)))
    bench.work(EPOCH + 60)
    bench.work(EPOCH + 62)
    bench.start()
    changed = [gpu_node(f"n-{number}", ready=False) for number in range(NODES)]
    bench.change("nodes", changed, EPOCH + 100)
    bench.work(EPOCH + 101)
    print(
        f"{performers:,} serve, {NODES:,} nodes go NotReady: {bench.passes:,} passes"
        f" in {bench.seconds:.2f} s, {max(bench.stretches) * 1000:.0f} ms the longest stretch"
        f" (bound {BOUND_NOT_READY_SECONDS} s)"
    )
    return bench.passes == performers and bench.seconds <= BOUND_NOT_READY_SECONDS


def placed(objects: Iterator[JSON]) -> Iterator[JSON]:
    """Pods and Performers, spread over the nodes."""
    for number, obj in enumerate(objects):
        node = f"n-{number % NODES}"
        if "nodeName" in obj["spec"]:
            obj["spec"]["nodeName"] = node
        yield obj


def main(performers: int = 10_000) -> None:
    kept = [steady(performers), one_node_flips(), all_nodes_go(performers)]
    if performers == 10_000 and not all(kept):
        sys.exit(1)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
