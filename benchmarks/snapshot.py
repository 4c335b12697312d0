"""`hourglass-sim check` on copies of clusters: how long, and how much memory.

    python benchmarks/snapshot.py [NODES...]

Ten pods a node, each of two containers, as `kubectl get -o json` prints them; each size in a
process of its own. Times are CPU times.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hourglass_kube.types import JSON

SIZES = (30, 500, 5_000)
PODS_A_NODE, REPLICAS = 10, 10
BOUND_SECONDS, BOUND_GIB = 60.0, 2.0
"""Of the largest."""
_CREATED = {"creationTimestamp": "2026-01-01T00:00:00Z"}
_RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")
_PERFORMER = {
    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
    "kind": "Performer",
    "metadata": {"name": "asked-about"},
    "spec": {"avsAddress": "0x" + 40 * "1", "image": "avs/performer", "version": "v1"},
}


def node(number: int) -> JSON:
    """A node with the images that it has pulled."""
    amounts = {"cpu": "16", "memory": "64Gi", "pods": "110"}
    names = [{"names": [f"example/image-{n}:v1"], "sizeBytes": 10**8} for n in range(30)]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "uid": f"node-{number}", **_CREATED},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [{"type": "Ready", "status": "True"}],
            "images": names,
        },
    }


def replica_set(number: int) -> JSON:
    """The owner of so many pods."""
    labels = {"app": f"app-{number}"}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"app-{number}",
            "namespace": "default",
            "uid": f"app-{number}",
            "labels": labels,
            **_CREATED,
        },
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": _containers()}},
        },
        "status": {"replicas": REPLICAS, "readyReplicas": REPLICAS},
    }


def pod(number: int, nodes: int) -> JSON:
    """One that runs."""
    app = number // REPLICAS
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"app-{app}",
        "uid": f"app-{app}",
        "controller": True,
    }
    statuses = [
        {
            "name": each["name"],
            "image": each["image"],
            "imageID": "sha256:1",
            "containerID": f"containerd://{number}",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": _RUNNING,
            "lastState": {},
        }
        for each in _containers()
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"pod-{number}",
            "namespace": "default",
            "uid": f"pod-{number}",
            "labels": {"app": f"app-{app}"},
            "ownerReferences": [owner],
            **_CREATED,
        },
        "spec": {"nodeName": f"node-{number % nodes}", "containers": _containers()},
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "startTime": _CREATED["creationTimestamp"],
            "conditions": [{"type": kind, "status": "True"} for kind in _CONDITIONS],
            "containerStatuses": statuses,
        },
    }


def _containers() -> list[JSON]:
    probe = {"httpGet": {"path": "/ready", "port": 8080}}
    return [
        {
            "name": name,
            "image": "example/image-1:v1",
            "env": [{"name": f"VARIABLE_{n}", "value": f"value-{n}"} for n in range(15)],
            "ports": [{"containerPort": 8080}],
            "readinessProbe": probe,
            "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}},
        }
        for name in ("main", "sidecar")
    ]


def write(file: Path, nodes: int) -> None:
    """A List of so many nodes with their pods, an item at a time."""
    pods = nodes * PODS_A_NODE

    def items() -> Iterator[JSON]:
        yield from map(node, range(nodes))
        yield from map(replica_set, range(pods // REPLICAS))
        yield from (pod(number, nodes) for number in range(pods))

    with file.open("w") as stream:
        stream.write('{"apiVersion": "v1", "items": [\n')
        for number, item in enumerate(items()):
            stream.write((",\n" if number else "") + json.dumps(item, indent=4))
        stream.write('\n], "kind": "List"}\n')


def play(nodes: int) -> tuple[float, float, float]:
    """Seconds, GiB, and the size of the file in MB."""
    with tempfile.TemporaryDirectory() as folder:
        cluster, manifest = Path(folder, "cluster.json"), Path(folder, "performer.json")
        write(cluster, nodes)
        manifest.write_text(json.dumps(_PERFORMER))
        command = Path(sys.executable).with_name("hourglass-sim")
        subprocess.run(
            [command, "check", manifest, "--cluster", cluster], check=True, stdout=subprocess.PIPE
        )
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = cluster.stat().st_size / 1e6
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024**2, size


def main(sizes: tuple[int, ...]) -> None:
    for nodes in sizes:
        command = [sys.executable, __file__, "--play", str(nodes)]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        seconds, gib, size = map(float, text.split())
        pods = nodes * PODS_A_NODE
        print(f"{nodes:5,} nodes, {pods:6,} pods, {size:5.0f} MB: {seconds:5.1f} s, {gib:.2f} GiB")
    print(f"bounds of the largest: {BOUND_SECONDS:.0f} s, {BOUND_GIB} GiB")
    if seconds > BOUND_SECONDS or gib > BOUND_GIB:
        sys.exit("exceeded")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        print(*play(int(sys.argv[2])))
    else:
        main(tuple(map(int, sys.argv[1:])) or SIZES)
