"""What left its watch without having been deleted is read by its name, and nothing else is."""

from collections.abc import Callable

import pytest

from builders import NAMESPACE, PerformerBuilder, PodBuilder
from hourglass_kube.types import JSON
from hourglass_operator.controller.plan import Read
from scene import Scene, calls, scene, take_list
from situations import NOW, OLD, V1, V2, settled

POD = Read("pods", NAMESPACE, OLD.name)
SERVICE = Read("services", NAMESPACE, "performer-ml")
SLICES = Read("endpointslices", NAMESPACE, "performer-ml")
RUNNING = settled(V1, OLD, serving=(OLD,))


def serving(of: PerformerBuilder = RUNNING, pod: PodBuilder = OLD) -> Scene:
    return scene(of, pod, serving=[pod])


def pod_leaves(pod: PodBuilder, **metadata: object) -> Callable[[Scene], None]:
    def leave(staged: Scene) -> None:
        obj = pod.build()
        obj["metadata"] |= metadata
        staged.sees("pods", obj, event="DELETED", now=NOW)

    return leave


def leaves(resource: str, obj: Callable[[], JSON]) -> Callable[[Scene], None]:
    return lambda staged: staged.sees(resource, obj(), event="DELETED", now=NOW)


def list_without(resource: str) -> Callable[[Scene], None]:
    return lambda staged: take_list(staged.controller, resource, [], str(10**9), NOW)


def foreign_pod_leaves(staged: Scene) -> None:
    foreign = OLD.controlled_by("uid-0")
    staged.sees("pods", foreign.build())
    pod_leaves(foreign)(staged)


@pytest.mark.parametrize("resource", ["pods", "services"])
def test_what_a_later_list_does_not_show_is_found(resource: str) -> None:
    staged = serving()
    obj = OLD.build() if resource == "pods" else V1.service()
    obj["metadata"] |= {"labels": {}, "resourceVersion": str(10**8)}
    list_without(resource)(staged)
    read = POD if resource == "pods" else SERVICE
    staged.controller.cache.read(read, [obj])
    assert [c.split()[:2] for c in calls(staged.plan(NOW))] == [["patch", resource]]


LEFT: list[tuple[str, Callable[[Scene], None], tuple[Read, ...]]] = [
    ("a pod that does not match any more", pod_leaves(OLD), (POD,)),
    (
        "a pod that is ending, and does not match any more",
        pod_leaves(OLD.deleting(NOW + 30), deletionGracePeriodSeconds=30),
        (POD,),
    ),
    (
        "a pod that was deleted",
        pod_leaves(OLD.deleting(NOW), deletionGracePeriodSeconds=0),
        (),
    ),
    ("a pod that a new list does not show", list_without("pods"), (POD,)),
    ("a Service", leaves("services", V1.service), (SERVICE,)),
    ("a Service that a new list does not show", list_without("services"), (SERVICE,)),
    ("a slice of the Service", leaves("endpointslices", V1.endpoints), (SLICES,)),
    (
        "a pod of an earlier Performer of the name",
        foreign_pod_leaves,
        (),
    ),
]


@pytest.mark.parametrize(("leave", "reads"), [c[1:] for c in LEFT], ids=[c[0] for c in LEFT])
def test_what_is_read_after_it_left(
    leave: Callable[[Scene], None], reads: tuple[Read, ...]
) -> None:
    staged = serving()
    leave(staged)
    plan = staged.plan(NOW)
    assert plan.reads == reads
    assert not (plan.reads and plan.writes)


@pytest.mark.parametrize(
    "leave",
    [leaves("services", V1.service), leaves("endpointslices", V1.endpoints)],
    ids=["its Service", "a slice"],
)
def test_a_performer_that_goes_takes_along(leave: Callable[[Scene], None]) -> None:
    staged = serving(RUNNING.deleting(NOW))
    leave(staged)
    assert staged.plan(NOW).reads == ()


def test_what_is_found_is_repaired() -> None:
    staged = serving()
    pod_leaves(OLD)(staged)
    staged.answer_reads(staged.plan(NOW), NOW, OLD.without_label("app").build())
    assert calls(staged.plan(NOW)) == [f"patch pods {OLD.name}"]


def test_what_is_found_without_labels_and_owner_is_repaired() -> None:
    staged = serving(V1)
    pod_leaves(OLD)(staged)
    found = OLD.orphaned().build()
    found["metadata"]["labels"] = {}
    staged.answer_reads(staged.plan(NOW), NOW, found)
    assert calls(staged.plan(NOW)) == [f"patch pods {OLD.name}"]


def test_what_is_not_found_is_gone() -> None:
    staged = serving()
    pod_leaves(OLD)(staged)
    staged.answer_reads(staged.plan(NOW), NOW)
    assert calls(staged.plan(NOW)) == [f"create pods {OLD.name}"]


