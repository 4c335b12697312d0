"""Which part each of a Performer's pods plays."""

from collections.abc import Sequence
from dataclasses import dataclass

from hourglass_operator.controller.pod_view import PodView
from hourglass_statemachine import Serving


@dataclass(frozen=True, slots=True)
class PodRoles:
    """A Performer's pods, sorted by what they are to the present spec.

    `serving` and `serving_pod`: the pod that traffic to the Service reaches; one of the wanted
    template goes before any other. `candidate`: the pod of the wanted template that is to serve.
    `lost`: the latest pod of the wanted template that is at its end, or on its way there.
    `replaced`: the template hash that the wanted template takes the place of, None without an
    upgrade; `previous`: the pods of that template that are alive.
    """

    serving: Serving
    serving_pod: PodView | None
    candidate: PodView | None
    lost: PodView | None
    replaced: str | None
    previous: tuple[PodView, ...]


def assign_roles(
    pods: Sequence[PodView],
    wanted: str,
    ready_endpoints: frozenset[str],
    served_before: str | None,
) -> PodRoles:
    """Sort pods by the `wanted` template hash.

    `served_before` is the template hash that the stored status calls the serving one: while
    nothing serves in the midst of an upgrade, only the status knows what served before it.
    """
    serving, serving_pod = _serving(pods, wanted, ready_endpoints)
    replaced = _replaced(serving_pod, wanted, served_before)
    mine = [pod for pod in pods if pod.template_hash == wanted]
    return PodRoles(
        serving=serving,
        serving_pod=serving_pod,
        candidate=max(
            (pod for pod in mine if pod.alive),
            key=lambda pod: (pod.ready, bool(pod.node), pod.attempt),
            default=None,
        ),
        lost=max((pod for pod in mine if not pod.alive), key=lambda pod: pod.attempt, default=None),
        replaced=replaced,
        previous=tuple(pod for pod in pods if pod.alive and pod.template_hash == replaced),
    )


def _serving(
    pods: Sequence[PodView], wanted: str, ready_endpoints: frozenset[str]
) -> tuple[Serving, PodView | None]:
    serving = [pod for pod in pods if pod.alive and pod.ready and pod.name in ready_endpoints]
    for pod in serving:
        if pod.template_hash == wanted:
            return Serving.WANTED, pod
    return (Serving.PREVIOUS, serving[0]) if serving else (Serving.NOTHING, None)


def _replaced(serving: PodView | None, wanted: str, served_before: str | None) -> str | None:
    replaced = served_before if serving is None else serving.template_hash
    return None if replaced == wanted else replaced
