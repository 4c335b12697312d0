"""The simulated scheduler decides and says what a real kube-scheduler did.

The situations were recorded by tests/goldens/record_scheduler.py.
"""

import pytest

from goldens import newer, record_scheduler
from goldens.record_scheduler import seen_of
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubernetes.version import OLDEST, VERSIONS, version
from hourglass_simulator.scheduler import Scheduler

GOLDENS: dict[str, JSON] = {
    version: newer.whole(record_scheduler.GOLDEN, version) for version in VERSIONS
}
SITUATIONS = GOLDENS[OLDEST]["situations"]
STRATEGIC = "application/strategic-merge-patch+json"
BETWEEN_STEPS = 2.0
"""Seconds of virtual time, about what the recorder waits."""

# The node lifecycle controller takes taints of a cordoned and of a new node away a moment later.
RACES = ("a node is uncordoned", "a node arrives")


class World:
    """An API server with a scheduler, and nothing else."""

    def __init__(self, kubernetes: str) -> None:
        self.clock = Clock()
        self.api = APIServer(self.clock, version(kubernetes))
        for resource, body in record_scheduler.CLUSTER_WIDE:
            self.api.create(resource, body)
        self.api.create("namespaces", {"metadata": {"name": "golden"}})
        self.scheduler = Scheduler(self.clock, self.api)

    def do(self, call: JSON) -> None:
        """One recorded call, and time for the scheduler to answer it."""
        resource, name = call["resource"], call.get("name", "")
        space = "golden" if resource == "pods" else ""
        if call["do"] == "create":
            body = call["body"]
            if resource == "pods":
                space = body["metadata"].get("namespace", space)
            self.api.create(resource, body, namespace=space)
        elif call["do"] == "patch":
            for part in ("", "status") if "status" in call["body"] else ("",):
                self.api.patch(resource, space, name, call["body"], STRATEGIC, subresource=part)
        else:
            grace = 0 if call["do"] == "gone" else None
            self.api.delete(resource, space, name, grace_period_seconds=grace)
        self.clock.run_until(self.clock.now + BETWEEN_STEPS)

    def seen(self) -> JSON:
        """What the scheduler made of every pod."""
        return {pod["metadata"]["name"]: seen_of(pod) for pod in self.api.list("pods").items}

    def events(self) -> list[JSON]:
        """What it reported, in order, each only once."""
        names = {p["metadata"]["uid"]: p["metadata"]["name"] for p in self.api.list("pods").items}
        found: list[JSON] = []
        for event in sorted(self.api.list("events").items, key=lambda e: e["eventTime"]):
            related = (event.get("related") or {}).get("name")
            message = event["message"]
            for uid, name in names.items():
                message = message.replace(uid, f"{{uid of {name}}}")
            reported = {
                "pod": event["involvedObject"]["name"],
                "type": event["type"],
                "reason": event["reason"],
                "message": message,
                "action": event["action"],
                "reportingComponent": event["reportingComponent"],
                **({"related": related} if related else {}),
            }
            if reported not in found:
                found.append(reported)
        return found


def _once(events: list[JSON]) -> list[JSON]:
    found: list[JSON] = []
    for event in events:
        reported = {key: value for key, value in event.items() if key != "times"}
        if reported not in found:
            found.append(reported)
    return found


@pytest.mark.parametrize("name", SITUATIONS)
@pytest.mark.parametrize("kubernetes", VERSIONS)
def test_the_verdicts_are_those_of_a_real_scheduler(name: str, kubernetes: str) -> None:
    situation = GOLDENS[kubernetes]["situations"][name]
    world = World(kubernetes)
    for step in situation["steps"]:
        world.do(step["call"])
        if "seen" in step:
            assert world.seen() == step["seen"], step["call"]
    if name not in RACES:
        assert sorted(map(str, world.events())) == sorted(map(str, _once(situation["events"])))
