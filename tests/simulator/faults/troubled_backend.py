"""A cluster with a Performer that serves, for faults to trouble, and what must be as before."""

from hourglass_kube.types import JSON
from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.harness.backend import SimulatedBackend
from hourglass_simulator.scenario.cluster import Cluster

GPU, MIG = "nvidia.com/gpu", "nvidia.com/mig-1g.5gb"
NODES = {
    "nodes": [
        {
            "name": "gpu-1",
            "labels": {"accelerator": "nvidia-a100"},
            "devices": {GPU: 4},
            "drivers": {"gpu.example.com": [{"name": "gpu-0"}]},
        },
        {"name": "tee-1", "labels": {"tee": "sgx"}, "taints": ["tee:NoSchedule"]},
    ],
    "nodePools": [
        {"name": "gpu", "max": 1, "cpu": "1", "taints": ["gpu:NoSchedule"], "karpenter": {}}
    ],
}
WORKER = {
    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
    "kind": "Performer",
    "metadata": {"name": "worker"},
    "spec": {
        "avsAddress": "0x1234567890abcdef1234567890abcdef12345678",
        "image": "avs/worker:v1",
    },
}


class Quiet:
    def changed(self, change: object) -> None:
        pass

    def wrote(self, write: object) -> None:
        pass


def serving() -> SimulatedBackend:
    backend = SimulatedBackend(seed=1)
    backend.start(Cluster.model_validate(NODES), "default", ["pods"], Quiet())
    backend.apply(WORKER)
    backend.cluster.run_until(5)
    return backend


def nodes_of(backend: SimulatedBackend) -> JSON:
    """Labels, spec, capacity, allocatable and conditions by name.

    A kubelet goes on to say of a resource that nobody offers any more that there are 0 of it.
    """

    def some(resources: JSON) -> JSON:
        return {name: amount for name, amount in resources.items() if amount != "0"}

    return {
        node["metadata"]["name"]: (
            node["metadata"]["labels"],
            node["spec"],
            some(node["status"]["capacity"]),
            some(node["status"]["allocatable"]),
            {c["type"]: c["status"] for c in node["status"]["conditions"]},
        )
        for node in backend.cluster.api.list("nodes").items
    }


def wellness(backend: SimulatedBackend) -> JSON:
    """Everything that a fault may change, as far as it must be as before."""
    api, target = backend.cluster.api, backend.target
    nodes = nodes_of(backend)
    hooks = (*api.interceptors, *api.webhooks, *target.deliveries, *target.operator.on_write)
    performer = api.get("performers", "default", "worker")["status"]["phase"]
    return {
        "nodes": nodes,
        "drivers": {
            name: (driver.there, driver.refusal, driver.health("gpu-0"))
            for name, driver in backend.cluster.kubelets.drivers.of("gpu-1").items()
        },
        "slices": [one["spec"]["devices"] for one in api.list("resourceslices").items],
        "sandboxes": [backend.cluster.kubelets.sandbox_failure(name) for name in nodes],
        "image": backend.cluster.images.image("avs/worker:v1"),
        "hooks": hooks,
        "operators": (target.operator.running, target.second.running),
        "Performer": performer,
    }


def parameters(name: str) -> JSON:
    return dict(REGISTRY[name].example)
