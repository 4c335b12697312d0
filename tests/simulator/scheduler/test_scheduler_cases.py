"""The simulated scheduler decides, scores and says what a real kube-scheduler did, in bulk.

The cases were recorded by tests/goldens/record_scheduler_cases.py.
"""

import json
from pathlib import Path
from random import Random

import pytest

from goldens.record_scheduler import seen_of
from goldens.record_scheduler_cases import others
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubernetes.texts import Texts
from hourglass_simulator.kubernetes.version import OLDEST, version
from hourglass_simulator.scheduler import Scheduler, decision, scheduler
from hourglass_simulator.scheduler.decision import Decision
from hourglass_simulator.scheduler.placement import Placements
from hourglass_simulator.scheduler.pod import PodInfo
from hourglass_simulator.scheduler.scores import WEIGHTS
from hourglass_simulator.scheduler.snapshot import Snapshot
from recorded_answers import agree

FOLDER = Path(__file__).parents[2] / "goldens/scheduler/cases"
CLASSES: list[tuple[str, JSON]] = json.loads((FOLDER.parent / "verdicts.golden.json").read_text())[
    "classes"
]


def _cases() -> dict[tuple[str, str], dict[str, JSON]]:
    """By version and file; those of newer versions that the oldest decides otherwise."""
    found = {}
    for file in sorted(FOLDER.glob("*.golden.json")):
        name, version = file.name.split(".", 1)
        version = version.removesuffix("golden.json").removesuffix(".") or OLDEST
        cases = json.loads(file.read_text())
        found[version, name] = {f"{name}: {case}": golden for case, golden in cases.items()}
    return found


CASES = _cases()
OF_THE_API_SERVER = (
    "affinity: affinity with matchLabelKeys",
    "affinity: anti-affinity with mismatchLabelKeys",
    "filters: the host network takes the ports of its containers",
    "filters: limits of the whole pod are its requests",
)
"""Cases that need defaults which the simulated API server does not set: not played."""
_SEEDS = 50
BETWEEN_STEPS = 3.0
"""Seconds of virtual time, about what the recorder waits."""
SHORT = {
    "volumes: provisioning that fails": 0.9,
    "volumes: a node that goes while its volume is bound": 0.9,
}
"""Cases that were seen before the scheduler tried again."""
MERGE = "application/merge-patch+json"
CLUSTER_WIDE = (
    "namespaces",
    "nodes",
    "persistentvolumes",
    "storageclasses",
    "csinodes",
    "csidrivers",
    "resourceslices",
    "deviceclasses",
    "devicetaintrules",
)


class World:
    """An API server with a scheduler, and nothing else."""

    def __init__(self, kubernetes: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.api = APIServer(self.clock, version(kubernetes))
        for resource, body in CLASSES:
            self.api.create(resource, body)
        self.api.create("namespaces", {"metadata": {"name": "golden"}})
        self.scheduler = Scheduler(self.clock, self.api)
        self.scores: JSON = {}
        self.wanted: JSON = {}
        self._real = decision.schedule
        monkeypatch.setattr(scheduler, "schedule", self._schedule)

    def _schedule(
        self,
        pod: PodInfo,
        snapshot: Snapshot,
        placements: Placements,
        random: Random,
        texts: Texts,
    ) -> Decision:
        """As the scheduler decides; between equals, chance decided on the real cluster."""
        found = self._real(pod, snapshot, placements, random, texts)
        wanted = self.wanted.get(pod.name, {})
        for seed in range(_SEEDS):
            if (found.node or found.nominated) in (wanted.get("node"), wanted.get("nominated")):
                break
            found = self._real(pod, snapshot, placements, Random(seed), texts)
        if found.node is not None:
            self.scores[pod.name] = {
                node: {plugin: WEIGHTS[plugin] * score for plugin, score in given.items()}
                for node, given in decision.node_scores(pod, snapshot, placements).items()
            }
        return found

    def step(self, calls: list[JSON], wanted: JSON, seconds: float) -> None:
        """The calls of a step, and time for the scheduler to answer them."""
        self.scores, self.wanted = {}, wanted
        for call in calls:
            self._do(call)
        self.clock.run_until(self.clock.now + seconds)

    def _do(self, call: JSON) -> None:
        resource, name, body = call["resource"], call.get("name", ""), call.get("body", {})
        space = "" if resource in CLUSTER_WIDE else "golden"
        if call["do"] == "create":
            space = body["metadata"].get("namespace", space)
            self.api.create(resource, body, namespace=space)
        elif call["do"] in ("patch", "status"):
            part = "status" if call["do"] == "status" else ""
            self.api.patch(resource, space, name, body, MERGE, subresource=part)
        else:
            grace = 0 if call["do"] == "gone" else None
            self.api.delete(resource, space, name, grace_period_seconds=grace)

    def seen(self) -> JSON:
        """What the scheduler made of pods, volumes and claims."""
        pods = self.api.list("pods").items
        found: JSON = {"pods": {pod["metadata"]["name"]: seen_of(pod) for pod in pods}}
        return found | others(lambda resource: self.api.list(resource).items)

    def events(self) -> set[str]:
        """What it reported, each only once."""
        names = {p["metadata"]["uid"]: p["metadata"]["name"] for p in self.api.list("pods").items}
        found = set()
        for event in self.api.list("events").items:
            message = event["message"]
            for uid, name in names.items():
                message = message.replace(uid, f"{{uid of {name}}}")
            found.add(f"{event['involvedObject']['name']} {event['reason']} {message}")
        return found


@pytest.mark.parametrize(("kubernetes", "file"), CASES, ids=str)
def test_cases_end_as_on_a_real_cluster(
    kubernetes: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = {
        name: case
        for name, case in CASES[kubernetes, file].items()
        if name not in OF_THE_API_SERVER
    }
    agree(
        {name: _played(World(kubernetes, monkeypatch), name, case) for name, case in cases.items()},
        {name: _recorded(case) for name, case in cases.items()},
    )


def _played(world: World, name: str, case: JSON) -> JSON:
    """What became of a case, as it is recorded."""
    steps = []
    for step in case["steps"]:
        world.step(step["calls"], step["pods"], SHORT.get(name, BETWEEN_STEPS))
        scores = {pod: world.scores.get(pod, {}) for pod in step.get("scores", {})}
        steps.append(_step(step["calls"], world.seen(), scores))
    return {"steps": steps, "events": world.events()}


def _recorded(case: JSON) -> JSON:
    steps = [
        _step(
            step["calls"],
            {key: step[key] for key in step if key not in ("calls", "scores")},
            step.get("scores", {}),
        )
        for step in case["steps"]
    ]
    events = {f"{e['pod']} {e['reason']} {e['message']}" for e in case["events"]}
    return {"steps": steps, "events": events}


def _step(calls: list[JSON], seen: JSON, scores: JSON) -> JSON:
    compared = {pod: _without_zeros(given) for pod, given in scores.items()}
    return {"calls": calls, "seen": seen, "scores": compared}


def _without_zeros(scores: JSON) -> JSON:
    return {
        node: {plugin: score for plugin, score in given.items() if score}
        for node, given in scores.items()
    }
