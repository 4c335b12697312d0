"""What several faults may keep from being well at once: a node, a device plugin, the operator."""

from collections.abc import Callable

Undo = Callable[[], None]


class Holds:
    """The first hold on a thing begins its trouble; when the last is released, it is well again."""

    def __init__(self) -> None:
        self._count: dict[tuple[str, ...], int] = {}
        self._undo: dict[tuple[str, ...], Undo] = {}

    def hold(self, thing: tuple[str, ...], begin: Callable[[], Undo]) -> Undo:
        """Take hold; `begin` is called if nobody else holds. The result releases it, once."""
        held = self._count.get(thing, 0)
        if not held:
            self._undo[thing] = begin()
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
                self._undo.pop(thing)()

        return release

    def held(self, thing: tuple[str, ...]) -> bool:
        """Somebody holds it."""
        return thing in self._count
