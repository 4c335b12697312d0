"""The cluster that a scenario starts with."""

from hourglass_simulator.cluster import Cluster
from hourglass_simulator.kubelet.images import Pull
from hourglass_simulator.kubelet.workload import Workload
from hourglass_simulator.scenario.cluster import Cluster as Wanted
from hourglass_simulator.scenario.cluster import Image, NodeGroup


def set_up(cluster: Cluster, wanted: Wanted, namespace: str) -> None:
    """Add nodes, images and cluster objects; what is namespaced goes into `namespace`."""
    for group in wanted.nodes:
        _add_nodes(cluster, group)
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
    images.behave(pattern, workload(image))


def workload(image: Image) -> Workload:
    """How containers of an image behave."""
    ready_after = 0.0 if image.ready_after is None else image.ready_after
    stop_after = 0.0 if image.stops_after is None else image.stops_after
    return Workload(
        start_seconds=image.start or 0.0,
        ready_after=None if image.never_ready else ready_after,
        ready_until=image.ready_until,
        exit_after=image.exits_after,
        exit_code=image.exit_code,
        out_of_memory=image.out_of_memory,
        stop_after=None if image.ignores_termination else stop_after,
        executable=not image.command_missing,
    )


def _add_nodes(cluster: Cluster, group: NodeGroup) -> None:
    for name in group.names:
        cluster.add_node(
            name,
            cpu=group.cpu,
            memory=group.memory,
            pods=group.pods,
            labels=group.labels,
            taints=[taint.to_json() for taint in group.taints],
            devices=group.devices,
        )
