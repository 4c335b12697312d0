"""A GPU node, a Performer's wish for its GPUs, and what may keep them from it."""

from collections.abc import Iterator
from contextlib import contextmanager

from clusters import TOLERATION, Cluster
from operators import Performers

GPU = {"hardwareRequirements": {"gpuType": "nvidia-a100", "gpuCount": 2}}
ANYWHERE = {"tolerations": [TOLERATION]}
"""`spec.scheduling` that names no node."""
NODE = "why-gpu-0"


@contextmanager
def gpu_node(cluster: Cluster) -> Iterator[None]:
    """While inside there is a fake node with two GPUs."""
    labels, capacity = {"accelerator": "nvidia-a100"}, {"nvidia.com/gpu": "2"}
    cluster.add_fake_nodes(1, prefix="why-gpu", labels=labels, capacity=capacity)
    try:
        yield
    finally:
        cluster.kubectl("delete", "node", NODE)


def gpu_in_use(_: Cluster, performers: Performers) -> None:
    """Another Performer has both GPUs."""
    performers.create("other", "x:v1", ANYWHERE, **GPU)
    performers.wait_phase(["other"], "Running")


def cordoned(cluster: Cluster, _: Performers) -> None:
    """The node takes no pods."""
    cluster.kubectl("cordon", NODE)


def nothing(cluster: Cluster, performers: Performers) -> None:
    """All is as it was."""
