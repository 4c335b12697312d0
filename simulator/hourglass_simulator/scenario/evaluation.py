"""Whether expectations hold, kept up to date: only what a change affects is looked at again.

What exactly does not hold is found by `expect` and `settled`, once, when it is to be reported.
"""

from collections.abc import Callable, Iterable, Sequence

from hourglass_simulator.scenario.expect import (
    is_budgeted,
    is_counted,
    is_enough,
    is_meant,
    performer_key,
    performer_mismatches,
    quiet_mismatches,
)
from hourglass_simulator.scenario.expectation import (
    Expectation,
    ObjectsAre,
    PerformerIs,
    Settles,
    WritesAre,
)
from hourglass_simulator.scenario.history import Affected, History, Key
from hourglass_simulator.scenario.settled import left_of, named_performers, unsettled


class Evaluation:
    """Whether an expectation holds. The parameters are those of `expect.mismatches`."""

    def __init__(
        self,
        expectation: Expectation,
        history: History,
        namespace: str,
        writes_from: int | None = None,
    ) -> None:
        self._history = history
        self._seen = len(history.affected)
        self._wanted: dict[Key, list[PerformerIs]] = {}
        for name, expected in expectation.performers.items():
            self._wanted.setdefault(performer_key(name, namespace), []).append(expected)
        self._unmet: set[Key] = set()
        _update(self._unmet, self._wanted, self._differs)
        self._counts = [_Count(objects, history, namespace) for objects in expectation.objects]
        start = history.writes_before if writes_from is None else writes_from
        writes = expectation.writes
        self._budget = None if writes is None else _Budget(writes, history, start)
        self._no_writes_for = expectation.no_writes_for

    def holds(self) -> bool:
        """Whether it holds now."""
        affected = self._history.affected[self._seen :]
        self._seen += len(affected)
        _update(self._unmet, _performers(affected) & self._wanted.keys(), self._differs)
        for count in self._counts:
            count.update(affected)
        return (
            not self._unmet
            and all(count.is_enough for count in self._counts)
            and (self._budget is None or self._budget.is_kept())
            and self._is_quiet()
        )

    def _differs(self, key: Key) -> bool:
        wanted, history = self._wanted[key], self._history
        return any(_some(performer_mismatches(found, key, history)) for found in wanted)

    def _is_quiet(self) -> bool:
        seconds = self._no_writes_for
        return seconds is None or not _some(quiet_mismatches(seconds, self._history))


class Settlement:
    """Whether a scenario has settled."""

    def __init__(self, settles: Settles, history: History, namespace: str) -> None:
        self._history = history
        self._expected = Evaluation(settles, history, namespace)
        self._seen = len(history.affected)
        self._named = named_performers(settles, namespace)
        self._unmet: set[Key] = set()
        _update(self._unmet, _performers(history.affected), self._differs)

    def holds(self) -> bool:
        """Whether it has settled, as things are now."""
        affected = self._history.affected[self._seen :]
        self._seen += len(affected)
        _update(self._unmet, _performers(affected), self._differs)
        return not self._unmet and self._expected.holds()

    def _differs(self, key: Key) -> bool:
        history = self._history
        performer = None if key in self._named else history.get("performers", key)
        if performer is not None and _some(unsettled(performer, history)):
            return True
        return _some(left_of(key, history))


class _Count:
    """How many objects are as expected."""

    def __init__(self, expected: ObjectsAre, history: History, namespace: str) -> None:
        self._expected = expected
        self._history = history
        self._namespace = namespace
        self._counted: set[Key] = set()
        self.update(history.affected)

    @property
    def is_enough(self) -> bool:
        """Whether they are as many as expected."""
        return is_enough(self._expected, len(self._counted))

    def update(self, affected: Iterable[Affected]) -> None:
        """Count the objects that have changed anew."""
        resource = self._expected.resource
        keys = {found.key for found in affected if found.resource == resource}
        _update(self._counted, keys, self._is_counted)

    def _is_counted(self, key: Key) -> bool:
        obj = self._history.get(self._expected.resource, key)
        return (
            obj is not None
            and is_meant(self._expected, obj, self._namespace)
            and is_counted(self._expected, obj)
        )


class _Budget:
    """Whether the operator has written more often than expected."""

    def __init__(self, expected: WritesAre, history: History, start: int) -> None:
        self._expected = expected
        self._writes = history.writes
        self._seen = start
        self._counted = 0

    def is_kept(self) -> bool:
        """Whether it has not, so far."""
        new = self._writes[self._seen :]
        self._seen += len(new)
        self._counted += sum(is_budgeted(self._expected, write) for write in new)
        return self._counted <= self._expected.at_most


def _performers(affected: Sequence[Affected]) -> set[Key]:
    return {key for found in affected for key in found.performers}


def _update(keys: set[Key], among: Iterable[Key], belongs: Callable[[Key], bool]) -> None:
    """Let `keys` be those that belong, after these may have changed."""
    for key in among:
        if belongs(key):
            keys.add(key)
        else:
            keys.discard(key)


def _some(found: Iterable[object]) -> bool:
    return any(True for _ in found)
