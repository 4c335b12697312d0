"""Definitions of others, and their objects, are answered for as by a real API server."""

from typing import Any

import pytest
from simulated_bare_server import Simulated

from goldens import newer, record_definitions
from hourglass_simulator.controllers.definitions import DefinitionFinalizer
from hourglass_simulator.kubernetes.version import version
from recorded_answers import agree

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


@pytest.mark.parametrize("kubernetes", GOLDENS)
def test_as_on_a_real_server(kubernetes: str) -> None:
    agree(
        {name: answered(name, answers_of(kubernetes, case, name)) for name, case in CASES.items()},
        {name: answered(name, golden) for name, golden in GOLDENS[kubernetes].items()},
        LEFT_OUT,
    )


def answered(name: str, answers: list[Any]) -> list[tuple[str, Any]]:
    """Each request of a case and what can be compared of its answer."""
    return [
        (f"{number}: {verb} {step.path} {step.body}", comparable(answer))
        for number, ((verb, step), answer) in enumerate(zip(requests(name), answers, strict=True))
    ]
