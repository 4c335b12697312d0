"""Whether what a fault names is there."""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.faults.target import FaultNotPossibleError, Target


def node(target: Target, name: str) -> JSON:
    """The Node; raises FaultNotPossibleError if there is none."""
    found = find_node(target, name)
    if found is None:
        known = [each["metadata"]["name"] for each in target.cluster.api.list("nodes").items]
        listed = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
        raise FaultNotPossibleError(f"there is no node {name}; there are {listed or 'none'}")
    return found


def find_node(target: Target, name: str) -> JSON | None:
    """The Node, if there is one."""
    try:
        return target.cluster.api.get("nodes", "", name)
    except APIError as error:
        if error.code == 404:
            return None
        raise


def device_count(target: Target, name: str, resource: str) -> int:
    """How many devices a node has, healthy or not.

    Raises FaultNotPossibleError if it never had any.
    """
    capacity = (node(target, name).get("status") or {}).get("capacity") or {}
    if resource not in capacity:
        raise FaultNotPossibleError(f"node {name} has no {resource}")
    return int(capacity[resource])


def pods(target: Target, performer: str, namespace: str | None) -> list[tuple[str, str]]:
    """Namespaces and names of a Performer's pods.

    Raises FaultNotPossibleError if there is no such Performer.
    """
    space = namespace or target.namespace
    api = target.cluster.api
    try:
        api.get("performers", space, performer)
    except APIError as error:
        if error.code == 404:
            raise FaultNotPossibleError(f"there is no Performer {space}/{performer}") from error
        raise
    found = api.list("pods", space, label_selector=f"performer-name={performer}")
    return [(space, pod["metadata"]["name"]) for pod in found.items]
