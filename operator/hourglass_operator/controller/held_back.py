"""Which writes wait: the API server refuses them, or what must be there before them.

A pass makes its writes in order, up to the first that fails. A refusal is remembered, and the next
pass, which follows at once, goes on without that write until its back-off is over. So one refusal
holds up nothing but what needs the write:

- A pod is created only with the finalizer set: without it nothing waits for the pod's end.
- A pod is created only after the claim template that it names (`claim_templates.may_claim`).
- A pod is deleted only while the Service leads to its successor.
- What a pod was resized to is noted only after the resize.

All else follows from what is observed, and not from the order of writes: what serves is deleted
once its successor is seen to serve, the finalizer is released once no pod is left. The status needs
nothing, and comes last.
"""

from collections.abc import Iterable, Sequence

from hourglass_operator.controller.plan import Refusal, Write
from hourglass_operator.controller.repairs import leads_away


def due_writes(
    wanted: Iterable[Write], refusals: Sequence[Refusal], now: float
) -> tuple[Write, ...]:
    """The writes that need not wait, in the order given, in which what is needed comes first."""
    due: list[Write] = []
    held: list[Write] = []
    for write in wanted:
        refused = any(each.of(write) and now < each.retry_at for each in refusals)
        waits = refused or any(_needs(write, other) for other in held)
        (held if waits else due).append(write)
    return tuple(due)


def still_refused(wanted: Sequence[Write], refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Without the refusals of what nobody wants any more.

    A pod that is refused is not among what is wanted before its next try.
    """
    return tuple(
        each
        for each in refusals
        if (each.verb, each.resource) == ("create", "pods")
        or not each.transient
        or any(map(each.of, wanted))
    )


def _needs(write: Write, other: Write) -> bool:
    match write.verb, write.resource:
        case "create", "pods":
            return other.resource == "performers"
        case "delete", "pods":
            return other.resource == "services" and any(map(leads_away, other.drifts))
        case "patch", "pods":
            return (other.subresource, other.name) == ("resize", write.name)
    return False
