"""What is remembered of Performers between passes; losing it does no harm."""

from collections.abc import Iterable
from dataclasses import replace

from hourglass_operator.controller.plan import Memory
from hourglass_operator.controller.views import Key

NOTHING = Memory()


class Memories:
    """By key; nothing is kept of those of which nothing is to be remembered."""

    def __init__(self) -> None:
        self._of: dict[Key, Memory] = {}

    def get(self, key: Key) -> Memory:
        """What is remembered of a Performer."""
        return self._of.get(key, NOTHING)

    def put(self, key: Key, memory: Memory) -> None:
        """Remember this instead."""
        if memory == NOTHING:
            self._of.pop(key, None)
        else:
            self._of[key] = memory

    def clear(self) -> None:
        """Forget everything."""
        self._of.clear()

    def drop_transient_refusals(self, resource: str, keys: Iterable[Key]) -> None:
        """An object of the resource has gone: an earlier Performer of the name may have left it."""
        for key in keys:
            memory = self._of.get(key)
            if memory is not None:
                kept = (r for r in memory.refusals if not (r.transient and r.resource == resource))
                self.put(key, replace(memory, refusals=tuple(kept)))
