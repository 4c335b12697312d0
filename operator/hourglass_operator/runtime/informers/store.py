"""Where informers put what they see."""

import logging
from collections import Counter
from collections.abc import Callable, Collection
from typing import Protocol

from hourglass_kube.types import JSON
from hourglass_operator.controller.cache import Name

logger = logging.getLogger(__name__)


class EventHandler(Protocol):
    """Is given every object that exists, and every change; see `controller.Controller`."""

    def watched(self, resource: str, event: str, obj: JSON, now: float) -> None:
        """Take in an ADDED, MODIFIED or DELETED object; `now` is seconds since the epoch."""
        ...

    def remain(
        self, resource: str, names: Collection[Name], version: str, now: float, namespace: str = ""
    ) -> None:
        """Drop what is not among the names of a whole list of this resourceVersion."""
        ...


class Store:
    """Hands objects to the handler, and counts them.

    An object that the handler cannot take in is logged and left out: one that somebody has made
    unreadable must not keep all others from being seen.
    """

    def __init__(
        self, handler: EventHandler, now: Callable[[], float], changed: Callable[[], None]
    ) -> None:
        """`changed` is called after every change."""
        self.events: Counter[str] = Counter()
        """How many objects and changes have been received, by resource."""
        self._handler = handler
        self._now = now
        self._changed = changed

    def put(self, resource: str, event: str, obj: JSON) -> None:
        """Take in an object of a list (as ADDED) or of a watch event."""
        self.events[resource] += 1
        try:
            self._handler.watched(resource, event, obj, self._now())
        except Exception:
            metadata = obj.get("metadata") or {}
            name = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}".lstrip("/")
            logger.exception("cannot read %s %s: it is left out", resource, name)
        self._changed()

    def replace(self, resource: str, namespace: str, names: Collection[Name], version: str) -> None:
        """A list has ended: what is not on it is gone. An empty namespace means all."""
        self._handler.remain(resource, names, version, self._now(), namespace)
        self._changed()


def name_of(obj: JSON) -> Name:
    """Namespace (empty if there is none) and name."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
