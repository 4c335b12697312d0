"""Performers in every situation that deployment tools distinguish, as the simulator has them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hourglass_kube.types import JSON
from hourglass_simulator.cli.parts import simulated
from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.scenario import load, run
from hourglass_simulator.scenario.backend import Change

_SCENARIOS = (
    "conditions/as-kstatus-reads-them",
    "deletion/while-serving",
    "gpu-unhealthy",
    "moves/no-room",
    "resizes/deferred-until-room",
)

JUDGEMENTS: Mapping[str, tuple[str, str]] = {
    "Pending, Reconciling": ("InProgress", "Progressing"),
    "Running": ("Current", "Healthy"),
    "Running, Degraded": ("Current", "Degraded"),
    "Running, Reconciling": ("InProgress", "Progressing"),
    "Running, Reconciling, Degraded": ("InProgress", "Progressing"),
    "Upgrading, Reconciling": ("InProgress", "Progressing"),
    "Upgrading, Reconciling, Degraded": ("InProgress", "Progressing"),
    "Upgrading, Stalled, Degraded": ("Failed", "Degraded"),
    "Failed, Stalled": ("Failed", "Degraded"),
    "with a spec that was not seen": ("InProgress", "Progressing"),
    # Argo CD asks its check of none that is being deleted.
    "deleted": ("Terminating", ""),
}
"""Situation → what kstatus says, and what Argo CD does."""


@cache
def situations() -> Mapping[str, JSON]:
    """Situation → the first Performer in it."""
    found: dict[str, JSON] = {}
    for name in _SCENARIOS:
        path = Path(__file__).parents[1] / "scenarios" / f"{name}.yaml"
        file = load(path, REGISTRY)
        for record in run(file, simulated(0, file.scenario.cluster), 0).records:
            if isinstance(record, Change) and record.resource == "performers":
                found.setdefault(_situation(record.object), record.object)
    return found


def _situation(performer: JSON) -> str:
    status, meta = performer["status"], performer["metadata"]
    if "deletionTimestamp" in meta:
        return "deleted"
    if status["observedGeneration"] != meta["generation"]:
        return "with a spec that was not seen"
    holds = {each["type"] for each in status["conditions"] if each["status"] == "True"}
    held = [kind for kind in ("Reconciling", "Stalled", "Degraded") if kind in holds]
    return ", ".join([status["phase"], *held])
