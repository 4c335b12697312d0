"""What a kubelet checks before it starts a pod, with the texts of its rejections.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/lifecycle/predicate.go
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hourglass_kube import affinity, podresources
from hourglass_kube.node import NodeView, Taint
from hourglass_kube.toleration import NO_EXECUTE, tolerates, untolerated
from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.node import HostPort

PODS = "pods"
SYSTEM = "linux"
"""The operating system of every node."""
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
SAFE_SYSCTLS = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    )
)
"""Kernel parameters that every kubelet lets pods set.

https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls
"""
_BASIC = (PODS, podresources.CPU, podresources.MEMORY, "ephemeral-storage")


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a pod is not run."""

    reason: str
    message: str


def no_device(resource: str, requested: int, available: int) -> Rejection:
    """A device plugin has too few healthy devices that are free."""
    return Rejection(
        "UnexpectedAdmissionError",
        f"Allocate failed due to requested number of devices unavailable for {resource}."
        f" Requested: {requested}, Available: {available}, which is unexpected",
    )


def refusal(pod: JSON, node: JSON, *, ends: bool = False) -> Rejection | None:
    """What is looked at before anything is allocated: shutdown, pressure, kernel parameters.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/sysctl/allowlist.go
    """
    if ends:
        return Rejection("NodeShutdown", "Pod was rejected as the node is shutting down.")
    if pressed := _pressed(pod, node):
        return Rejection("Evicted", f"The node had condition: [{pressed}]. ")
    for sysctl in (pod["spec"].get("securityContext") or {}).get("sysctls") or ():
        name = sysctl["name"].replace("/", ".")
        if name not in SAFE_SYSCTLS:
            return Rejection("SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted')
    return None


def rejection(
    pod: JSON,
    node: NodeView,
    offered: Mapping[str, int],
    requested: Mapping[str, int],
    used: Mapping[str, int],
    wanted_ports: Collection[HostPort] = (),
    ports: Collection[HostPort] = (),
) -> Rejection | None:
    """Resources, node affinity, ports, taints; amounts count pods too.

    `offered` is what is allocatable on the node, `used` what its pods hold of that.
    """
    extended = sorted(name for name in requested if "/" in name and name in offered)
    for name in (*_BASIC, *extended):
        asked, taken = requested.get(name, 0), used.get(name, 0)
        if asked and asked > offered.get(name, 0) - taken:
            return Rejection(
                f"OutOf{name}",
                f"Node didn't have enough resource: {name}, requested: {asked}, used: {taken},"
                f" capacity: {offered.get(name, 0)}",
            )
    system = (pod["spec"].get("os") or {}).get("name", SYSTEM)
    if system != SYSTEM:
        text = "Failed to admit pod as the OS field doesn't match node OS"
        return Rejection("PodOSNotSupported", text)
    if not affinity.node_matches(pod["spec"], node):
        return Rejection(
            "NodeAffinity",
            "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        )
    if any(_collide(wanted, held) for wanted in wanted_ports for held in ports):
        text = "node(s) didn't have free ports for the requested pod ports"
        return Rejection("NodePorts", f"Predicate NodePorts failed: {text}")
    tolerations = pod["spec"].get("tolerations") or ()
    if untolerated(tolerations, node.taints, (NO_EXECUTE,)):
        return Rejection(
            "TaintToleration",
            "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
        )
    return None


def _collide(wanted: HostPort, held: HostPort) -> bool:
    addresses = {wanted[0], held[0]}
    return wanted[1:] == held[1:] and ("0.0.0.0" in addresses or len(addresses) == 1)


def _pressed(pod: JSON, node: JSON) -> str | None:
    """The pressure that keeps the pod off; that of memory concerns best-effort pods only.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/eviction/eviction_manager.go
    """
    conditions = (node.get("status") or {}).get("conditions") or ()
    true = {c["type"] for c in conditions if c["status"] == "True"}
    found = " ".join(kind for kind in _PRESSURES if kind in true)
    if found != "MemoryPressure":
        return found or None
    if pod["status"].get("qosClass") != "BestEffort":
        return None
    taint = Taint("node.kubernetes.io/memory-pressure", "", "NoSchedule")
    tolerations = pod["spec"].get("tolerations") or ()
    return None if any(tolerates(t, taint) for t in tolerations) else found
