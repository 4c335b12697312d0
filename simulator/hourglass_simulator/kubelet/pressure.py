"""A node that lacks memory: its kubelet says so and evicts one pod after the other.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/eviction/eviction_manager.go
"""

from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet import eviction
from hourglass_simulator.kubelet.kubelets import Kubelets
from hourglass_simulator.kubelet.node import NodeAgent
from hourglass_simulator.recorder import WARNING, reference

CONDITION = "MemoryPressure"
INTERVAL = 10.0
"""Seconds from one look at the node's memory to the next; each evicts one pod at most."""
TRANSITION = 300.0
"""Seconds for which the condition stays when there is memory again."""


class MemoryPressure:
    """Lasts until the pods that were evicted used as much as is lacking, or until it is ended."""

    def __init__(self, clock: Clock, kubelets: Kubelets, node: str, lacking: int) -> None:
        """`lacking`: bytes."""
        self._clock = clock
        self._kubelets = kubelets
        self._node = node
        self._left = lacking
        self._timer = clock.after(0, self._look)

    def end(self) -> None:
        """There is memory again, and the node says so at once."""
        self._timer.cancel()
        # A kubelet that is away reports later, all conditions anew.
        if self._up():
            self._kubelets.press(self._node, CONDITION, on=False)

    def _up(self) -> NodeAgent | None:
        agent = self._kubelets.agent(self._node)
        return agent if agent is not None and agent.up else None

    def _look(self) -> None:
        if self._left <= 0:
            self._timer = self._clock.after(TRANSITION - INTERVAL, self.end)
            return
        self._timer = self._clock.after(INTERVAL, self._look)
        agent = self._up()
        if agent is None:
            return
        conditions = agent.node["status"]["conditions"]
        if not any((c["type"], c["status"]) == (CONDITION, "True") for c in conditions):
            self._kubelets.press(self._node, CONDITION, on=True)
        text = "Attempting to reclaim memory"
        agent.recorder.event(reference(agent.node), WARNING, "EvictionThresholdMet", text)
        for pod in eviction.ranked(self._kubelets.running(self._node))[:1]:
            self._left -= eviction.usage(pod)
            metadata = pod.object["metadata"]
            self._kubelets.evict(metadata["namespace"], metadata["name"])
