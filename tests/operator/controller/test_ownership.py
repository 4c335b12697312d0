"""Whose an object is: by its owner, and without one by what is known of it."""

from typing import Any

import pytest

from builders import pod_of
from hourglass_kube.types import JSON
from hourglass_operator.controller.ownership import belongs, own_pod, own_service
from hourglass_operator.controller.pod_view import PodView, pod_view
from hourglass_operator.controller.views import performer_view
from hourglass_operator.resources.owner import owner_uid
from hourglass_operator.resources.service import view
from scene import calls, conditions_of, scene, status_of
from situations import AT_ONCE, NOW, OLD, V1

ML = performer_view(V1.build())
CLAIM = {
    "app.kubernetes.io/managed-by": "hourglass-performer-operator",
    "hourglass.eigenlayer.io/performer": "ml",
}
DOCUMENTED = {"app": "performer", "performer-name": "ml", "hourglass.eigenlayer.io/performer": "ml"}
MINE = {"kind": "Performer", "uid": V1.uid, "controller": True}
EARLIER = {"kind": "Performer", "uid": "uid-0", "controller": True}
HELM = {"kind": "HelmRelease", "uid": "uid-h"}

OWNERSHIP = [
    ("is the Performer's by its owner, without any label", [MINE], {}, True),
    ("is the Performer's also if others own it too", [HELM, MINE], {}, True),
    ("is not if an earlier Performer of the name controls it", [EARLIER], CLAIM, False),
    ("is not if somebody owns it, though nobody controls it", [HELM], CLAIM, False),
    ("is if it says so and nobody owns it", [], CLAIM, True),
    ("is not if it has but the documented labels", [], DOCUMENTED, False),
    (
        "is not if another manages it",
        [],
        {**DOCUMENTED, "app.kubernetes.io/managed-by": "Helm"},
        False,
    ),
    (
        "is not if it is managed for another Performer",
        [],
        {**CLAIM, "hourglass.eigenlayer.io/performer": "other"},
        False,
    ),
    ("is not if nothing says whose it is", [], {}, False),
]


@pytest.mark.parametrize(
    ("owners", "labels", "own"), [o[1:] for o in OWNERSHIP], ids=[o[0] for o in OWNERSHIP]
)
def test_an_object_of_the_name(owners: list[JSON], labels: dict[str, str], own: bool) -> None:
    assert belongs(owner_uid({"ownerReferences": owners}), labels, ML) is own


def bare_pod(**more: Any) -> PodView:
    pod = OLD.orphaned().build()
    pod["metadata"]["labels"] = {}
    found = pod_view(pod)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("recorded", "own"),
    [(None, False), (OLD.name, True), ("performer-ml-anothertmp-0", False)],
    ids=["is nobody's", "is the Performer's if its status names it", "is nobody's beside that"],
)
def test_a_pod_without_labels_and_owner(recorded: str | None, own: bool) -> None:
    assert own_pod(bare_pod(), ML, recorded) is own


@pytest.mark.parametrize(
    ("recorded", "port", "own"),
    [(None, "grpc", False), ("performer-ml", "grpc", True), ("performer-ml", "http", False)],
    ids=["is nobody's", "is the Performer's if its status names it", "is not with other ports"],
)
def test_a_service_without_labels_and_owner(recorded: str | None, port: str, own: bool) -> None:
    service = V1.service()
    service["metadata"]["labels"] = {}
    del service["metadata"]["ownerReferences"]
    service["spec"]["ports"][0]["name"] = port
    assert own_service(view(service), ML, recorded) is own
    service["metadata"]["ownerReferences"] = [HELM]
    assert not own_service(view(service), ML, recorded)


def test_what_was_seen_as_the_performers_stays_so_when_it_loses_everything() -> None:
    staged = scene(V1, OLD, serving=[OLD])
    pod, service = OLD.orphaned().build(), V1.service()
    for resource, obj in (("pods", pod), ("services", service)):
        obj["metadata"]["labels"] = {"app": "performer"}
        obj["metadata"].pop("ownerReferences", None)
        staged.sees(resource, obj)
    assert calls(staged.plan(NOW)) == ["patch services performer-ml", f"patch pods {OLD.name}"]


def test_what_has_another_uid_is_not_what_was_seen() -> None:
    staged = scene(V1, OLD, serving=[OLD])
    service = V1.service()
    service["metadata"] |= {"labels": {"app": "performer"}, "uid": "another"}
    del service["metadata"]["ownerReferences"]
    staged.sees("services", service)
    assert calls(staged.plan(NOW)) == ["create services performer-ml"]
    assert not own_service(view(service), ML)


SLICES = [
    ("of the Performer's Service", "service-of-uid-1", "True/PodReady"),
    ("of an earlier Service of the name", "service-of-uid-0", "False/EndpointsNotReady"),
    ("that somebody made by hand", "", "False/EndpointsNotReady"),
]


@pytest.mark.parametrize(
    ("owner", "available"), [s[1:] for s in SLICES], ids=[s[0] for s in SLICES]
)
def test_a_pod_serves_in_a_slice(owner: str, available: str) -> None:
    staged = scene(V1, OLD, settings=AT_ONCE)
    found = V1.endpoints(OLD.name)
    found["metadata"]["ownerReferences"] = [{"kind": "Service", "uid": owner}] if owner else []
    staged.sees("endpointslices", found)
    assert conditions_of(status_of(staged.plan(NOW)))["Available"] == available


def test_the_endpoints_of_a_service_of_another_count_for_nothing() -> None:
    foreign = V1.with_uid("uid-0")
    staged = scene(V1, OLD, service=foreign, settings=AT_ONCE)
    staged.sees("endpointslices", foreign.endpoints(OLD.name))
    assert status_of(staged.plan(NOW))["ready"] is False


def test_the_end_of_an_upgrade_is_not_seen_in_a_slice_of_another() -> None:
    v2 = V1.image("avs/performer:v2").with_status(servingTemplateHash=V1.hash, phase="Upgrading")
    new = pod_of(v2).on("node-1").ready()
    staged = scene(v2, OLD, new, serving=[OLD], settings=AT_ONCE)
    by_hand = v2.endpoints(new.name)
    by_hand["metadata"] |= {"name": "by-hand", "ownerReferences": []}
    staged.sees("endpointslices", by_hand)
    assert calls(staged.plan(NOW)) == []
    assert status_of(staged.plan(NOW), v2.status)["servingTemplateHash"] == V1.hash