def test_nothing_is_decided_before_the_api_server_says_so() -> None:
    staged = serving()
    pod_leaves(OLD)(staged)
    staged.answer_reads(staged.plan(NOW), NOW, silent=True)
    assert staged.plan(NOW).reads == (POD,)


def test_a_read_that_fails_is_tried_again_after_a_while() -> None:
    staged = serving()
    pod_leaves(OLD)(staged)
    due = staged.controller.take(NOW)
    assert due is not None
    assert due.plan.reads == (POD,)
    staged.uid, staged.planned, staged.versions = due.uid, NOW, due.versions
    staged.answer_reads(due.plan, NOW, silent=True)
    assert staged.controller.queue.next_due() == NOW + 1


def test_an_answer_that_nothing_can_be_made_of_is_tried_again_too() -> None:
    staged = serving()
    pod_leaves(OLD)(staged)
    with pytest.raises(KeyError):
        staged.answer_reads(staged.plan(NOW), NOW, {"message": "a proxy's page"})
    assert staged.plan(NOW).reads == (POD,)


def test_what_comes_back_by_itself_need_not_be_read() -> None:
    staged = serving()
    pod_leaves(OLD)(staged)
    staged.sees("pods", OLD.build(), event="ADDED")
    assert staged.plan(NOW).reads == ()


def test_a_late_answer_does_not_remove_what_came_back() -> None:
    staged = serving()
    pod_leaves(OLD)(staged)
    plan = staged.plan(NOW)
    staged.sees("pods", OLD.build(), event="ADDED")
    staged.answer_reads(plan, NOW)
    assert "create pods" not in str(calls(staged.plan(NOW)))


def test_the_slices_of_a_service_that_lost_its_labels_are_read_along() -> None:
    staged = serving()
    leaves("services", V1.service)(staged)
    leaves("endpointslices", V1.endpoints)(staged)
    bare = V1.service()
    bare["metadata"]["labels"] = {}
    staged.answer_reads(staged.plan(NOW), NOW, bare)
    assert staged.plan(NOW).reads == (SLICES,)
    staged.answer_reads(staged.plan(NOW), NOW, V1.endpoints(OLD.name))
    assert calls(staged.plan(NOW)) == ["patch services performer-ml"]


def test_the_pod_of_the_status_is_read_if_nothing_was_seen_of_it() -> None:
    staged = scene(RUNNING)
    assert staged.plan(NOW).reads == (POD,)
    staged.answer_reads(staged.plan(NOW), NOW)
    assert staged.plan(NOW).reads == ()
    assert calls(staged.plan(NOW)) == [f"create pods {OLD.name}"]


@pytest.mark.parametrize("name", ["web-0", "performer-other-pvrrp8jllc-0"])
def test_a_pod_that_cannot_be_the_performers_is_not_read(name: str) -> None:
    assert scene(V1.with_status(podName=name)).plan(NOW).reads == ()


def metadata(obj: JSON, **changed: object) -> JSON:
    return {**obj["metadata"], **changed}


LOOKS = [
    ("is read", metadata(OLD.number(3).build(), labels={}), True),
    ("of another is not", metadata(OLD.number(3).controlled_by("uid-0").build(), labels={}), False),
    ("of no Performer's name is not", metadata(OLD.build(), name="web-0"), False),
    (
        "of a Performer that does not exist is not",
        metadata(OLD.build(), name="performer-x-pvrrp8jllc-0"),
        False,
    ),
]


@pytest.mark.parametrize(("found", "read"), [c[1:] for c in LOOKS], ids=[c[0] for c in LOOKS])
def test_a_pod_that_the_watch_does_not_show(found: JSON, read: bool) -> None:
    staged = serving(settled(V2, OLD, serving=(OLD,)))
    staged.controller.event_handler.unlabelled("pods", found, NOW)
    assert staged.plan(NOW).reads == ((Read("pods", NAMESPACE, found["name"]),) if read else ())


def test_what_is_known_without_its_label_is_read_again_when_it_changes_or_goes() -> None:
    staged = serving()
    pod_leaves(OLD)(staged)
    found = OLD.without_label("app").build()
    staged.answer_reads(staged.plan(NOW), NOW, found)
    events = staged.controller.event_handler

    events.unlabelled("pods", found["metadata"], NOW)
    events.recheck("pods", {(NAMESPACE, OLD.name)}, NOW, "")
    assert staged.plan(NOW).reads == ()

    events.unlabelled("pods", OLD.without_label("app").build()["metadata"], NOW)
    assert staged.plan(NOW).reads == (POD,)
    staged.answer_reads(staged.plan(NOW), NOW, OLD.without_label("app").build())

    events.recheck("pods", set(), NOW, "elsewhere")
    events.recheck("services", set(), NOW, "")
    assert staged.plan(NOW).reads == ()
    events.recheck("pods", set(), NOW, NAMESPACE)
    assert staged.plan(NOW).reads == (POD,)
    staged.answer_reads(staged.plan(NOW), NOW)
    assert calls(staged.plan(NOW)) == [f"create pods {OLD.name}"]
