"""All that a single trouble can strike in a plan, one after the other."""

from collections.abc import Iterator
from typing import Any

from hourglass_simulator.scenario.expectation import PerformerIs
from hourglass_simulator.scenario.step import Step
from hourglass_simulator.search.census import Census
from hourglass_simulator.search.plan import Plan

ERRORS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("api-error", {"code": 503}),
    ("api-timeout", {"done": True}),
    ("api-timeout", {"done": False}),
    ("api-throttled", {"retryAfter": "2s"}),
)
"""What a write can be answered with; 409 too, unless it creates something."""
READS = ("get", "list", "watch")


def crashes(plan: Plan, census: Census) -> Iterator[Plan]:
    """The operator crashes before and after each of its writes."""
    for write in range(1, census.writes + 1):
        for when in ("before", "after"):
            yield struck(plan, "operator-crash", {"write": write, "moment": when})


def errors(plan: Plan, census: Census) -> Iterator[Plan]:
    """Each call of the operator fails in every way."""
    for number, verb in enumerate(census.verbs, 1):
        for name, parameters in ERRORS:
            yield struck(plan, name, {**parameters, "call": number, "times": 1})
        if verb != "create":
            yield struck(plan, "api-conflict", {"call": number, "times": 1})
    for (verb, resource), count in sorted(census.reads.items()):
        if verb in READS:
            for number in range(1, count + 1):
                of = {"verb": verb, "resource": resource, "call": number, "times": 1}
                yield struck(plan, "api-error", {**of, "code": 503})


def events(plan: Plan, census: Census) -> Iterator[Plan]:
    """Each event of the operator's watches is missed, delayed, and delivered twice."""
    for resource, count in sorted(census.events.items()):
        for number in range(1, count + 1):
            of = {"resource": resource, "event": number}
            yield struck(plan, "events-missed", {**of, "for": "5s"})
            yield struck(plan, "stale-cache", {**of, "by": "10s"})
            yield struck(plan, "duplicate-events", of)


def single(plan: Plan, census: Census) -> Iterator[Plan]:
    """Crashes, errors and events, in this order."""
    yield from crashes(plan, census)
    yield from errors(plan, census)
    yield from events(plan, census)


def struck(plan: Plan, fault: str, parameters: dict[str, Any]) -> Plan:
    """The plan with a fault that waits from the start for what it strikes.

    How a Performer ends that is not to reach what its spec asks for depends on when what happens to
    it: of such it is only expected that they come to rest.
    """
    step = Step.model_construct(_fields_set={"at", "fault"}, at=0.0, fault={fault: parameters})
    settles = plan.scenario.settles
    named = dict.fromkeys(settles.performers, PerformerIs())
    loose = settles.model_copy(update={"performers": named, "objects": ()})
    scenario = plan.scenario.model_copy(update={"settles": loose})
    return Plan(scenario, plan.steps).with_steps((step, *plan.steps))
