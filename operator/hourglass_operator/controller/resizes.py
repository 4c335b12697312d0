"""CPU and memory that change while the pod runs, and which pods must be succeeded instead."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from hourglass_operator.api import PerformerSpec
from hourglass_operator.controller.pod_view import PodView, Resize
from hourglass_operator.resources.resizable import Amounts, changed, equal, in_words, includes
from hourglass_operator.resources.template import hash_of_one_pod

INFEASIBLE = "Infeasible"


@dataclass(frozen=True, slots=True)
class Resizing:
    """How the pods of the wanted template come to have the wanted CPU and memory.

    `pods`: all pods; those that must be succeeded have a template hash of their own, as if they
    were of another template. `resized`: the one whose resources change while it runs. `asks`: that
    is yet to be asked for. `replaced`: why the one that serves cannot be resized, as a sentence.
    `undecided`: whether the cluster offers it must be known first.
    """

    pods: tuple[PodView, ...]
    resized: PodView | None = None
    asks: bool = False
    replaced: str = ""
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides whether a pod can be resized.

    `wanted`: what the spec asks for; `read`: see `read_by_environment`. `offered`: whether the
    cluster can, None if that is not known. `refused`: what the API server has said to this wish,
    empty if it has not refused it. `late`: the time for it is over. `given_up`: the template hash
    that the stored status calls the serving one, which is a pod's own once it is to be succeeded;
    None after a change of the spec. `leaving`: the names of the pods that are to move.
    """

    wanted: Amounts
    read: frozenset[str] = frozenset()
    offered: bool | None = True
    refused: str = ""
    late: bool = False
    given_up: str | None = None
    leaving: frozenset[str] = frozenset()


def resize_pods(
    pods: Sequence[PodView], template: str, ready_endpoints: Collection[str], terms: Terms
) -> Resizing:
    """Sort the pods of this template hash by whether they have, come to have or cannot have it.

    What has begun goes on: once a pod that was made for what is wanted is there, no other one is
    resized. Only what serves is: any other pod is replaced at no loss, and at once.
    """
    mine = [pod for pod in pods if pod.template_hash == template]
    as_wanted = [pod for pod in mine if equal(pod.made_for, terms.wanted)]
    under_way = [pod for pod in as_wanted if pod.alive and is_resized(pod)]
    fitting = [pod for pod in as_wanted if pod not in under_way]
    if len(fitting) == len(mine):
        return Resizing(tuple(pods))
    serving = [pod for pod in mine if pod.alive and pod.ready and pod.name in ready_endpoints]
    # Only one serves, but for the end of an upgrade that was broken off.
    chosen = next(iter(under_way or [pod for pod in serving if pod not in fitting]), None)
    succeeded = any(pod.alive for pod in fitting)
    # Its successor has what is wanted: the move goes on, whatever becomes of the resize.
    moves = bool(under_way) and chosen is not None and _moves(chosen, terms)
    why = "" if chosen is None or moves else why_not(chosen, terms, asked=bool(under_way))
    resized = chosen if moves or not (succeeded or why) else None
    kept = fitting if resized is None else [*fitting, resized]
    return Resizing(
        pods=tuple(
            replace(pod, template_hash=hash_of_one_pod(pod.uid))
            if pod in mine and pod not in kept
            else pod
            for pod in pods
        ),
        resized=resized,
        asks=resized is not None and not under_way,
        replaced=why,
        undecided=resized is not None and not under_way and terms.offered is None,
    )


def _moves(pod: PodView, terms: Terms) -> bool:
    """It is succeeded because it is to leave, and not because it cannot be resized."""
    return pod.name in terms.leaving and terms.given_up != hash_of_one_pod(pod.uid)


def is_resized(pod: PodView) -> bool:
    """What the operator has asked for is not there yet; wishes of others are theirs."""
    return pod.resize is not None and includes(pod.resources, pod.made_for)


def why_not(pod: PodView, terms: Terms, *, asked: bool) -> str:
    """Why the pod cannot be resized, as a sentence; empty if it can, or may.

    `asked`: it has been asked for.
    """
    given_up = terms.given_up == hash_of_one_pod(pod.uid)
    cannot = f"pod {pod.name} cannot be resized"
    if asked and pod.resize is not None:
        if pod.resize.reason == INFEASIBLE:
            return f"{cannot}: {said(pod, pod.resize)}"
        late = terms.late or given_up
        return f"pod {pod.name} was not resized in time: {said(pod, pod.resize)}" if late else ""
    if terms.offered is False:
        return f"{cannot}: the cluster does not offer pods/resize"
    if terms.refused:
        return f"{cannot}: {terms.refused}"
    if read := sorted(terms.read & changed(pod.made_for, terms.wanted)):
        return f"{cannot}: its environment says {', '.join(read)}"
    return cannot if given_up else ""


def detail(pod: PodView, wanted: Amounts) -> str:
    """How far the resize of a pod has come, as a sentence."""
    what = f"pod {pod.name} is resized to {in_words(wanted)}"
    if pod.resize is None or not pod.resize.reason:
        return f"{what}: node {pod.node} has not answered yet"
    return f"{what}: {said(pod, pod.resize)}"


def said(pod: PodView, resize: Resize) -> str:
    """The kubelet's word on a resize."""
    words = (
        f"node {pod.node} says {resize.reason}" if resize.reason else f"node {pod.node} is silent"
    )
    return f"{words} ({resize.message})" if resize.message else words


def read_by_environment(spec: PerformerSpec) -> frozenset[str]:
    """What of its resources the container finds in its environment: `limits.memory`.

    That is fixed when a container starts.
    https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#downwardapi-resourceFieldRef
    """
    config = spec.config
    sources = [variable.get("valueFrom") for variable in (*config.env, *config.environment_from)]
    refs = [(source or {}).get("resourceFieldRef") for source in sources]
    return frozenset(ref["resource"] for ref in refs if ref)
