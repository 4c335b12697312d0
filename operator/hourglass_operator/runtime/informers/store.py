"""Where informers put what they see."""

import logging
from collections import Counter
from collections.abc import Callable, Collection

from hourglass_kube.types import JSON
from hourglass_operator.controller.event_handler import EventHandler
from hourglass_operator.controller.versions import Name

logger = logging.getLogger(__name__)


class Store:
    """Hands objects to the event handler, and counts them.

    An object that it cannot take in is logged and left out: one that somebody has made
    unreadable must not keep all others from being seen.
    """

    def __init__(
        self, events: EventHandler, now: Callable[[], float], changed: Callable[[], None]
    ) -> None:
        """`changed` is called after every change."""
        self.received: Counter[str] = Counter()
        """How many objects and changes have been received, by resource."""
        self._events = events
        self._now = now
        self._changed = changed

    def put(self, resource: str, event: str, obj: JSON) -> None:
        """Take in the object of a watch event: ADDED, MODIFIED or DELETED."""
        self._take_in(resource, obj, lambda now: self._events.watched(resource, event, obj, now))

    def put_listed(self, resource: str, obj: JSON, version: str) -> None:
        """Take in an object of a list of this resourceVersion."""
        self._take_in(resource, obj, lambda now: self._events.listed(resource, obj, version, now))

    def replace(self, resource: str, namespace: str, names: Collection[Name], version: str) -> None:
        """A list has ended: what is not on it is gone. An empty namespace means all."""
        self._events.retain(resource, names, version, self._now(), namespace)
        self._changed()

    def absent(self, resource: str) -> None:
        """The API server does not serve the resource."""
        self._events.absent(resource, self._now())
        self._changed()

    def _take_in(self, resource: str, obj: JSON, take_in: Callable[[float], None]) -> None:
        self.received[resource] += 1
        try:
            take_in(self._now())
        except Exception:
            metadata = obj.get("metadata") or {}
            name = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}".lstrip("/")
            logger.exception("cannot read %s %s: it is left out", resource, name)
        self._changed()


def name_of(obj: JSON) -> Name:
    """Namespace (empty if there is none) and name."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
