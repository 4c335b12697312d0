"""What a cluster lacks, in words."""

import asyncio
from typing import Any

import pytest

from hourglass_operator.runtime.process.preflight import Exit, Lease, Missing, preflight
from hourglass_operator.transport.calls import Answer, Request, no_answer
from scripted_api import Script, done, refused

LEASE = Lease("system", "the-lease")

BASICS = [
    (
        "nobody answers",
        refused(0, "NoAnswer", "connection refused"),
        Exit.NO_API_SERVER,
        "the API server https://api.test cannot be reached: connection refused",
    ),
    (
        "the credentials are refused",
        refused(401, "Unauthorized"),
        Exit.NO_API_SERVER,
        "the API server https://api.test refuses the credentials",
    ),
    (
        "the server is in trouble",
        refused(503, "ServiceUnavailable", "etcd is away"),
        Exit.NO_API_SERVER,
        "the API server https://api.test answers 503: etcd is away",
    ),
    (
        "the resource is unknown",
        refused(404, "NotFound"),
        Exit.NO_CRD,
        "the CustomResourceDefinition performers.hourglass.eigenlayer.io is not installed at"
        " https://api.test; install it with kubectl apply --server-side -f"
        " crds/performers.hourglass.eigenlayer.io.yaml",
    ),
]


@pytest.mark.parametrize(
    ("answer", "code", "said"), [b[1:] for b in BASICS], ids=[b[0] for b in BASICS]
)
def test_what_is_basic_is_reported_alone(answer: Answer, code: Exit, said: str) -> None:
    assert asyncio.run(preflight(Script(answer), (), LEASE)) == [Missing(code, said)]


def reviewed(*denied: tuple[str, str]) -> Script:
    """Denies these (verb, resource or resource/subresource) and allows the rest."""

    def review(call: Request) -> Answer:
        if call.resource == "performers":
            return done(items=[])
        asked = (call.body or {})["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        return done(status={"allowed": (asked["verb"], resource) not in denied})

    return Script(*[review] * 200)


def texts(script: Script, *namespaces: str, lease: Lease | None = LEASE) -> list[str]:
    found = asyncio.run(preflight(script, namespaces, lease))
    assert {each.code for each in found} <= {Exit.NO_PERMISSION}
    return [each.text for each in found]


def test_nothing_is_missing() -> None:
    assert texts(reviewed()) == []


def test_each_missing_permission_is_reported_with_its_use() -> None:
    script = reviewed(("patch", "performers/status"), ("list", "nodes"), ("create", "leases"))
    assert texts(script) == [
        "missing permission: patch performers.hourglass.eigenlayer.io/status in the whole cluster"
        " (to report phase and conditions)",
        "missing permission: list nodes in the whole cluster"
        " (to explain why no node fits, and see which go)",
        "missing permission: create leases.coordination.k8s.io in namespace system"
        " (to elect the first leader)",
    ]


def test_a_lease_is_asked_for_by_its_name_unless_it_is_to_be_created() -> None:
    script = reviewed(("get", "leases"), ("update", "leases"))
    assert texts(script) == [
        f"missing permission: {verb} leases.coordination.k8s.io the-lease in namespace system"
        " (to elect a leader)"
        for verb in ("get", "update")
    ]
    asked = [call.body["spec"]["resourceAttributes"] for call in script.calls if call.body]
    assert {each["verb"]: each.get("name") for each in asked if each["resource"] == "leases"} == {
        "get": "the-lease",
        "update": "the-lease",
        "create": None,
    }


def test_in_namespaces_each_is_asked_for() -> None:
    assert texts(reviewed(("create", "pods"), ("list", "nodes")), "a", "b") == [
        "missing permission: create pods in namespace a (to run, repair and replace them)",
        "missing permission: create pods in namespace b (to run, repair and replace them)",
        "missing permission: list nodes in the whole cluster"
        " (to explain why no node fits, and see which go)",
    ]


def test_without_election_no_lease_is_asked_for() -> None:
    assert texts(reviewed(("create", "leases")), lease=None) == []


def test_who_may_not_ask_is_not_stopped() -> None:
    assert texts(Script(done(items=[]), then=refused(403, "Forbidden"))) == []


def test_a_proxys_page_denies_nothing() -> None:
    assert texts(Script(done(items=[]), then=done(message="<html>"))) == []


def test_who_may_not_list_performers_hears_so() -> None:
    script = reviewed(("list", "performers"))
    script.answers[0] = refused(403, "Forbidden")
    assert texts(script) == [
        "missing permission: list performers.hourglass.eigenlayer.io in the whole cluster"
        " (to know the Performers)"
    ]


def test_who_has_no_credentials_hears_what_the_server_says() -> None:
    said = 'performers is forbidden: User "system:anonymous" cannot list resource "performers"'
    script = Script(refused(403, "Forbidden", said), then=refused(403, "Forbidden"))
    assert texts(script) == [f"missing permission: {said}"]


class Busy(Script):
    """Knows how many calls it was asked for at once."""

    under_way = most = 0

    async def call(self, *arguments: Any, **more: Any) -> Answer:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        return await super().call(*arguments, **more)


def test_few_permissions_are_asked_for_at_once() -> None:
    busy = Busy(*reviewed().answers)
    assert texts(busy) == []
    assert len(busy.calls) > 20
    assert busy.most == 4


def test_whoever_gets_no_answer_asks_no_further() -> None:
    script = Script(done(items=[]), then=no_answer("no answer within 10.0 s"))
    assert texts(script) == []
    assert len(script.calls) == 5
