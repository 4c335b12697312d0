"""Whoever wants a Kubernetes in a process imports no operator."""

import json
import subprocess
import sys

SCRIPT = """
import json, sys
from hourglass_simulator.cluster import Cluster

cluster = Cluster()
cluster.add_node("node-1")
container = {"name": "web", "image": "nginx:1"}
pod = {"metadata": {"name": "web"}, "spec": {"containers": [container]}}
cluster.api.create("pods", pod, namespace="default")
cluster.run_until(60)
found = cluster.api.get("pods", "default", "web")
phase, node = found["status"]["phase"], found["spec"]["nodeName"]
packages = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"pod": [phase, node], "packages": packages}))
"""
OPERATOR = {"hourglass_operator", "hourglass_statemachine", "kopf", "kubernetes", "transitions"}


def test_a_pod_runs_in_a_simulated_cluster_without_any_part_of_the_operator() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    seen = json.loads(ran.stdout)
    assert seen["pod"] == ["Running", "node-1"]
    assert not OPERATOR & set(seen["packages"])
