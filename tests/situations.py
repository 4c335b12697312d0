"""Situations of one Performer for tables of tests: what the cluster holds, what must come of it."""

from dataclasses import dataclass, field

from builders import NodeBuilder, PerformerBuilder, PodBuilder, node, performer, pod_of
from hourglass_kube.types import JSON
from hourglass_operator.controller import Settings
from hourglass_operator.controller.pod_view import PodView, pod_view
from scene import Scene, calls, conditions_of, scene, status_of

NOW = 1000.0
AT_ONCE = Settings(status_delay=0.0)
"""Statuses are written without the delay that lets changes settle."""

V1 = performer("ml")
V2 = V1.image("avs/performer:v2")
GPU = performer("ml").gpu("nvidia-a100", 2)
GPU_NODE = node("gpu-1").label("accelerator", "nvidia-a100").offers("nvidia.com/gpu", 4)


def bound(owner: PerformerBuilder = V1, node_name: str = "node-1") -> PodBuilder:
    return pod_of(owner).on(node_name)


OLD = bound().ready()


def view(pod: PodBuilder) -> PodView:
    """The pod as the cache holds it."""
    found = pod_view(pod.build())
    assert found is not None
    return found


def settled(
    of: PerformerBuilder, *pods: PodBuilder, serving: tuple[PodBuilder, ...] = ()
) -> PerformerBuilder:
    """The Performer with the status that the operator gives it in this scene."""
    plan = scene(of, *pods, serving=serving, settings=AT_ONCE).plan(NOW)
    return of.with_status(**status_of(plan, of.status))


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What the cluster holds."""

    serving: list[PodBuilder] = field(default_factory=list)
    nodes: list[NodeBuilder] = field(default_factory=lambda: [node("node-1")])
    service: bool | PerformerBuilder = True
    budgets: list[JSON] = field(default_factory=list)
    now: float = NOW


@dataclass(frozen=True)
class CallsCase(Situation):
    """A cluster and the calls that must be made."""

    situation: str
    performer: PerformerBuilder
    pods: list[PodBuilder]
    calls: list[str]


@dataclass(frozen=True)
class ConditionsCase(Situation):
    """A cluster and the conditions of the Performer in it; `says` is part of the message."""

    situation: str
    performer: PerformerBuilder
    pods: list[PodBuilder]
    phase: str
    available: str
    progressing: str
    degraded: str
    says: str = field(kw_only=True)


def pending(reason: str) -> tuple[str, str, str, str]:
    return "Pending", f"False/{reason}", f"True/{reason}", "False/NotAvailable"


def failed(reason: str) -> tuple[str, str, str, str]:
    return "Failed", f"False/{reason}", f"False/{reason}", "False/NotAvailable"


RUNNING = ("Running", "True/PodReady", "False/ServiceReady", "False/AsExpected")


def assert_calls(case: CallsCase) -> None:
    assert calls(_staged(case, Settings()).plan(case.now)) == case.calls


def assert_conditions(case: ConditionsCase) -> None:
    status = status_of(_staged(case, AT_ONCE).plan(case.now), case.performer.status)
    found = conditions_of(status)
    assert (status["phase"], found["Available"], found["Progressing"], found["Degraded"]) == (
        case.phase,
        case.available,
        case.progressing,
        case.degraded,
    )
    assert case.says in status["conditions"][-1]["message"]


def assert_deciding_twice_comes_to_the_same(case: ConditionsCase) -> None:
    staged = _staged(case, Settings())
    assert staged.plan(case.now) == staged.plan(case.now)


def assert_written_once(case: ConditionsCase) -> None:
    """A status that has been written is not written again."""

    def plan(performer: PerformerBuilder) -> JSON:
        staged = _staged(case, AT_ONCE, performer)
        writes = staged.plan(case.now).writes
        return next((w.body["status"] for w in writes if w.subresource == "status"), {})

    merged = {**case.performer.status, **plan(case.performer)}
    merged = {k: v for k, v in merged.items() if v is not None}
    assert plan(case.performer.with_status(**merged)) == {}


def _staged(
    case: CallsCase | ConditionsCase, settings: Settings, performer: PerformerBuilder | None = None
) -> Scene:
    return scene(
        performer or case.performer,
        *case.pods,
        serving=case.serving,
        nodes=case.nodes,
        service=case.service,
        budgets=case.budgets,
        settings=settings,
    )
