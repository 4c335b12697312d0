"""The look at what no watch shows: what is asked for, and what comes of it."""

import asyncio
import logging
from collections.abc import Collection

import pytest

from builders import CATALOGUE, NAMESPACE, performer, pod_of
from hourglass_kube.types import JSON
from hourglass_operator.controller import Controller, Settings
from hourglass_operator.controller.plan import Read
from hourglass_operator.runtime.informers.unlabelled import Unlabelled
from hourglass_operator.transport.calls import Answer
from scripted_api import Script, refused

ML = performer("ml")
POD = pod_of(ML).number(2)
STRANGER: JSON = {"metadata": {"name": "web-0", "namespace": NAMESPACE, "resourceVersion": "5"}}


def page(*objects: JSON, more: str = "") -> Answer:
    items = [{"metadata": obj["metadata"]} for obj in objects]
    metadata = {"resourceVersion": "9", **({"continue": more} if more else {})}
    return Answer(200, {"metadata": metadata, "items": items})


class Look:
    """A look with these answers: first Services, then pods."""

    def __init__(self, *answers: Answer, namespaces: Collection[str] = (), times: int = 1) -> None:
        self.server = Script(*answers)
        self.controller = Controller(CATALOGUE, Settings())
        self.controller.event_handler.watched("performers", "ADDED", ML.build(), 0.0)
        look = Unlabelled(self.server, self.controller.event_handler, lambda: 5.0, namespaces)
        for _ in range(times):
            asyncio.run(look.list_all())

    @property
    def reads(self) -> tuple[Read, ...]:
        return self.controller.plan((NAMESPACE, "ml"), 5.0).reads


def test_metadata_of_what_lacks_the_label_is_asked_for_in_pages() -> None:
    look = Look(page(STRANGER, more="rest"), page(ML.service()), page())
    assert [(call.verb, call.resource, call.metadata_only) for call in look.server.calls] == [
        ("list", "services", True),
        ("list", "services", True),
        ("list", "pods", True),
    ]
    first, second, _ = look.server.calls
    assert first.query == {"limit": "500", "labelSelector": "app!=performer"}
    assert second.query == {**first.query, "continue": "rest"}


def test_what_is_a_performers_by_its_owner_is_read() -> None:
    assert Look(page(STRANGER, ML.service()), page(STRANGER, POD.build())).reads == (
        Read("pods", NAMESPACE, POD.name),
        Read("services", NAMESPACE, "performer-ml"),
    )


def test_only_the_namespaces_that_are_served_are_looked_at() -> None:
    look = Look(*[page()] * 4, namespaces={"b", "a"})
    assert [(call.resource, call.namespace) for call in look.server.calls] == [
        ("services", "a"),
        ("services", "b"),
        ("pods", "a"),
        ("pods", "b"),
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refused(403, "Forbidden", "pods is forbidden"), "pods is forbidden"),
        (refused(410, "Expired", "too old"), "too old"),
        (Answer(200, {"message": "a proxy's page"}), "what was answered is no list"),
    ],
    ids=["it is forbidden", "the rest of the list is lost", "a proxy answers"],
)
def test_a_look_that_fails_is_reported_once_and_made_again(
    answer: Answer, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        look = Look(page(ML.service()), answer, page(), answer, times=2)
    assert len(look.server.calls) == 4
    assert [record.message for record in caplog.records] == [
        f"cannot look for unlabelled pods: {said}"
    ]
    assert look.reads == (Read("services", NAMESPACE, "performer-ml"),)
