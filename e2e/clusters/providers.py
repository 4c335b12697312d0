"""The providers, in the order in which `auto` tries them."""

from functools import partial

from clusters.build import DEFAULT
from clusters.control_plane import control_plane
from clusters.k3d import k3d
from clusters.k3s import k3s
from clusters.kubeconfig import kubeconfig
from clusters.native import native
from clusters.provider import Provider

NAMES = ("k3s", "k3d", "native", "control-plane", "kubeconfig")
GATES = dict.fromkeys(("1.33", "1.34", "1.35"), ("ResourceHealthStatus",))
"""What the tests need and a version has, though not by default: the health of a pod's devices."""


def providers(kubernetes: str) -> dict[str, Provider]:
    """Providers of a minor version of Kubernetes; those that have another one say so.

    Without a version the cluster that exists is taken whatever it runs, and `DEFAULT` is started.
    """
    started = kubernetes or DEFAULT
    return {
        "k3s": partial(k3s, kubernetes=kubernetes),
        "k3d": partial(k3d, kubernetes=kubernetes),
        "native": partial(native, kubernetes=started, gates=GATES.get(started, ())),
        "control-plane": partial(control_plane, kubernetes=started),
        "kubeconfig": partial(kubeconfig, kubernetes=kubernetes),
    }
