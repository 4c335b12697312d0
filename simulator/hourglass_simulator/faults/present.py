"""Whether what a fault names is there."""

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, patches
from hourglass_simulator.faults.parameters import OfPods
from hourglass_simulator.faults.target import FaultNotPossibleError, Target
from hourglass_simulator.kubelet.devices import MOST_DEVICES


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


def change_node(target: Target, name: str, change: JSON) -> None:
    """Merge a change into a Node, or into what registers when a removed one is back."""
    if find_node(target, name) is not None:
        target.cluster.api.patch("nodes", "", name, change)
    elif (removed := target.holds.removed.get(name)) is not None:
        version = target.cluster.api.version
        target.holds.removed[name] = patches.apply(removed, change, patches.MERGE, version)


def device_count(target: Target, name: str, resource: str) -> int:
    """How many devices a node has, healthy or not.

    Raises FaultNotPossibleError if it never had any.
    """
    capacity = (node(target, name).get("status") or {}).get("capacity") or {}
    if resource not in capacity:
        raise FaultNotPossibleError(f"node {name} has no {resource}")
    count = quantity.whole(capacity[resource])
    if count > MOST_DEVICES:
        raise FaultNotPossibleError(f"{resource} of node {name} is an amount, not devices")
    return count


def pods(target: Target, wanted: OfPods) -> list[tuple[str, str]]:
    """Namespaces and names of pods.

    Raises FaultNotPossibleError if there is no such Performer or pod.
    """
    space = wanted.namespace or target.namespace
    api = target.cluster.api
    resource, kind, name = ("pods", "pod", wanted.pod)
    if wanted.performer is not None:
        resource, kind, name = ("performers", "Performer", wanted.performer)
    assert name is not None  # the parameters have one of both
    try:
        api.get(resource, space, name)
    except APIError as error:
        if error.code == 404:
            raise FaultNotPossibleError(f"there is no {kind} {space}/{name}") from error
        raise
    if wanted.performer is None:
        return [(space, name)]
    found = api.list("pods", space, label_selector=f"performer-name={name}")
    return [(space, pod["metadata"]["name"]) for pod in found.items]
