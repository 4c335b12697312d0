"""The form of the messages of conditions."""

SCHEDULER_SAYS = ". The scheduler says: "
"""Between what the operator knows and what the scheduler has said, where both are told."""


def essence(message: str) -> str:
    """A message without what the scheduler says, where the operator knows better."""
    return message.partition(SCHEDULER_SAYS)[0]
