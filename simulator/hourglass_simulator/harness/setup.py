"""The cluster that a scenario starts with."""

from functools import partial

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet.images import Pull
from hourglass_simulator.nodepools.pool import (
    Budget,
    ClusterAutoscaler,
    Karpenter,
    NodePool,
    Stage,
)
from hourglass_simulator.scenario.cluster import Cluster as Wanted
from hourglass_simulator.scenario.cluster import Image, NodeGroup, ScaledByClusterAutoscaler
from hourglass_simulator.scenario.cluster import NodePool as WantedPool


def set_up(cluster: Cluster, wanted: Wanted, namespace: str) -> None:
    """Add nodes, images and cluster objects; what is namespaced goes into `namespace`."""
    for group in wanted.nodes:
        _add_nodes(cluster, group)
    if wanted.node_pools:
        cluster.add_node_pools([node_pool(pool) for pool in wanted.node_pools])
    for pattern, image in wanted.images.items():
        declare(cluster, pattern, image)
    api = cluster.api
    for name, value in wanted.priority_classes.items():
        api.create("priorityclasses", {"metadata": {"name": name}, "value": value})
    for name in wanted.runtime_classes:
        api.create("runtimeclasses", {"metadata": {"name": name}, "handler": name})
    for name in wanted.service_accounts:
        api.create("serviceaccounts", {"metadata": {"name": name}}, namespace=namespace)
    for resource, objects in (("secrets", wanted.secrets), ("configmaps", wanted.config_maps)):
        for name, keys in objects.items():
            body = {"metadata": {"name": name}, "data": dict.fromkeys(keys, "")}
            api.create(resource, body, namespace=namespace)


def ensure_namespace(cluster: Cluster, namespace: str) -> None:
    """Create a namespace unless it exists."""
    names = {ns["metadata"]["name"] for ns in cluster.api.list("namespaces").items}
    if namespace not in names:
        cluster.api.create("namespaces", {"metadata": {"name": namespace}})


def declare(cluster: Cluster, pattern: str, image: Image) -> None:
    """Let an image be pulled and behave as described."""
    images = cluster.images
    if image.missing:
        images.remove(pattern)
    elif image.unauthorized:
        images.fail(pattern, Pull.UNAUTHORIZED)
    else:
        images.push(pattern)
    if image.pull is not None:
        images.take(pattern, image.pull)
    images.behave(pattern, image.workload)
    for build in image.builds:
        cluster.clock.at(build.pushed, partial(images.rebuild, pattern, build.workload))


def node_pool(wanted: WantedPool) -> NodePool:
    """A node pool as the simulated cluster has it."""
    stages = [Stage(s.after, s.labels, s.devices, s.taints) for s in wanted.startup]
    return NodePool(
        name=wanted.name,
        least=wanted.min,
        most=wanted.max,
        boot=wanted.boots_in,
        scaler=_scaler(wanted),
        startup_taints=[taint.to_json() for taint in wanted.startup_taints],
        stages=tuple(stages),
        **wanted.properties,
    )


def _scaler(wanted: WantedPool) -> ClusterAutoscaler | Karpenter:
    if (by := wanted.karpenter) is not None:
        after = by.consolidate_after
        return Karpenter(
            consolidate_after=None if isinstance(after, str) else after,
            underutilized=by.consolidates == "WhenEmptyOrUnderutilized",
            budgets=tuple(Budget(budget.nodes, budget.reasons) for budget in by.budgets),
        )
    settings = wanted.cluster_autoscaler or ScaledByClusterAutoscaler()
    return ClusterAutoscaler(settings.unneeded_for, settings.delay_after_add)


def _add_nodes(cluster: Cluster, group: NodeGroup) -> None:
    for name in group.names:
        cluster.add_node(name, **group.properties)
        for driver, devices in group.drivers.items():
            found = [device.to_json() for device in devices]
            cluster.kubelets.drivers.start(name, driver, found)
