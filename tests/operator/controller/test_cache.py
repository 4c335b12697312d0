"""The cache: order, repetitions, lists, and which keys a change affects."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NAMESPACE, node, performer, pod_of
from hourglass_kube.types import JSON
from hourglass_operator.controller.cache import Cache
from hourglass_operator.runtime.informers.store import name_of

V1 = performer("ml")
OTHER = performer("other")
KEY, OTHER_KEY = (NAMESPACE, "ml"), (NAMESPACE, "other")
SERVICE = V1.service()["metadata"]["uid"]
POD = pod_of(V1).on("node-1")
GPU = performer("ml").gpu("nvidia-a100", 2)


def take_list(
    cache: Cache, resource: str, objects: Iterable[JSON], version: str
) -> tuple[tuple[str, str], ...]:
    """Let the cache take in a whole list, as an informer does; the affected keys."""
    listed = list(objects)
    affected = [key for obj in listed for key in cache.listed(resource, obj, version)]
    affected += cache.retain(resource, set(map(name_of, listed)), version)
    return tuple(dict.fromkeys(affected))


def at(obj: JSON, version: int) -> JSON:
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(version)}}


def filled() -> Cache:
    cache = Cache()
    for version, (resource, obj) in enumerate(
        [
            ("performers", V1.build()),
            ("pods", POD.build()),
            ("services", V1.service()),
            ("endpointslices", V1.endpoints(POD.name)),
            ("nodes", node("node-1").build()),
        ],
        start=1,
    ):
        cache.watched(resource, "ADDED", at(obj, version))
    return cache


AFFECTED = [
    ("a performer", "performers", V1.build(), (KEY,)),
    ("a pod", "pods", POD.build(), (KEY,)),
    ("a service", "services", V1.service(), (KEY,)),
    ("a slice", "endpointslices", V1.endpoints(), (KEY,)),
    ("a pod of nobody's", "pods", {"metadata": {"name": "web-0", "namespace": NAMESPACE}}, ()),
    (
        "a service of nobody's",
        "services",
        {"metadata": {"name": "web", "namespace": NAMESPACE}},
        (),
    ),
    (
        "a slice of nobody's service",
        "endpointslices",
        {"metadata": {"name": "web-x", "namespace": NAMESPACE, "labels": {}}},
        (),
    ),
]


@pytest.mark.parametrize(
    ("resource", "obj", "affected"), [c[1:] for c in AFFECTED], ids=[c[0] for c in AFFECTED]
)
def test_it_affects_its_performer(resource: str, obj: JSON, affected: tuple[Any, ...]) -> None:
    assert Cache().watched(resource, "ADDED", at(obj, 7)) == affected


def test_everything_of_a_performer_is_found_by_its_key() -> None:
    cache = filled()
    service = cache.service(KEY)
    assert [pod.name for pod in cache.pods(KEY)] == [POD.name]
    assert service is not None
    assert service.selector["performer-name"] == "ml"
    assert cache.ready_endpoints(KEY, SERVICE) == {POD.name}
    assert (cache.pods(OTHER_KEY), cache.service(OTHER_KEY)) == ((), None)


@pytest.mark.parametrize("resource", ["performers", "pods", "services", "endpointslices"])
def test_what_is_deleted_is_gone(resource: str) -> None:
    cache = filled()
    objects = {
        "performers": V1.build(),
        "pods": POD.build(),
        "services": V1.service(),
        "endpointslices": V1.endpoints(POD.name),
    }
    assert cache.watched(resource, "DELETED", at(objects[resource], 99)) == (KEY,)
    left = (
        cache.performers,
        cache.pods(KEY),
        cache.service(KEY),
        cache.ready_endpoints(KEY, SERVICE),
    )
    assert sum(1 for found in left if not found) == 1


def test_an_event_that_is_repeated_is_ignored() -> None:
    cache = filled()
    cache.watched("pods", "DELETED", at(POD.build(), 10))
    assert cache.watched("pods", "ADDED", at(POD.build(), 2)) == ()
    assert cache.pods(KEY) == ()


def test_a_list_removes_what_is_not_on_it() -> None:
    cache = filled()
    cache.watched("pods", "ADDED", at(pod_of(OTHER).build(), 10))
    assert take_list(cache, "pods", [at(pod_of(OTHER).build(), 10)], "20") == (KEY,)
    assert cache.pods(KEY) == ()


def test_a_list_does_not_remove_what_is_newer_than_itself() -> None:
    cache = filled()
    cache.answered("pods", at(POD.build(), 30))
    take_list(cache, "pods", [], "20")
    assert [pod.name for pod in cache.pods(KEY)] == [POD.name]
    take_list(cache, "pods", [], "40")
    assert cache.pods(KEY) == ()


def test_after_a_list_older_events_are_ignored() -> None:
    cache = filled()
    take_list(cache, "pods", [], "20")
    assert cache.watched("pods", "ADDED", at(POD.build(), 20)) == ()
    assert cache.watched("pods", "ADDED", at(POD.build(), 21)) == (KEY,)


def test_events_of_different_objects_may_come_in_any_order() -> None:
    cache = filled()
    assert cache.watched("pods", "ADDED", at(pod_of(OTHER).build(), 30)) == (OTHER_KEY,)
    assert cache.watched("pods", "MODIFIED", at(POD.ready().build(), 20)) == (KEY,)


def test_the_echo_of_an_answer_affects_nobody() -> None:
    cache = filled()
    assert cache.answered("pods", at(POD.ready().build(), 10)) == (KEY,)
    assert cache.watched("pods", "MODIFIED", at(POD.ready().build(), 10)) == ()


def test_names_of_a_list_remove_what_is_not_among_them() -> None:
    cache = filled()
    assert cache.retain("pods", {(NAMESPACE, POD.name)}, "20") == ()
    assert cache.retain("pods", set(), "20") == (KEY,)
    assert cache.pods(KEY) == ()


def test_only_so_many_objects_that_are_gone_are_remembered() -> None:
    cache = Cache()
    for version in range(1, 1102):
        cache.watched("nodes", "DELETED", at(node(f"node-{version}").build(), version))
    assert cache.watched("nodes", "ADDED", at(node("node-1101").build(), 1)) == ()
    assert cache.nodes() == {}
    cache.watched("nodes", "ADDED", at(node("node-1").build(), 1))
    assert list(cache.nodes()) == ["node-1"]


def test_the_answer_to_a_write_counts_until_the_watch_is_further() -> None:
    cache = filled()
    cache.answered("pods", at(POD.ready().build(), 10))
    assert cache.pods(KEY)[0].ready
    # The watch still delivers what came before the answer.
    cache.watched("pods", "MODIFIED", at(POD.build(), 9))
    assert cache.pods(KEY)[0].ready
    cache.watched("pods", "DELETED", at(POD.build(), 11))
    assert cache.answered("pods", at(POD.ready().build(), 10)) == ()
    assert cache.pods(KEY) == ()


@pytest.mark.parametrize(
    "order", [("answer", "event"), ("event", "answer")], ids=["answer first", "event first"]
)
def test_a_deletion_that_was_final_at_once_has_one_version_in_answer_and_event(
    order: tuple[str, str],
) -> None:
    cache = filled()
    for first in order:
        if first == "answer":
            cache.answered("pods", at(POD.build(), 11))
        else:
            cache.watched("pods", "DELETED", at(POD.build(), 11))
    assert cache.pods(KEY) == ()


@pytest.mark.parametrize(
    ("namespace", "version", "there"),
    [("", 20, False), (NAMESPACE, 20, False), ("elsewhere", 20, True), ("", 9, True)],
    ids=["of all", "of its namespace", "of another namespace", "older than the answer"],
)
def test_an_answer_that_comes_after_a_list_without_its_object_is_too_late(
    namespace: str, version: int, there: bool
) -> None:
    cache = Cache()
    cache.retain("pods", (), str(version), namespace)
    cache.answered("pods", at(POD.build(), 10))
    assert bool(cache.pods(KEY)) == there


def test_an_answer_about_what_is_not_watched_is_ignored() -> None:
    assert Cache().answered("events", at(POD.build(), 10)) == ()


def test_an_object_that_was_read_counts_though_the_watch_is_further() -> None:
    cache = filled()
    cache.watched("pods", "DELETED", at(POD.build(), 10))
    assert cache.found("pods", at(POD.build(), 10)) == (KEY,)
    assert cache.lost("pods", (NAMESPACE, POD.name), 10) == (KEY,)
    assert cache.lost("pods", (NAMESPACE, POD.name), 10) == ()
    assert cache.lost("events", (NAMESPACE, "x"), 10) == ()


@pytest.mark.parametrize(
    ("seen", "left"),
    [(11, []), (10, []), (9, [POD.name]), (0, [POD.name])],
    ids=[
        "the write knew a newer one",
        "the write knew this one",
        "the write knew an older one of its name",
        "the write knew none of its name",
    ],
)
def test_what_is_not_found_is_what_the_write_was_about(seen: int, left: list[str]) -> None:
    cache = filled()
    cache.watched("pods", "MODIFIED", at(POD.build(), 10))
    affected = cache.lost("pods", (NAMESPACE, POD.name), seen)
    assert [pod.name for pod in cache.pods(KEY)] == left
    assert affected == (() if left else (KEY,))


def test_what_an_answer_called_gone_stays_so_for_lists_from_before_it() -> None:
    cache = filled()
    cache.watched("pods", "MODIFIED", at(POD.build(), 10))
    cache.lost("pods", (NAMESPACE, POD.name), 10)
    assert take_list(cache, "pods", [at(POD.build(), 8)], "9") == ()
    assert take_list(cache, "pods", [at(POD.build(), 10)], "12") == (KEY,)
    assert [pod.name for pod in cache.pods(KEY)] == [POD.name]


def test_an_object_that_cannot_be_taken_in_is_not_known() -> None:
    cache = filled()
    broken = at(POD.ready().build(), 10)
    del broken["metadata"]["uid"]
    with pytest.raises(KeyError):
        cache.watched("pods", "MODIFIED", broken)
    assert not cache.pods(KEY)[0].ready
    assert cache.watched("pods", "MODIFIED", at(POD.ready().build(), 10)) == (KEY,)
    assert cache.pods(KEY)[0].ready


def test_a_slice_that_cannot_be_read_changes_nothing() -> None:
    cache = filled()
    unreadable = at(V1.endpoints(POD.name), 10)
    unreadable["endpoints"].append({"targetRef": {"kind": "Pod"}})
    with pytest.raises(KeyError):
        cache.watched("endpointslices", "MODIFIED", unreadable)
    assert cache.ready_endpoints(KEY, SERVICE) == {POD.name}


def test_a_slice_that_moves_to_another_service_affects_both() -> None:
    cache = filled()
    moved = V1.endpoints(POD.name)
    moved["metadata"]["labels"] = {"kubernetes.io/service-name": "performer-other"}
    assert cache.watched("endpointslices", "MODIFIED", at(moved, 10)) == (KEY, OTHER_KEY)
    assert cache.ready_endpoints(KEY, SERVICE) == set()
    assert cache.ready_endpoints(OTHER_KEY, SERVICE) == {POD.name}


def test_a_heartbeat_of_a_node_affects_nobody() -> None:
    assert filled().watched("nodes", "MODIFIED", at(node("node-1").build(), 10)) == ()


def test_a_change_of_a_node_affects_its_pods_and_those_without_a_node() -> None:
    cache = filled()
    cache.watched("pods", "ADDED", at(pod_of(OTHER).build(), 10))
    third = performer("third")
    cache.watched("pods", "ADDED", at(pod_of(third).on("node-2").build(), 11))
    changed = cache.watched("nodes", "MODIFIED", at(node("node-1").cordoned().build(), 12))
    assert set(changed) == {KEY, OTHER_KEY}
    assert set(cache.watched("nodes", "DELETED", at(node("node-1").build(), 13))) == set(changed)
    assert cache.nodes() == {}


def test_a_node_no_longer_affects_those_whose_pods_have_left_it() -> None:
    cache = filled()
    second = pod_of(V1).number(1).on("node-1")
    cache.watched("pods", "ADDED", at(second.build(), 10))
    cache.watched("pods", "DELETED", at(POD.build(), 11))
    changed = node("node-1").cordoned()
    assert cache.watched("nodes", "MODIFIED", at(changed.build(), 12)) == (KEY,)
    cache.watched("pods", "DELETED", at(second.build(), 13))
    assert cache.watched("nodes", "MODIFIED", at(node("node-1").build(), 14)) == ()


def test_nodes_are_in_the_order_of_their_names() -> None:
    cache = Cache()
    for version, name in enumerate("cab", start=1):
        cache.watched("nodes", "ADDED", at(node(name).build(), version))
    assert list(cache.nodes()) == ["a", "b", "c"]
    cache.watched("nodes", "MODIFIED", at(node("b").cordoned().build(), 9))
    assert list(cache.nodes()) == ["a", "b", "c"]


def test_devices_count_while_a_pod_holds_them() -> None:
    cache = Cache()
    pod = pod_of(GPU).on("gpu-1")
    cache.watched("pods", "ADDED", at(pod_of(GPU).build(), 1))
    assert cache.used() == {}
    cache.watched("pods", "MODIFIED", at(pod.build(), 2))
    assert cache.used()["gpu-1"] == {"nvidia.com/gpu": 2}
    cache.watched("pods", "MODIFIED", at(pod.ready().build(), 3))
    assert cache.used()["gpu-1"] == {"nvidia.com/gpu": 2}
    cache.watched("pods", "MODIFIED", at(pod.failed("Evicted").build(), 4))
    assert cache.used() == {}


def test_pods_without_devices_leave_nothing_behind() -> None:
    assert filled().used() == {}


@given(st.lists(st.tuples(st.sampled_from(["ADDED", "DELETED"]), st.integers(0, 3)), max_size=20))
def test_a_replayed_history_leaves_what_a_list_shows(history: list[tuple[str, int]]) -> None:
    followed, present = Cache(), {}
    for version, (event, number) in enumerate(history, start=1):
        pod = at(pod_of(V1).number(number).build(), version)
        present[number] = pod
        if event == "DELETED":
            del present[number]
        followed.watched("pods", event, pod)
    listed = Cache()
    take_list(listed, "pods", present.values(), str(len(history)))
    assert followed.pods(KEY) == listed.pods(KEY)
