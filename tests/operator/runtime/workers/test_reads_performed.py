"""What the answer to a read says of the object."""

import asyncio

import pytest

from hourglass_kube.types import JSON
from hourglass_operator.controller.plan import WHAT_THE_CORE_OFFERS, Found, Read
from hourglass_operator.runtime.workers.read import perform_read
from hourglass_operator.transport.calls import Answer, no_answer
from scripted_api import Script, done

CORE = WHAT_THE_CORE_OFFERS
POD = Read("pods", "avs", "performer-ml-pvrrp8jllc-0")
SLICES = Read("endpointslices", "avs", "performer-ml")
OBJECT: JSON = {"metadata": {"name": POD.name}}


def not_found(name: str) -> Answer:
    return Answer(404, {"kind": "Status", "reason": "NotFound", "details": {"name": name}})


CASES = [
    ("an object is there", POD, done(**OBJECT), (OBJECT,)),
    ("it is gone", POD, not_found(POD.name), ()),
    ("a proxy does not know the path", POD, Answer(404, {"message": "404 page not found"}), None),
    ("no answer comes", POD, no_answer("the connection was lost"), None),
    ("the API server fails", POD, Answer(500, {"kind": "Status"}), None),
    ("slices are there", SLICES, done(items=[OBJECT]), (OBJECT,)),
    ("there are no slices", SLICES, done(items=None), ()),
    ("resources are offered", CORE, done(resources=[OBJECT]), (OBJECT,)),
    ("what is offered is not said", CORE, Answer(503, {}), None),
    ("slices cannot be listed", SLICES, Answer(500, {}), None),
]


@pytest.mark.parametrize(
    ("read", "answer", "objects"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_is_found(read: Read, answer: Answer, objects: tuple[JSON, ...] | None) -> None:
    found = asyncio.run(perform_read(Script(answer), read, 5.0))
    assert found == Found(read, objects)


def test_slices_are_found_by_the_name_of_their_service_whatever_their_other_labels() -> None:
    server = Script(done(items=[]))
    asyncio.run(perform_read(server, SLICES, 5.0))
    (call,) = server.calls
    assert (call.verb, call.resource, call.namespace, call.query) == (
        "list",
        "endpointslices",
        "avs",
        {"labelSelector": "kubernetes.io/service-name=performer-ml"},
    )
