"""Watches, and the history that lets them start in the past."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from hourglass_kube.types import JSON

Matcher = Callable[[JSON], bool]

ADDED, MODIFIED, DELETED, BOOKMARK, ERROR = "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"


class WatchEvent(NamedTuple):
    """`type` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR (then `object` is a Status)."""

    type: str
    object: JSON


Sink = Callable[[WatchEvent], None]


class Change(NamedTuple):
    """A committed change: the object before (None: created) and after (None: deleted).

    `last` is the object that an event about it carries, at the version of the change.
    """

    version: int
    before: JSON | None
    after: JSON | None
    last: JSON


class Watch:
    """One subscriber of a resource's changes, which sees what its selectors match."""

    __slots__ = ("_stop", "bookmarks", "matches", "send", "stopped")

    def __init__(
        self,
        matches: Matcher | None,
        sink: Sink,
        stop: Callable[["Watch"], None],
        *,
        bookmarks: bool,
    ) -> None:
        self.matches = matches
        self.send = sink
        self.bookmarks = bookmarks
        self.stopped = False
        self._stop = stop

    def stop(self) -> None:
        """No event arrives after this."""
        if not self.stopped:
            self.stopped = True
            self._stop(self)


def deliver(
    change: Change, watches: list[Watch], failed: Callable[[Exception], None] | None = None
) -> None:
    """Deliver a change to watches in the order in which they began.

    An object that stops matching a selector is DELETED for that watch, one that starts is ADDED.
    `failed` is called with what a sink raises, and the others get the change all the same; without
    it that is raised here.
    """
    _, before, after, last = change
    kind = DELETED if after is None else ADDED if before is None else MODIFIED
    event = WatchEvent(kind, last)
    for watch in tuple(watches):
        matches = watch.matches
        if watch.stopped:
            continue
        try:
            if matches is None:
                watch.send(event)
                continue
            saw = before is not None and matches(before)
            sees = after is not None and matches(after)
            if saw and sees:
                watch.send(event)
            elif sees:
                watch.send(WatchEvent(ADDED, last))
            elif saw:
                watch.send(WatchEvent(DELETED, _at(before, last)))
        except Exception as error:
            if failed is None:
                raise
            failed(error)


def _at(before: JSON | None, last: JSON) -> JSON:
    """The object as a watch last saw it, at the version at which it left the watch's view."""
    assert before is not None
    version = last["metadata"]["resourceVersion"]
    return {**before, "metadata": {**before["metadata"], "resourceVersion": version}}


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
        """Changes after a version, oldest first."""
        changes = []
        for change in reversed(self._changes):
            if change.version <= version:
                break
            changes.append(change)
        return changes[::-1]

    def compact(self, version: int) -> None:
        """Forget everything up to a version."""
        self.oldest = max(self.oldest, version)
        while self._changes and self._changes[0].version <= version:
            self._changes.popleft()
