"""Performers, pods and Services that the Go operator has left."""

from typing import Any

import pytest

from builders import PodBuilder, go_pod_of, pod_of
from hourglass_kube.types import JSON
from hourglass_operator.controller.cache import Cache
from hourglass_operator.resources import go_operator, names
from scene import Scene, calls, conditions_of, scene, status_of
from situations import GPU, GPU_NODE, NOW, V1, CallsCase, assert_calls

THEIRS = {
    "phase": "Running",
    "ready": True,
    "podName": "performer-ml",
    "serviceName": "performer-ml",
    "grpcEndpoint": "performer-ml.avs.svc.cluster.local",
    "readyTime": "1970-01-01T00:00:10Z",
}
"""The status that the Go operator writes."""
ML = V1.held_by(go_operator.FINALIZER, names.FINALIZER).with_status(**THEIRS)
OLD = go_pod_of(ML).on("node-1").ready()
NEW = pod_of(ML).on("node-1")

LABELS = "patch pods performer-ml"
CREATE = f"create pods {NEW.name}"
DELETE_OLD = "delete pods performer-ml"
BIG = GPU.held_by(go_operator.FINALIZER, names.FINALIZER).with_status(**THEIRS)
HOLDER = go_pod_of(BIG).on("gpu-1").ready()
WAITING = pod_of(BIG).unschedulable("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")

