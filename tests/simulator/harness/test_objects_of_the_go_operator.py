"""A cluster as the Go operator leaves it is taken over: an endpoint at every moment, nothing left.

The objects are those of a cluster in which that operator ran.
"""

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import WatchEvent
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario.cluster import Cluster

AVS = "0x1234567890abcdef1234567890abcdef12345678"
GPU = "nvidia.com/gpu"
CLUSTER = Cluster.model_validate(
    {
        "nodes": [
            {"name": "gpu-1", "labels": {"accelerator": "nvidia-a100"}, "devices": {GPU: 4}},
            {"name": "plain"},
        ]
    }
)


class Quiet:
    """An observer that listens to nothing."""

    def changed(self, change: object) -> None:
        pass

    def wrote(self, write: object) -> None:
        pass


def labels(name: str) -> JSON:
    return {
        "app": "hourglass-performer",
        "hourglass.eigenlayer.io/performer": name,
        "hourglass.eigenlayer.io/avs": AVS,
    }


def performer(name: str, hardware: JSON) -> JSON:
    return {
        "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
        "kind": "Performer",
        "metadata": {
            "name": name,
            "finalizers": ["hourglass.eigenlayer.io/performer-finalizer"],
            "labels": labels(name),
        },
        "spec": {
            "avsAddress": AVS,
            "image": "hello-performer:v1",
            "imagePullPolicy": "IfNotPresent",
            "version": "v1",
            "config": {"grpcPort": 8080, "environment": {"GRPC_PORT": "8080"}},
            "resources": {},
            **({"hardwareRequirements": hardware} if hardware else {}),
        },
    }


def status(name: str) -> JSON:
    return {
        "phase": "Running",
        "ready": True,
        "podName": f"performer-{name}",
        "serviceName": f"performer-{name}",
        "grpcEndpoint": f"performer-{name}.default.svc.cluster.local",
        "readyTime": "2026-01-01T00:00:08Z",
    }


def pod(name: str, owner: JSON, resources: JSON) -> JSON:
    probe = {"grpc": {"port": 8080}, "periodSeconds": 10}
    return {
        "metadata": {
            "name": f"performer-{name}",
            "labels": labels(name),
            "ownerReferences": [owner],
        },
        "spec": {
            "restartPolicy": "Always",
            "containers": [
                {
                    "name": "performer",
                    "image": "hello-performer:v1",
                    "ports": [{"name": "grpc", "containerPort": 8080, "protocol": "TCP"}],
                    "env": [{"name": "GRPC_PORT", "value": "8080"}],
                    "resources": resources,
                    "livenessProbe": probe,
                    "readinessProbe": probe,
                }
            ],
        },
    }


def service(name: str, owner: JSON) -> JSON:
    return {
        "metadata": {"name": f"performer-{name}", "ownerReferences": [owner]},
        "spec": {
            "type": "ClusterIP",
            "selector": {"hourglass.eigenlayer.io/performer": name},
            "ports": [{"name": "grpc", "port": 8080, "targetPort": "grpc", "protocol": "TCP"}],
        },
    }


class Left:
    """A cluster in which a Performer of the Go operator serves; no operator runs."""

    def __init__(self, name: str, hardware: JSON, resources: JSON) -> None:
        self.name = name
        self.backend = SimulatedBackend(seed=1, with_operator=False)
        self.backend.start(CLUSTER, "default", [], Quiet())
        self.api = self.backend.cluster.api
        stored = self.api.create("performers", performer(name, hardware), namespace="default")
        owner = {
            "apiVersion": stored["apiVersion"],
            "kind": "Performer",
            "name": name,
            "uid": stored["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        self.api.create("pods", pod(name, owner, resources), namespace="default")
        self.api.create("services", service(name, owner), namespace="default")
        self.run(30)
        self.api.set_status("performers", "default", name, status(name))
        self.unserved: list[float] = []
        """When there was no ready endpoint."""
        assert self.ready() == {f"performer-{name}"}
        self.api.watch("endpointslices", sink=self._look)

    def run(self, seconds: float) -> None:
        self.backend.cluster.run_until(self.backend.now + seconds)

    def ready(self) -> set[str]:
        """The pods that clients of the Service reach."""
        return {
            endpoint["targetRef"]["name"]
            for found in self.api.list("endpointslices").items
            for endpoint in found.get("endpoints") or ()
            if endpoint["conditions"]["ready"]
        }

    def phase(self) -> str:
        phase: str = self.api.get("performers", "default", self.name)["status"]["phase"]
        return phase

    def pods(self) -> list[str]:
        return [found["metadata"]["name"] for found in self.api.list("pods").items]

    def _look(self, _: WatchEvent) -> None:
        if not self.ready():
            self.unserved.append(self.backend.now)


@pytest.fixture
def worker() -> Left:
    return Left("worker", {}, {})


@pytest.fixture
def trainer() -> Left:
    devices = {GPU: "4"}
    hardware = {"gpuType": "nvidia-a100", "gpuCount": 4}
    return Left("trainer", hardware, {"limits": devices, "requests": devices})


def test_clients_are_answered_at_every_moment_of_the_take_over(worker: Left) -> None:
    worker.backend.target.operator.start()
    worker.run(120)
    assert worker.unserved == []
    assert worker.phase() == "Running"
    (successor,) = worker.pods()
    assert worker.ready() == {successor}
    assert successor != "performer-worker"


def test_the_pod_that_holds_all_gpus_gives_them_to_its_successor(trainer: Left) -> None:
    trainer.backend.target.operator.start()
    trainer.run(0.5)
    assert trainer.phase() == "Upgrading"
    trainer.run(180)
    assert trainer.phase() == "Running"
    (successor,) = trainer.pods()
    assert trainer.ready() == {successor}


@pytest.mark.parametrize("after", [0.0, 1.0, 60.0], ids=["before", "during", "after"])
def test_a_deletion_at_any_time_ends_every_pod_and_releases_every_finalizer(
    worker: Left, after: float
) -> None:
    if after:
        worker.backend.target.operator.start()
        worker.run(after)
    worker.api.delete("performers", "default", "worker")
    if not after:
        worker.run(5)
        worker.backend.target.operator.start()
    worker.run(60)
    assert [worker.api.list(r).items for r in ("performers", "pods", "services")] == [[], [], []]


def test_a_crash_after_any_write_leaves_it_served(worker: Left) -> None:
    operator = worker.backend.target.operator

    def crash(moment: str, _: object) -> None:
        if moment == "after":
            operator.crash()
            worker.backend.cluster.clock.after(2.0, operator.start)

    operator.on_write.append(crash)
    operator.start()
    worker.run(180)
    assert worker.unserved == []
    assert worker.phase() == "Running"
    assert len(worker.pods()) == 1
