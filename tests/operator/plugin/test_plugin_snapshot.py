"""What is read of a whole cluster, for `check`."""

import asyncio

import pytest

from hourglass_kube.types import JSON
from hourglass_operator.plugin.read import ReadError
from hourglass_operator.plugin.snapshot import RESOURCES, Snapshot, snapshot
from hourglass_operator.transport.calls import Answer, Request
from scripted_api import Script, done, refused


def read(
    answers: dict[str, Answer] | None = None, more: dict[str, Answer] | None = None
) -> Snapshot:
    """`more`: the second part of a list, which the first one says that there is."""

    def answer(call: Request) -> Answer:
        found = answers or {}
        if "continue" in call.query:
            found = more or {}
        kind = "PodList" if call.resource == "pods" else "OtherList"
        return found.get(call.resource, listed(kind))

    calls = len(RESOURCES) + len(more or {})
    return asyncio.run(snapshot(Script(*[answer] * calls)))


def listed(kind: str, *names: str, **meta: str) -> Answer:
    items: list[JSON] = [{"metadata": {"name": name}} for name in names]
    return done(apiVersion="v1", kind=kind, metadata=meta, items=items)


def test_objects_have_their_kind_although_lists_do_not_repeat_it() -> None:
    (pod,) = read({"pods": listed("PodList", "a")}).items
    assert pod == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}


def test_a_long_list_is_read_in_parts() -> None:
    first = listed("PodList", "a", **{"continue": "there"})
    found = read({"pods": first}, {"pods": listed("PodList", "b")})
    assert [item["metadata"]["name"] for item in found.items] == ["a", "b"]


@pytest.mark.parametrize(
    ("answer", "hidden"),
    [(refused(403), ["jobs"]), (refused(404), [])],
    ids=["what may not be listed is named", "what is not served is not there"],
)
def test_an_answer_needs_not_everything(answer: Answer, hidden: list[str]) -> None:
    found = read({"jobs": answer})
    assert (found.hidden, found.items) == (hidden, [])


@pytest.mark.parametrize("code", [403, 404, 500, 0])
def test_there_is_no_answer_without_nodes(code: int) -> None:
    with pytest.raises(ReadError, match="cannot list nodes: no"):
        read({"nodes": refused(code, "Reason", "no")})


@pytest.mark.parametrize("resource", ["secrets", "events", "configmaps"])
def test_what_may_be_secret_is_not_read(resource: str) -> None:
    assert resource not in RESOURCES
