"""The providers, in the order in which `auto` tries them."""

from clusters.k3d import k3d
from clusters.k3s import k3s
from clusters.kubeconfig import kubeconfig
from clusters.native import native
from clusters.provider import Provider

PROVIDERS: dict[str, Provider] = {
    "k3s": k3s,
    "k3d": k3d,
    "native": native,
    "kubeconfig": kubeconfig,
}
