"""What several faults may keep from being well at once: a node, a device plugin, the operator."""

from collections.abc import Callable
from itertools import count

from hourglass_kube.types import JSON

Undo = Callable[[], None]
Thing = tuple[str, ...]
"""What is held; of a node, its name comes second."""


class Holds:
    """The first hold on a thing begins its trouble; when the last is released, it is well again."""

    def __init__(self) -> None:
        self.removed: dict[str, JSON] = {}
        """Nodes that are taken away, by name: as they will register again."""
        self.numbers = count()
        """Distinguish things that are held once each."""
        self._count: dict[Thing, int] = {}
        self._undo: dict[Thing, Undo] = {}
        self._renew: dict[Thing, Callable[[], object]] = {}

    def hold(
        self,
        thing: Thing,
        begin: Callable[[], Undo],
        renew: Callable[[], object] | None = None,
    ) -> Undo:
        """Take hold; `begin` is called if nobody else holds. The result releases it, once.

        `renew` begins the trouble of a node again that was removed meanwhile and is back.
        """
        held = self._count.get(thing, 0)
        if not held:
            self._undo[thing] = begin()
            if renew is not None:
                self._renew[thing] = renew
        self._count[thing] = held + 1
        holding = True

        def release() -> None:
            nonlocal holding
            if not holding:
                return
            holding = False
            self._count[thing] -= 1
            if not self._count[thing]:
                del self._count[thing]
                self._renew.pop(thing, None)
                self._undo.pop(thing)()

        return release

    def renew(self, node: str) -> None:
        """A node is back: what still holds it troubles it again."""
        for thing, renew in list(self._renew.items()):
            if thing[1] == node:
                renew()
