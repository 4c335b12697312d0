"""What `explain` says."""

# ruff: noqa: E501 - the snapshots are what is printed

from typing import Any

import yaml
from inline_snapshot import snapshot

from hourglass_simulator.scenario import Scenario, explain
from hourglass_simulator.scenario.describe import step
from hourglass_simulator.scenario.step import Step


def read(text: str) -> Scenario:
    return Scenario.model_validate(yaml.safe_load(text), by_alias=True, by_name=False)


def line(text: str) -> str:
    found: Any = yaml.safe_load(text)
    return step(Step.model_validate(found, by_alias=True, by_name=False))


def test_a_scenario_in_words() -> None:
    text = """
scenario: A GPU node dies
shows: What happens then.
cluster:
  nodes:
  - name: gpu
    labels: {accelerator: a100}
    devices: {nvidia.com/gpu: 4}
    taints: [dedicated=avs:NoSchedule, "gpu:NoExecute"]
  - {name: plain, count: 2, cpu: 500m}
  images:
    a:v1: {pull: 20s, readyAfter: 3s, ignoresTermination: true}
    a:v2: {missing: true}
    a:v3: {exitsAfter: 5s, exitCode: 3, start: 4s, readyUntil: 4s, stopsAfter: 9s}
    a:v4: {neverReady: true}
    a:v5: {}
    a:v6: {exitsAfter: 5s, outOfMemory: true, unauthorized: true, commandMissing: true}
  priorityClasses: {high: 1000}
  runtimeClasses: [kata, gvisor]
  secrets: {s: [k1, k2], t: []}
manifests:
- {apiVersion: x/v1, kind: Performer, metadata: {name: w}}
- {apiVersion: v1, kind: ResourceQuota, metadata: {name: q}}
steps:
- eventually: {within: 1m, performers: {w: {phase: [Running, Upgrading], pods: 0}}}
- after: 10s
  note: The node does not answer any more.
  fault: {nodeLost: {node: gpu, for: 5m}}
- at: 10m
  heal: nodeLost
- always:
    for: 5m
    performers: {w: {serving: true}}
    objects: [{resource: pods, namespace: avs, labels: {a: b}, count: 1}]
    writes: {atMost: 0, resource: pods}
settles:
  performers: {w: {phase: Failed}}
"""
    assert explain(read(text)) == snapshot("""\
A GPU node dies

What happens then.

The cluster
  - Kubernetes 1.34
  - node gpu: 8 CPU, 32Gi, 4 × nvidia.com/gpu, label accelerator=a100, taint dedicated=avs:NoSchedule, taint gpu:NoExecute
  - nodes plain-1 to plain-2: 500m CPU, 32Gi
  - image a:v1: takes 20s to pull, is ready 3s after its start, ignores SIGTERM
  - image a:v2: is not in the registry
  - image a:v3: takes 4s to start, is no longer ready 4s after its start, ends 5s after its start with code 3, takes 9s to stop
  - image a:v4: is never ready
  - image a:v5: behaves well
  - image a:v6: is refused by the registry, has no such command, ends 5s after its start for lack of memory
  - PriorityClass high with value 1000
  - RuntimeClass kata and gvisor
  - Secret s with k1 and k2
  - Secret t

What happens
  At the start: apply Performer w and ResourceQuota q.
  0. Eventually, within 1m:
       - w is Running or Upgrading, has no pods
  1. 10s later, inject the fault nodeLost (node: gpu, for: 5m).
     (The node does not answer any more.)
  2. At 10m, heal the fault nodeLost.
  3. Always, for 5m:
       - w has a ready endpoint
       - there are pods in avs with labels a=b: 1
       - the operator writes nothing (counting only pods)

How it ends
  Within 15m everything settles, and for 5m after that it stays so and the operator writes nothing.
  w is Failed.
  Every other Performer is as its spec asks.

It runs on the simulator only: it injects faults.\
""")


def test_a_portable_scenario_says_so() -> None:
    assert explain(read("{scenario: s, shows: t}")).splitlines()[-4:] == snapshot(
        [
            "  Within 15m everything settles, and for 5m after that it stays so and the operator writes nothing.",
            "  Every Performer is as its spec asks.",
            "",
            "It runs on a real cluster too: every step is a plain API operation.",
        ]
    )


def test_steps_in_words() -> None:
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"
    lines = [
        line(f"apply: [{manifest}, {manifest}]"),
        line(f"{{create: {manifest}, refused: already exists}}"),
        line("patch: {name: w, namespace: n, merge: {spec: {version: null, x: [1, true]}}}"),
        line("patch: {resource: nodes, name: w, subresource: status, merge: {}}"),
        line("delete: {name: w, gracePeriodSeconds: 0}"),
        line("drain: [a, b, c]"),
        line("fault: apiDown"),
        line("expect: {noWritesFor: 5m, writes: {atMost: 1}}"),
        line("never: {for: 1m, objects: [{resource: nodes, name: a, has: {spec: {x: 1}}}]}"),
    ]
    assert lines == snapshot(
        [
            "apply ConfigMap c and ConfigMap c",
            'create ConfigMap c, which is refused with "already exists"',
            "patch Performer n/w: {spec: {version: null, x: [1, true]}}",
            "patch the status of nodes w: {}",
            "delete Performer w with a grace period of 0s",
            "drain node a, node b and node c",
            "inject the fault apiDown",
            "now: the operator writes at most 1 time; the operator has written nothing for 5m",
            "never, for 1m: there are nodes named a that hold {spec: {x: 1}}",
        ]
    )


def test_a_performer_in_words() -> None:
    performer = """
exists: false
ready: false
conditions: {Ready: False/PodLost}
message: [a, /b/]
messages: {Degraded: c}
podsCreated: 2
pod: same
node: gpu
services: 0
service: performer-w
endpoint: performer-w.default.svc.cluster.local:9090
lastUpgrade: set
serving: false
servedThroughout: true
events: {Failed: 1}
phases: [..., Failed]
reasons: [PodPending, PodLost]
has: {spec: {image: a}}
"""
    wanted = {"expect": {"performers": {"w": yaml.safe_load(performer)}}}
    assert line(yaml.safe_dump(wanted)).split(", ") == snapshot(
        [
            "now: w is gone",
            "is not ready",
            "has no ready endpoint",
            "has had a ready endpoint at every moment since the last action",
            "has Ready=False/PodLost",
            'says something that contains "a"',
            "says something that matches /b/",
            'says under Degraded something that contains "c"',
            "has had 2 pods in all",
            "is on the same pod",
            "runs on node gpu",
            "has no Services",
            "has the Service performer-w",
            "is reached at performer-w.default.svc.cluster.local:9090",
            "has been upgraded",
            "has the event Failed × 1",
            "has been ... → Failed",
            "has had the reasons PodPending → PodLost",
            "holds {spec: {image: a}}",
        ]
    )
