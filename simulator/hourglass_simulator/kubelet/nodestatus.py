"""What a kubelet says of its node when it is back."""

from hourglass_kube.types import JSON
from hourglass_simulator import node_conditions
from hourglass_simulator.kubelet.node import NodeAgent


def resumed(agent: NodeAgent, now: str) -> JSON:
    """The node's status: well, with the devices that there are by now.

    They may have failed, recovered, left or come back meanwhile. What is shut down is not ready.
    """
    status = agent.node.get("status") or {}
    conditions = [
        node_conditions.shutting_down(c, now)
        if agent.shutting_down and c["type"] == "Ready"
        else node_conditions.good(c, now)
        for c in status.get("conditions") or ()
    ]
    offered = {name: str(found.allocatable) for name, found in agent.devices.items()}
    there = {name: str(found.total) for name, found in agent.devices.items() if found.plugged}
    return {
        **status,
        "conditions": conditions,
        "capacity": {**(status.get("capacity") or {}), **there},
        "allocatable": {**(status.get("allocatable") or {}), **offered},
    }
