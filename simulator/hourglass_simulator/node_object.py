"""A Node object, for a simulated API server or a real one."""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

from hourglass_kube.types import JSON
from hourglass_simulator import declared_features, node_conditions


def node_object(
    name: str,
    number: int,
    now: str,
    *,
    cpu: str,
    memory: str,
    pods: int,
    labels: Mapping[str, str],
    taints: Sequence[Mapping[str, str]],
    devices: Mapping[str, int],
    zone: str | None,
    kubelet_version: str,
) -> JSON:
    """A Node as a kubelet registers it, Ready.

    `number` counts the nodes from 0 and decides the address; `now` is a timestamp as in the API.
    `cpu` and `memory` are quantities such as "8" and "32Gi". `taints` are as in the API: key,
    effect, and value if there is one. `devices` are extended resources with their counts.
    `kubelet_version` is such as "v1.34.4".
    """
    digest = hashlib.sha256(name.encode()).hexdigest()
    own = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    if zone is not None:
        own["topology.kubernetes.io/zone"] = zone
        own["topology.kubernetes.io/region"] = zone.rstrip("abcdef").rstrip("-")
    offered = {resource: str(count) for resource, count in devices.items()}
    resources = {
        "cpu": cpu,
        "ephemeral-storage": "100Gi",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": memory,
        "pods": str(pods),
        **offered,
    }
    spec: JSON = {"taints": [dict(taint) for taint in taints]} if taints else {}
    high, low = divmod(number, 250)
    declared = declared_features.declared(kubelet_version)
    return {
        "metadata": {
            "name": name,
            "labels": {**own, **labels},
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": spec,
        "status": {
            "addresses": [
                {"address": f"192.168.{high}.{low + 1}", "type": "InternalIP"},
                {"address": name, "type": "Hostname"},
            ],
            "allocatable": resources,
            "capacity": resources,
            "conditions": node_conditions.all_good(now),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            **({"declaredFeatures": declared} if declared else {}),
            "images": [],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": str(UUID(digest[:32])),
                "containerRuntimeVersion": "containerd://1.6.20",
                "kernelVersion": "6.1.0",
                "kubeProxyVersion": "",
                "kubeletVersion": kubelet_version,
                "machineID": digest[32:],
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "systemUUID": digest[32:],
            },
        },
    }
