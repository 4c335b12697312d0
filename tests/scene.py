"""A scene for the controller: objects in its cache, a moment, and the plan it makes of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from builders import CATALOGUE, NodeBuilder, PerformerBuilder, PodBuilder, node
from hourglass_kube.types import JSON
from hourglass_operator.controller import Controller, Outcome, Pass, Plan, Settings, Write
from hourglass_operator.controller.plan import Found
from hourglass_operator.runtime.informers.store import name_of


@dataclass
class Scene:
    """A controller that has seen some objects."""

    controller: Controller
    key: tuple[str, str]
    planned: float = 0.0
    """When the latest plan was made."""
    uid: str = ""
    """Of the Performer that it was made for."""
    versions: tuple[int, ...] = ()
    """Of what its writes are about."""

    def plan(self, now: float) -> Plan:
        self.planned = now
        performer = self.controller.cache.performers.get(self.key)
        self.uid = performer.uid if performer else ""
        plan = self.controller.plan(self.key, now)
        self.versions = self.controller.versions(plan)
        return plan

    def sees(self, resource: str, obj: JSON, *, event: str = "MODIFIED", now: float = 0.0) -> None:
        self.controller.event_handler.watched(resource, event, obj, now)

    def ends(self, pod: PodBuilder, *, now: float = 0.0) -> None:
        """The pod has ended and is gone."""
        self.sees("pods", pod.deleting(now).build(), event="DELETED", now=now)

    def answer_reads(self, plan: Plan, now: float, *objects: JSON, silent: bool = False) -> None:
        """Answer the plan's only read with these objects, or not at all."""
        (read,) = plan.reads
        answers = [Found(read, None if silent else objects)]
        self.controller.finish_reads(Pass(self.key, self.uid, plan, self.planned), answers, now)

    def succeed(self, plan: Plan, now: float) -> None:
        """Finish a pass: every write of its plan, if there is any, succeeds."""
        outcomes = [Outcome(write, 200) for write in plan.writes]
        done = Pass(self.key, self.uid, plan, self.planned, versions=self.versions)
        self.controller.finish(done, outcomes, now)

    def answer(self, plan: Plan, now: float, code: int = 200, **more: Any) -> None:
        """Answer the plan's first write with this code."""
        outcome = Outcome(plan.writes[0], code, **more)
        done = Pass(self.key, self.uid, plan, self.planned, versions=self.versions)
        self.controller.finish(done, [outcome], now)


def scene(
    performer: PerformerBuilder,
    *pods: PodBuilder,
    serving: Iterable[PodBuilder] = (),
    nodes: Iterable[NodeBuilder] = (node("node-1"),),
    service: bool | PerformerBuilder = True,
    budgets: Iterable[JSON] = (),
    slices: Iterable[JSON] = (),
    templates: Iterable[JSON] = (),
    settings: Settings | None = None,
) -> Scene:
    """What the cache holds when the operator has just started.

    `service`: whether there is one, or an earlier spec that it was made for.
    """
    controller = Controller(CATALOGUE, settings or Settings())
    made_for = performer if service is True else service
    of_resource = {
        "nodes": [n.build() for n in nodes],
        "resourceslices": list(slices),
        "resourceclaimtemplates": list(templates),
        "services": [made_for.service()] if made_for else [],
        "endpointslices": [performer.endpoints(*(pod.name for pod in serving))],
        "poddisruptionbudgets": list(budgets),
        "pods": [pod.build() for pod in pods],
        "performers": [performer.build()],
    }
    for resource, objects in of_resource.items():
        version = max((int(o["metadata"]["resourceVersion"]) for o in objects), default=0)
        take_list(controller, resource, objects, str(version), 0.0)
    return Scene(controller, (performer.namespace, performer.name))


def take_list(
    controller: Controller, resource: str, objects: Iterable[JSON], version: str, now: float
) -> None:
    """Let a controller take in a whole list, as an informer does."""
    listed = list(objects)
    for obj in listed:
        controller.event_handler.listed(resource, obj, version, now)
    controller.event_handler.retain(resource, set(map(name_of, listed)), version, now)


def passes(staged: Scene, seconds: float, start: float = 1000.0) -> Iterator[tuple[float, Pass]]:
    """The passes of so many seconds with their times, each to be finished before the next."""
    now = start
    while now < start + seconds:
        due = staged.controller.take(now)
        if due is not None:
            yield now, due
            continue
        wake = staged.controller.queue.next_due()
        assert wake is not None
        now = wake


def status_of(plan: Plan, stored: JSON | None = None) -> JSON:
    """The status after a plan's status write, or the stored one if it has none."""
    patch: JSON = next((w.body["status"] for w in plan.writes if w.subresource == "status"), {})
    merged = {**(stored or {}), **patch}
    return {key: value for key, value in merged.items() if value is not None}


def conditions_of(status: JSON) -> dict[str, str]:
    """`{type: "status/reason"}`."""
    return {c["type"]: f"{c['status']}/{c['reason']}" for c in status["conditions"]}


def calls(plan: Plan) -> list[str]:
    """The plan's writes in short: `create pods performer-x-…`, Events and status left out."""
    return [short(w) for w in plan.writes if w.resource != "events" and not w.subresource]


def short(write: Write) -> str:
    return f"{write.verb} {write.resource} {write.name}"
