"""What has left a selective watch and is not known to be gone: it is yet to be read."""

from collections.abc import Mapping
from typing import Any

from hourglass_operator.controller.plan import Read
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.views import Key
from hourglass_operator.resources import names
from hourglass_operator.resources.service import ServiceView

LastSeen = PodView | ServiceView | None


class Unread:
    """What is to be read for each Performer, and as what it was seen last, if it was."""

    def __init__(self) -> None:
        self._of: dict[Key, dict[Read, LastSeen]] = {}

    def add(self, key: Key, read: Read, last_seen: LastSeen = None) -> None:
        """Ask for it to be read."""
        reads = self._of.setdefault(key, {})
        reads[read] = last_seen or reads.get(read)

    def of(self, key: Key) -> tuple[Read, ...]:
        """What is to be read for a Performer, sorted."""
        return tuple(sorted(self._of.get(key, ())))

    def discard(self, key: Key, read: Read) -> LastSeen:
        """It need not be read any more; as what it was seen last."""
        reads = self._of.get(key)
        if reads is None or read not in reads:
            return None
        last_seen = reads.pop(read)
        if not reads:
            del self._of[key]
        return last_seen


def key_of(read: Read) -> Key | None:
    """The Performer for which something is read; None if no Performer has such names."""
    # The Go operator's one pod is called like the Service.
    parsed = names.parse_pod_name(read.name) if read.resource == "pods" else None
    performer = parsed.performer if parsed else names.performer_of_service(read.name)
    return None if performer is None else (read.namespace, performer)


def was_deleted(obj: Mapping[str, Any]) -> bool:
    """Whether the object of a DELETED event was deleted, for all that can be seen of it.

    An object that stops matching a watch's selector is DELETED for it too, as it was before that
    (https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/storage/cacher/cache_watcher.go).
    What is deleted gracefully has first been marked so, with no time left in the end.
    """
    meta = obj["metadata"]
    return "deletionTimestamp" in meta and not meta.get("deletionGracePeriodSeconds")
