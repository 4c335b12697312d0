"""The real node: containerd, pod network, kubelet, kube-proxy, DNS; command lines and files."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from clusters.control_plane.commands import Files, Users
from clusters.native.network import API_ADDRESS, DNS_ADDRESS, POD_RANGE, Ports

NODE, SECOND = "real-node", "second-node"
USERS: Users = {
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "second-kubelet": (f"system:node:{SECOND}", "system:nodes"),
    "kube-proxy": ("system:kube-proxy", ""),
    "coredns": ("coredns", "system:masters"),
}
"""Those that the node brings."""
PAUSE_IMAGE = "localhost/pause:1"
POD_NETWORK = "hourglass-e2e"
PLUGINS = Path("/usr/lib/cni")
"""Where Debian keeps the CNI plugins."""


def containerd_config(folder: Path) -> str:
    """Everything below the folder; works without CAP_SYS_RESOURCE.

    https://github.com/containerd/containerd/blob/release/1.6/docs/cri/config.md
    """
    return f"""\
version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
[grpc]
  address = "{socket(folder)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{PLUGINS}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "{folder}/runc"
"""


def socket(folder: Path) -> Path:
    """Where containerd answers."""
    return folder / "containerd.sock"


def pod_network(folder: Path, pod_range: str = POD_RANGE) -> str:
    """A routed link for each pod: no bridge between pods, so Service addresses need no netfilter
    on bridges, and nothing is left when the pods are gone.
    """
    address_management = {
        "type": "host-local",
        "ranges": [[{"subnet": pod_range}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(folder / "cni-addresses"),
    }
    plugin = {"type": "ptp", "ipMasq": False, "ipam": address_management}
    return json.dumps({"cniVersion": "1.0.0", "name": POD_NETWORK, "plugins": [plugin]})


def kubelet_config(
    folder: Path,
    ports: Ports,
    gates: Collection[str] = (),
    address: str = API_ADDRESS,
    cgroup_root: str = "/",
) -> str:
    """https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ as JSON."""
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": address,
            "cgroupRoot": cgroup_root,
            "port": ports.kubelet,
            "healthzPort": 0,
            # Reached on an address of this machine alone.
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{socket(folder)}",
            "podLogsDir": str(folder / "pod-logs"),
            "clusterDNS": [DNS_ADDRESS],
            "clusterDomain": "cluster.local",
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
            "featureGates": dict.fromkeys(sorted(gates), True),
            # Less than 0 needs CAP_SYS_RESOURCE.
            "oomScoreAdj": 0,
            "maxPods": 240,
            # The disk of a developer's machine may be full: nothing is evicted or collected.
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "evictionHard": {"imagefs.available": "0%", "nodefs.available": "0%"},
        },
        indent=1,
    )


def corefile(kubeconfig: Path, ports: Ports) -> str:
    """Names of Services and nothing else."""
    return f"""\
cluster.local:{ports.dns} {{
  bind {API_ADDRESS}
  kubernetes cluster.local {{
    kubeconfig {kubeconfig}
  }}
}}
"""


def dns_service(ports: Ports) -> dict[str, Any]:
    """The Service kube-dns with CoreDNS, which runs outside of pods, behind it."""
    both = [("dns", "UDP"), ("dns-tcp", "TCP")]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {
            "clusterIP": DNS_ADDRESS,
            "ports": [
                {"name": name, "port": 53, "targetPort": ports.dns, "protocol": protocol}
                for name, protocol in both
            ],
        },
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns-host",
            "namespace": "kube-system",
            "labels": {"kubernetes.io/service-name": "kube-dns"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [API_ADDRESS]}],
        "ports": [
            {"name": name, "port": ports.dns, "protocol": protocol} for name, protocol in both
        ],
    }
    return {"apiVersion": "v1", "kind": "List", "items": [service, endpoints]}


def kubelet(
    program: Path, folder: Path, kubeconfig: Path, name: str = NODE, address: str = API_ADDRESS
) -> list[str]:
    """https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/"""
    return [
        str(program),
        f"--config={folder / 'kubelet.json'}",
        f"--kubeconfig={kubeconfig}",
        f"--root-dir={folder / 'kubelet'}",
        f"--cert-dir={folder / 'kubelet-pki'}",
        f"--hostname-override={name}",
        f"--node-ip={address}",
    ]


def kube_proxy(program: Path, files: Files, ports: Ports) -> list[str]:
    """https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/"""
    return [
        str(program),
        f"--kubeconfig={files.kubeconfig('kube-proxy')}",
        f"--hostname-override={NODE}",
        "--proxy-mode=iptables",
        f"--cluster-cidr={POD_RANGE}",
        # Leaves the machine's own limits of connections alone.
        "--conntrack-max-per-core=0",
        f"--healthz-bind-address=127.0.0.1:{ports.proxy_health}",
        f"--metrics-bind-address=127.0.0.1:{ports.proxy_metrics}",
    ]
