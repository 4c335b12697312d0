"""A pod on its node, as the parts of the kubelet that run it share it."""

import random

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubelet.images import ImageRegistry
from hourglass_simulator.kubelet.node import NodeAgent
from hourglass_simulator.kubelet.pod import NodePod, Stage
from hourglass_simulator.kubelet.runtime import Runtime
from hourglass_simulator.kubelet.workload import Workload
from hourglass_simulator.recorder import EventRecorder

APP = {"name": "app", "image": "app:1"}


def node_pod(**spec: object) -> NodePod:
    """A pod of this spec that its kubelet runs; it is stored and no container has begun."""
    clock = Clock()
    api = APIServer(clock)
    body = {"metadata": {"name": "p"}, "spec": {"containers": [APP], "nodeName": "n", **spec}}
    obj: JSON = api.create("pods", body, namespace="default")
    node = {"metadata": {"name": "n"}, "status": {"addresses": []}}
    agent = NodeAgent(node, 0, EventRecorder(clock, api, "kubelet", "n"), {})
    images = ImageRegistry()
    runtime = Runtime(clock, api, images, random.Random(0), lambda *_: Workload())
    pod = NodePod(runtime, agent, obj)
    pod.stage = Stage.ACTIVE
    return pod


def stored(pod: NodePod) -> JSON:
    """The pod as the API server has it."""
    found: JSON = pod.runtime.api.get("pods", "default", "p")
    return found
