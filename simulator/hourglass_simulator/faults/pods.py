"""What people do to pods whose names nobody can know beforehand."""

from collections.abc import Callable
from functools import partial
from random import Random

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.faults import present
from hourglass_simulator.faults.holds import Undo
from hourglass_simulator.faults.parameters import OfPods
from hourglass_simulator.faults.target import FaultNotPossibleError, FaultType, Target, nothing
from hourglass_simulator.scenario.strict import Count

_USER = "user"


class Deleted(OfPods):
    """Whose pods."""

    grace_period_seconds: Count | None = None
    """As of `kubectl delete --grace-period`; 0 takes the objects away at once."""


class Edited(OfPods):
    """Whose pods, and what becomes of them."""

    merge: JSON
    """What is merged into each, as by `kubectl patch --type=merge`."""


def _deleted(target: Target, p: Deleted, _: Random) -> Undo:
    """Somebody deletes pods."""
    delete, seconds = target.cluster.api.delete, p.grace_period_seconds
    for namespace, pod in present.pods(target, p):
        _call(partial(delete, "pods", namespace, pod, grace_period_seconds=seconds, user=_USER))
    return nothing


def _edited(target: Target, p: Edited, _: Random) -> Undo:
    """Somebody changes pods: labels, owners, finalizers."""
    for namespace, pod in present.pods(target, p):
        _call(partial(target.cluster.api.patch, "pods", namespace, pod, p.merge, user=_USER))
    return nothing


def _call(call: Callable[[], object]) -> None:
    try:
        call()
    except APIError as error:
        raise FaultNotPossibleError(error.message) from error


FAULTS = (
    FaultType("pods-deleted", Deleted, _deleted, {"performer": "worker"}),
    FaultType(
        "pods-edited",
        Edited,
        _edited,
        {"performer": "worker", "merge": {"metadata": {"labels": {"app": None}}}},
    ),
)
