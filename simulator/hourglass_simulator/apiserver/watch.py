"""Watches, and the history that lets them start in the past."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]
Matcher = Callable[[JSON], bool]

ADDED, MODIFIED, DELETED, BOOKMARK, ERROR = "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """`type` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR (then `object` is a Status)."""

    type: str
    object: JSON


Sink = Callable[[WatchEvent], None]


@dataclass(frozen=True, slots=True)
class Change:
    """A committed change: the object before (None: created) and after (None: deleted).

    `last` is the object as a deletion event carries it.
    """

    version: int
    before: JSON | None
    after: JSON | None
    last: JSON


class Watch:
    """Filters changes for one subscriber, as the API server does for a watch with selectors."""

    def __init__(
        self, matches: Matcher | None, sink: Sink, stop: Callable[["Watch"], None]
    ) -> None:
        self._matches = matches
        self._sink = sink
        self._stop = stop

    def stop(self) -> None:
        """No event arrives after this."""
        self._stop(self)

    def send(self, event: WatchEvent) -> None:
        """Hand an event to the subscriber."""
        self._sink(event)

    def offer(self, change: Change) -> None:
        """Tell of a change as the selector sees it: leaving its view is a deletion."""
        before = change.before is not None and self._sees(change.before)
        after = change.after is not None and self._sees(change.after)
        if after:
            assert change.after is not None
            self._sink(WatchEvent(MODIFIED if before else ADDED, change.after))
        elif before:
            self._sink(WatchEvent(DELETED, change.last))

    def _sees(self, obj: JSON) -> bool:
        return self._matches is None or self._matches(obj)


class History:
    """The changes of one resource, for watches that start at a past version."""

    def __init__(self, limit: int) -> None:
        self._changes: deque[Change] = deque(maxlen=limit)
        self.oldest = 0
        """Watches can start at this version and later."""

    def append(self, change: Change) -> None:
        """Remember a change; the oldest one falls out when there are too many."""
        if len(self._changes) == self._changes.maxlen:
            self.oldest = self._changes[0].version
        self._changes.append(change)

    def since(self, version: int) -> list[Change]:
        """Changes after a version."""
        return [change for change in self._changes if change.version > version]

    def compact(self, version: int) -> None:
        """Forget everything up to a version."""
        self.oldest = max(self.oldest, version)
        while self._changes and self._changes[0].version <= version:
            self._changes.popleft()
