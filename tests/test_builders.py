"""What the operator reads of a built pod is what it reads of one that a real kubelet reported."""

import json
from pathlib import Path
from typing import Any

import pytest

from builders import PodBuilder, node, performer, pod_of
from hourglass_kube.node import Taint, view
from hourglass_kube.types import JSON
from hourglass_operator.controller.pod_view import Exit, pod_view

RECORDED = json.loads((Path(__file__).parent / "goldens/kubelet/kubelet.golden.json").read_text())
POD = pod_of(performer("ml"))
BOUND = POD.on("node-1")
TIME = "2026-01-01T00:00:00Z"


def read(pod: JSON) -> tuple[Any, ...]:
    """What of a pod's status does not differ from run to run."""
    seen = pod_view(pod)
    assert seen is not None
    container = seen.container
    return (
        *(seen.phase, seen.reason, seen.disrupted, seen.ready, seen.deleted is not None),
        *(container.waiting, container.started is not None, container.restarts),
        *(_ended(container.exit), _ended(container.last_exit)),
    )


def _ended(end: Exit | None) -> tuple[str, int] | None:
    return (end.reason, end.code) if end else None


def recorded(situation: str) -> list[JSON]:
    pods = []
    for state in RECORDED[situation]["states"]:
        status = json.loads(json.dumps(state["status"]).replace("{time}", TIME))
        pod = {**BOUND.build(), "status": status}
        if state["deleting"]:
            pod["metadata"] = {**pod["metadata"], "deletionTimestamp": TIME}
        pods.append(pod)
    return pods


@pytest.mark.parametrize(
    ("situation", "pod"),
    [
        ("serves behind a tcp probe, then is deleted gracefully", BOUND),
        ("serves behind a tcp probe, then is deleted gracefully", BOUND.running(1)),
        ("serves behind a tcp probe, then is deleted gracefully", BOUND.ready(2)),
        ("serves behind a tcp probe, then is deleted gracefully", BOUND.ready(2).deleting(40)),
        ("never becomes ready", BOUND.running(1)),
        ("loses its readiness and regains nothing", BOUND.ready(2).unready(9)),
        ("image is missing", BOUND.waiting("ErrImagePull")),
        ("image is missing", BOUND.waiting("ImagePullBackOff")),
        ("image may never be pulled", BOUND.waiting("ErrImageNeverPull")),
        ("image name is invalid", BOUND.waiting("InvalidImageName")),
        ("secret lacks the key", BOUND.waiting("CreateContainerConfigError")),
        ("exits with an error again and again", BOUND.ready(2).crashed(3, code=3)),
        ("exits with an error again and again", BOUND.restarted(3, code=3).ready(4)),
        ("exits with an error again and again", BOUND.ready(2).crash_loop(3, code=3)),
        ("exits without an error", BOUND.crashed(3, code=0, reason="Completed")),
        ("runs out of memory", BOUND.crashed(3, code=137, reason="OOMKilled")),
        (
            "is evicted by the eviction API",
            BOUND.ready(2).disrupted("EvictionByEvictionAPI").deleting(40),
        ),
        ("node has too little cpu", POD.failed("OutOfcpu")),
        ("node does not match the selector", POD.failed("NodeAffinity")),
    ],
)
def test_a_built_pod_reads_like_a_recorded_one(situation: str, pod: PodBuilder) -> None:
    assert read(pod.build()) in [read(other) for other in recorded(situation)]


def test_builders_leave_what_they_are_made_from_alone() -> None:
    before = BOUND.build()
    BOUND.ready().crash_loop(3).failed("Evicted").without_label("app").orphaned()
    after = BOUND.build()
    assert {**after, "metadata": None} == {**before, "metadata": None}
    assert after["metadata"]["labels"] == before["metadata"]["labels"]


def test_every_object_is_newer_than_all_before_it() -> None:
    built = [performer("a").build(), POD.build(), node("n").build(), performer("a").service()]
    versions = [int(obj["metadata"]["resourceVersion"]) for obj in built]
    assert versions == sorted(set(versions))


def test_a_node_reads_as_built() -> None:
    built = node("n").label("a", "b").offers("nvidia.com/gpu", 2).taint("k", "v").cordoned()
    seen = view(built.not_ready().build())
    assert seen.labels == {"a": "b"}
    assert seen.allocatable["nvidia.com/gpu"] == "2"
    assert seen.taints == (Taint("k", "v", "NoSchedule"),)
    assert (seen.unschedulable, seen.ready) == (True, False)
