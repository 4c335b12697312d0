"""What is remembered of Performers between passes; losing it does no harm."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hourglass_operator.controller.plan import Memory
from hourglass_operator.controller.quota import exceeded
from hourglass_operator.controller.views import Key

NOTHING = Memory()


class Memories:
    """By key and uid: the next Performer of a name starts with none.

    Nothing is kept of those of which nothing is to be remembered.
    """

    def __init__(self) -> None:
        self._of: dict[Key, tuple[str, Memory]] = {}

    def get(self, key: Key, uid: str) -> Memory:
        """What is remembered of a Performer."""
        of, memory = self._of.get(key, ("", NOTHING))
        return memory if of == uid else NOTHING

    def put(self, key: Key, uid: str, memory: Memory) -> None:
        """Remember this instead of whatever was remembered under the key."""
        if memory == NOTHING:
            self._of.pop(key, None)
        else:
            self._of[key] = (uid, memory)

    def clear(self) -> None:
        """Forget everything."""
        self._of.clear()

    def refused(self, namespace: str, quota: str) -> Iterator[Key]:
        """Performers of a namespace to whose pods a quota has no room to give."""
        for key, (_, memory) in self._of.items():
            for refusal in memory.refusals if key[0] == namespace else ():
                found = exceeded(refusal.message) if refusal.resource == "pods" else None
                if found is not None and found.quota == quota:
                    yield key

    def drop_transient_refusals(self, resource: str, keys: Iterable[Key]) -> None:
        """An object of the resource has gone or ended: it may have kept another from its place."""
        for key in keys:
            if key in self._of:
                uid, memory = self._of[key]
                kept = (
                    r
                    for r in memory.refusals
                    if (r.verb, r.resource) != ("create", resource)
                    or not (r.transient or exceeded(r.message))
                )
                self.put(key, uid, replace(memory, refusals=tuple(kept)))
