"""Which part each of a Performer's pods plays."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hourglass_operator.controller.pod_view import PodView
from hourglass_statemachine import Serving


@dataclass(frozen=True, slots=True)
class PodRoles:
    """A Performer's pods, sorted by what they are to the present spec.

    `serving` and `serving_pod`: the pod that traffic to the Service reaches; one of the wanted
    template goes before any other, once the upgrade to it is a success. `candidate`: the pod of the
    wanted template that is to serve. `on_trial`: it does, but has not been ready for
    minReadySeconds. `lost`: the latest pod of the wanted template that is at its end, or on its way
    there, unless what serves and is to move came after it. `replaced`: the template hash that the
    wanted template takes the place of, None without an upgrade; `previous`: the pods that are alive
    and serve until the wanted template does: those of `replaced`, any other of another template
    that is Ready, and those that are to move (`leaving`). Such a pod may serve although no
    EndpointSlice that shows it has been seen yet.
    """

    serving: Serving
    serving_pod: PodView | None
    candidate: PodView | None
    on_trial: bool
    lost: PodView | None
    replaced: str | None
    previous: tuple[PodView, ...]
    leaving: tuple[PodView, ...] = ()


def assign_roles(
    pods: Sequence[PodView],
    wanted: str,
    candidate: PodView | None,
    ready_endpoints: frozenset[str],
    served_before: str | None,
    *,
    leaving: Sequence[PodView] = (),
    ready_long_enough: bool = True,
) -> PodRoles:
    """Sort pods by the `wanted` template hash, of which `find_candidate` has found the candidate.

    `served_before` is the template hash that the stored status calls the serving one: while
    nothing serves in the midst of an upgrade, only the status knows what served before it.
    `leaving`: pods of the wanted template that another is to succeed. `ready_long_enough`: the
    candidate has been ready for minReadySeconds.
    """
    serving = [pod for pod in pods if pod.alive and pod.ready and pod.name in ready_endpoints]
    new = candidate if candidate in serving else None
    # What served before is what a second change in the midst of an upgrade goes back to.
    old = max(
        (pod for pod in serving if pod.template_hash != wanted or pod in leaving),
        key=lambda pod: (pod in leaving, pod.template_hash == served_before),
        default=None,
    )
    replaced = served_before if old is None else old.template_hash
    # Not if the spec has gone back to the template that served before.
    upgrading = replaced is not None and served_before != wanted
    moving = old is not None and old in leaving
    on_trial = new is not None and (upgrading or moving) and not ready_long_enough
    state, serving_pod = Serving.NOTHING, new or old
    if new is not None and not on_trial:
        state, replaced = Serving.WANTED, None
    elif old is not None:
        state, serving_pod = Serving.LEAVING if moving else Serving.PREVIOUS, old
    elif on_trial:
        state = Serving.NEW
    if replaced == wanted:
        replaced = None
    return PodRoles(
        serving=state,
        serving_pod=serving_pod,
        candidate=candidate,
        on_trial=on_trial,
        lost=max(
            (
                pod
                for pod in pods
                if (pod.template_hash == wanted and not pod.alive)
                and not (moving and old is not None and pod.attempt < old.attempt)
            ),
            key=lambda pod: pod.attempt,
            default=None,
        ),
        replaced=replaced,
        previous=tuple(
            pod
            for pod in pods
            if pod in leaving
            or (
                (pod.alive and pod.template_hash != wanted)
                and (pod.ready or pod.template_hash == replaced)
            )
        ),
        leaving=tuple(leaving),
    )


def find_candidate(
    pods: Sequence[PodView],
    wanted: str,
    ready_endpoints: frozenset[str],
    leaving: Collection[PodView] = (),
) -> PodView | None:
    """Of the pods of the `wanted` template the one that serves or, when none does, is to serve.

    None of those that are `leaving`: they wait for it.
    """
    mine = (pod for pod in pods if pod.alive and pod.template_hash == wanted)
    return max(
        (pod for pod in mine if pod not in leaving),
        key=lambda pod: (pod.ready, pod.name in ready_endpoints, bool(pod.node), pod.attempt),
        default=None,
    )
