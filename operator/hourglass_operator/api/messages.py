"""The form of the messages of conditions."""

SCHEDULER_SAYS = ". The scheduler says: "
"""Between what the operator knows and what the scheduler has said, where both are given."""
TOLERATED_BY = "; a taint is tolerated by an entry in spec.scheduling.tolerations: "
"""Before the tolerations that would let the pod onto nodes, at the end of the operator's words."""


def essence(message: str) -> str:
    """A message without what the scheduler says, where the operator knows better."""
    return message.partition(SCHEDULER_SAYS)[0]