CASES = [
    CallsCase("a pod that serves gets a successor", ML, [OLD], [LABELS, CREATE], serving=[OLD]),
    CallsCase("it stays until that serves", ML, [OLD, NEW], [LABELS], serving=[OLD]),
    CallsCase("it drains when that serves", ML, [OLD, NEW.ready()], [], serving=[NEW]),
    CallsCase(
        "one that is not Ready has nothing to drain",
        ML,
        [OLD.unready(NOW - 1), NEW.ready()],
        [DELETE_OLD],
        serving=[NEW],
    ),
    CallsCase(
        "Recreate ends it first",
        ML.strategy("Recreate"),
        [OLD],
        [LABELS, DELETE_OLD],
        serving=[OLD],
    ),
    CallsCase(
        "one that has failed is cleared away",
        ML,
        [go_pod_of(ML).on("node-1").failed("Evicted")],
        [CREATE, DELETE_OLD],
    ),
    CallsCase(
        "one that has just been made is not deleted yet: its maker may be at work",
        ML,
        [OLD.born(NOW - 9).unready(NOW - 1), NEW.ready()],
        [],
        serving=[NEW],
    ),
    CallsCase("a deletion ends it", ML.deleting(NOW), [OLD], [DELETE_OLD], serving=[OLD]),
    CallsCase("a deletion waits for it", ML.deleting(NOW), [OLD.deleting(NOW + 30)], []),
    CallsCase(
        "a deletion ends it though only the Go operator's finalizer is there",
        ML.held_by(go_operator.FINALIZER).deleting(NOW),
        [OLD],
        [DELETE_OLD],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_calls(case: CallsCase) -> None:
    assert_calls(case)


def test_auto_takes_the_gpus_that_the_old_pod_holds() -> None:
    full = GPU_NODE.offers("nvidia.com/gpu", 2)
    staged = scene(BIG, HOLDER, WAITING, serving=[HOLDER], nodes=[full])
    assert DELETE_OLD in calls(staged.plan(NOW))


@pytest.mark.parametrize(
    ("finalizers", "left"),
    [
        ((go_operator.FINALIZER, names.FINALIZER), []),
        ((go_operator.FINALIZER,), []),
        (("other/finalizer", go_operator.FINALIZER, names.FINALIZER), ["other/finalizer"]),
    ],
)
def test_with_the_last_pod_both_finalizers_go(finalizers: tuple[str, ...], left: list[str]) -> None:
    (release,) = scene(ML.held_by(*finalizers).deleting(NOW)).plan(NOW).writes
    assert release.body["metadata"]["finalizers"] == left


def test_the_status_of_the_go_operator_is_taken_in() -> None:
    status = status_of(scene(ML, OLD, serving=[OLD]).plan(NOW), ML.status)
    assert status["phase"] == "Upgrading"
    assert status["ready"] is True
    assert status["readyTime"] == THEIRS["readyTime"]
    assert status["servingTemplateHash"] == go_operator.TEMPLATE
    assert conditions_of(status)["Available"] == "True/PodReady"


def test_before_an_endpoint_slice_is_seen_its_readiness_tells() -> None:
    staged = scene(ML, OLD)
    staged.sees("endpointslices", ML.endpoints(), event="DELETED")
    staged.answer_reads(staged.plan(NOW), NOW)
    status = status_of(staged.plan(NOW), ML.status)
    assert (status["phase"], status["ready"]) == ("Upgrading", True)


# The Service


def service(selector: dict[str, str], *ports: JSON) -> JSON:
    """As the Go operator leaves it, but for selector and ports."""
    ours = ML.service()
    meta = {k: v for k, v in ours["metadata"].items() if k != "labels"}
    spec: JSON = {"type": "ClusterIP", "selector": selector, "ports": list(ports)}
    return {**ours, "metadata": meta, "spec": spec}


def seen_now(observed: JSON) -> JSON:
    """Newer than what was built before."""
    version = ML.service()["metadata"]["resourceVersion"]
    return {**observed, "metadata": {**observed["metadata"], "resourceVersion": version}}


def port(number: int, name: str = "grpc") -> JSON:
    return {"name": name, "port": number, "targetPort": "grpc", "protocol": "TCP"}


THEIR_SELECTOR = go_operator.selector("ml")
OUR_SELECTOR = names.selector("ml")
OUR_PORT = {**port(9090), "appProtocol": "kubernetes.io/h2c"}


def repaired(staged: Scene, observed: JSON) -> JSON:
    """The Service's spec after the plan, without what was set to null."""
    staged.sees("services", seen_now(observed))
    patch: JSON = next(
        (w.body.get("spec", {}) for w in staged.plan(NOW).writes if w.resource == "services"), {}
    )
    spec = {**observed["spec"], **patch}
    selector = {**observed["spec"]["selector"], **patch.get("selector", {})}
    return {
        "selector": {key: value for key, value in selector.items() if value is not None},
        "ports": spec["ports"],
    }


ENDED = go_pod_of(ML).on("node-1").failed("Evicted")
SERVICES: list[tuple[str, list[PodBuilder], JSON, JSON]] = [
    (
        "stays as it is while the old pod may serve",
        [OLD],
        service(THEIR_SELECTOR, port(9090)),
        {"selector": THEIR_SELECTOR, "ports": [port(9090)]},
    ),
    (
        "stays while the old pod stops serving",
        [OLD.deleting(NOW + 30), NEW],
        service(THEIR_SELECTOR, port(9090)),
        {"selector": THEIR_SELECTOR, "ports": [port(9090)]},
    ),
    (
        "keeps the old port beside the wanted one",
        [OLD],
        service(THEIR_SELECTOR, port(8080)),
        {"selector": THEIR_SELECTOR, "ports": [OUR_PORT, port(8080, "grpc-8080")]},
    ),
    (
        "stays with both ports",
        [OLD],
        service(THEIR_SELECTOR, OUR_PORT, port(8080, "grpc-8080")),
        {"selector": THEIR_SELECTOR, "ports": [OUR_PORT, port(8080, "grpc-8080")]},
    ),
    (
        "becomes ours when the old pod has gone",
        [NEW.ready()],
        service(THEIR_SELECTOR, OUR_PORT, port(8080, "grpc-8080")),
        {"selector": OUR_SELECTOR, "ports": [OUR_PORT]},
    ),
    (
        "becomes ours where the old pod has ended",
        [ENDED],
        service(THEIR_SELECTOR, port(9090)),
        {"selector": OUR_SELECTOR, "ports": [OUR_PORT]},
    ),
    (
        "that selects something else becomes ours",
        [OLD],
        service({"app": "x"}, port(9090)),
        {"selector": OUR_SELECTOR, "ports": [OUR_PORT]},
    ),
]


@pytest.mark.parametrize(
    ("pods", "observed", "spec"), [s[1:] for s in SERVICES], ids=[s[0] for s in SERVICES]
)
def test_the_service(pods: list[PodBuilder], observed: JSON, spec: JSON) -> None:
    assert repaired(scene(ML, *pods), observed) == spec


def test_it_is_labelled_at_once_so_that_its_endpoint_slices_are_seen() -> None:
    staged = scene(ML, OLD)
    staged.sees("services", service(THEIR_SELECTOR, port(9090)))
    patch = next(w.body for w in staged.plan(NOW).writes if w.resource == "services")
    assert patch["metadata"]["labels"]["app"] == "performer"


def test_when_the_new_pod_serves_the_service_selects_it_alone_and_then_the_old_one_goes() -> None:
    staged = scene(ML, OLD, NEW.ready(), serving=[OLD, NEW])
    staged.sees("services", seen_now(service(THEIR_SELECTOR, OUR_PORT)))
    # As long as the Service selects it, time does not count.
    for now in (NOW, NOW + 60):
        plan = staged.plan(now)
        assert calls(plan) == ["patch services performer-ml"]
        assert plan.writes[0].body["spec"]["selector"] == {
            **dict.fromkeys(THEIR_SELECTOR),
            **OUR_SELECTOR,
        }
        staged.answer(plan, now, code=500)
    staged.sees("services", ML.service())
    for now in (NOW + 70, NOW + 79.9):
        plan = staged.plan(now)
        assert calls(plan) == []
        assert plan.requeue_after is not None
        staged.succeed(plan, now)
    assert calls(staged.plan(NOW + 80)) == [DELETE_OLD]


def test_a_pod_that_a_service_of_ours_finds_loses_the_label_before_it_goes() -> None:
    labelled = OLD.build()
    labelled["metadata"]["labels"].update(OUR_SELECTOR)
    staged = scene(ML, NEW.ready(), serving=[OLD, NEW])
    staged.sees("pods", labelled)
    patch = next(w for w in staged.plan(NOW).writes if w.resource == "pods")
    assert (patch.verb, patch.body) == ("patch", {"metadata": {"labels": {"performer-name": None}}})


# The cache


def cache_with(*pods: PodBuilder) -> Cache:
    cache = Cache()
    for pod in pods:
        cache.watched("pods", "ADDED", pod.build())
    return cache


def test_a_pod_that_goes_is_forgotten() -> None:
    cache = cache_with(OLD, NEW)
    assert cache.watched("pods", "DELETED", OLD.build()) == (("avs", "ml"),)
    assert [pod.name for pod in cache.pods(("avs", "ml"))] == [NEW.name]


NAMES: list[tuple[str, dict[str, Any], tuple[str, str] | None]] = [
    (
        "by its label",
        {"name": "performer-a-bcdfghjklm-0", "labels": {names.PERFORMER_LABEL: "a-bcdfghjklm-0"}},
        ("a-bcdfghjklm-0", go_operator.TEMPLATE),
    ),
    (
        "by its owner",
        {
            "name": "performer-a-bcdfghjklm-0",
            "ownerReferences": [{"kind": "Performer", "name": "a-bcdfghjklm-0", "uid": "u"}],
        },
        ("a-bcdfghjklm-0", go_operator.TEMPLATE),
    ),
    (
        "as one of ours",
        {"name": "performer-a-bcdfghjklm-0", "labels": {names.PERFORMER_LABEL: "a"}},
        ("a", "bcdfghjklm"),
    ),
    ("as nobody's", {"name": "performer-a", "labels": {"app": "hourglass-performer"}}, None),
    ("as nobody's though it is labelled", {"name": "web", "labels": {"app": "performer"}}, None),
]


@pytest.mark.parametrize(("meta", "known"), [n[1:] for n in NAMES], ids=[n[0] for n in NAMES])
def test_a_pod_is_known(meta: JSON, known: tuple[str, str] | None) -> None:
    cache = Cache()
    meta = {"namespace": "avs", "uid": "u", "resourceVersion": "7", **meta}
    keys = cache.watched("pods", "ADDED", {"metadata": meta})
    pods = [pod for key in keys for pod in cache.pods(key)]
    assert [(pod.performer, pod.template_hash) for pod in pods] == ([known] if known else [])
    gone = cache.watched("pods", "DELETED", {"metadata": {**meta, "resourceVersion": "8"}})
    assert gone == keys
    assert [pod for key in keys for pod in cache.pods(key)] == []
