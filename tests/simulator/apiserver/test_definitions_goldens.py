"""Definitions of others, and their objects, are answered for as by a real API server."""

from typing import Any

import pytest
from simulated_bare_server import Simulated

from goldens import newer, record_definitions
from hourglass_simulator.controllers.definitions import DefinitionFinalizer
from hourglass_simulator.kubernetes.version import version

CASES = record_definitions.load()
GOLDENS: dict[str, dict[str, list[Any]]] = {
    kubernetes: newer.whole(record_definitions.GOLDEN, kubernetes)
    for kubernetes in newer.recorded(record_definitions.GOLDEN)
}
LEFT_OUT = {
    "a set of numbers": "1.0 is an integer once it is decoded",
    "no versions": "an empty list is decoded as none, as for kinds that are protocol buffers",
    "set and map lists in rules": "the type of self has a random name on the real server",
    "set lists in rules": "lists that are sets are equal in their order only",
}
"""Cases that do not agree yet, and why."""
LEFT_OUT_OF: dict[str, dict[str, str]] = dict.fromkeys(GOLDENS, LEFT_OUT)


def comparable(answer: Any) -> Any:
    """An answer whose causes are sorted: the real server walks maps in random order."""
    body = answer["body"]
    causes = ((body.get("details") or {}).get("causes") or []) if isinstance(body, dict) else []
    if len(causes) < 2:
        return answer
    begins, separator, _ = body["message"].partition("is invalid: ")
    ordered = sorted(causes, key=lambda cause: (cause.get("field", ""), cause["message"]))
    details = {**body["details"], "causes": ordered}
    body = {**body, "message": begins + separator, "details": details}
    return {**answer, "body": body, "warnings": sorted(answer["warnings"])}


def requests(name: str) -> list[Any]:
    """The steps of a case that are requests."""
    steps = record_definitions.steps(name, CASES[name])
    return [(verb, step) for verb, step in steps if verb != "wait"]


def test_every_request_is_recorded() -> None:
    for goldens in GOLDENS.values():
        recorded = {name: len(answers) for name, answers in goldens.items()}
        assert {name: len(requests(name)) for name in CASES} == recorded


def answers_of(kubernetes: str, case: Any, name: str) -> list[Any]:
    """The answers of a simulated server, in which deleted definitions go as time passes."""
    server = Simulated(version(kubernetes))
    DefinitionFinalizer(server.clock, server.api)

    def settle(definition: str) -> None:
        if not definition:
            server.clock.run_until(server.clock.now + 8)

    return list(record_definitions.play(server, name, case, settle))


@pytest.mark.parametrize(
    ("kubernetes", "name"),
    [
        pytest.param(
            kubernetes,
            name,
            id=f"{kubernetes}: {name}",
            marks=[pytest.mark.xfail(reason=LEFT_OUT_OF[kubernetes][name], strict=True)]
            if name in LEFT_OUT_OF[kubernetes]
            else [],
        )
        for kubernetes in GOLDENS
        for name in CASES
    ],
)
def test_as_on_a_real_server(kubernetes: str, name: str) -> None:
    answers, goldens = answers_of(kubernetes, CASES[name], name), GOLDENS[kubernetes][name]
    for (verb, step), answer, golden in zip(requests(name), answers, goldens, strict=True):
        assert comparable(answer) == comparable(golden), f"{verb} {step.path} {step.body}"
