"""Kubernetes Events as client-go's recorder writes them.

Repetitions are counted, many that are alike become one, floods are held back.

https://github.com/kubernetes/client-go/blob/v0.34.4/tools/record/events_cache.go
"""

from collections import OrderedDict

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock

NORMAL, WARNING = "Normal", "Warning"

BURST = 25
"""Events of a type about an object that are written at once; then one more every five minutes."""
REFILL_SECONDS = 300.0
_REMEMBERED = 4096
SIMILAR = 10
"""So many different messages of one reason about an object become one Event from then on."""
SIMILAR_SECONDS = 600.0
"""After so long without one of them they are Events of their own again."""

_Key = tuple[str, str, str, str, str]


def reference(obj: JSON, field_path: str = "") -> JSON:
    """The involvedObject that means `obj`, or a part of it."""
    meta = obj["metadata"]
    found = {
        "kind": obj["kind"],
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": obj["apiVersion"],
        "resourceVersion": meta["resourceVersion"],
    }
    if not found["namespace"]:
        del found["namespace"]
    if field_path:
        found["fieldPath"] = field_path
    return found


class _Tokens:
    __slots__ = ("left", "since")

    def __init__(self, now: float) -> None:
        self.left = float(BURST)
        self.since = now


class _Seen:
    """How often an Event came, also while it was held back, and what was written of it."""

    __slots__ = ("count", "written")

    def __init__(self) -> None:
        self.count = 0
        self.written: JSON | None = None


class _Similar:
    """The different messages of one reason about an object, the oldest first."""

    __slots__ = ("messages", "since")

    def __init__(self) -> None:
        self.messages: tuple[str, ...] = ()
        self.since = 0.0


class EventRecorder:
    """Writes Events in the name of a component; an Event that cannot be written is lost."""

    def __init__(self, clock: Clock, api: APIServer, component: str, host: str = "") -> None:
        self._clock = clock
        self._api = api
        self._component = component
        self._source = {"component": component, "host": host} if host else {"component": component}
        self._user = component
        # As in client-go, only the most recent are remembered.
        self._seen: OrderedDict[_Key, _Seen] = OrderedDict()
        self._tokens: OrderedDict[tuple[str, str], _Tokens] = OrderedDict()
        self._similar: OrderedDict[tuple[str, str, str], _Similar] = OrderedDict()
        self._number = 0

    def event(self, involved: JSON, kind: str, reason: str, message: str) -> None:
        """Record that something happened; `kind` is Normal or Warning."""
        uid = involved.get("uid") or involved["name"]
        key = (uid, involved.get("fieldPath", ""), kind, reason, message)
        if self._is_one_of_many(uid, kind, reason, message):
            key = (uid, "", kind, reason, "")
            message = f"(combined from similar events): {message}"
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = _Seen()
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        seen.count += 1
        if not self._permitted((uid, kind)):
            return
        try:
            if seen.written is None:
                seen.written = self._create(involved, kind, reason, message, seen.count)
            else:
                self._repeat(seen.written, seen.count, message)
        except (APIError, CallTimeoutError):
            seen.written = None

    def _create(self, involved: JSON, kind: str, reason: str, message: str, count: int) -> JSON:
        self._number += 1
        now = self._clock.timestamp()
        nanoseconds = int(self._clock.unix_time * 1e6) * 1000
        namespace = involved.get("namespace") or "default"
        event = {
            "metadata": {
                # Names in the order of time, in which Events of the same second are shown.
                "name": f"{involved['name']}.{nanoseconds:x}{self._number:06x}",
                "namespace": namespace,
            },
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "source": self._source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": count,
            "type": kind,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._source.get("host", ""),
        }
        return self._api.create("events", event, namespace=namespace, user=self._user)

    def _repeat(self, written: JSON, count: int, message: str) -> None:
        """Count an Event again; one that has expired is created again under its old name."""
        namespace, name = written["metadata"]["namespace"], written["metadata"]["name"]
        again = {
            "count": count,
            "lastTimestamp": self._clock.timestamp(),
            "message": message,
        }
        try:
            self._api.patch("events", namespace, name, again, user=self._user)
        except APIError as error:
            if error.code != 404:
                raise
            anew = {**written, **again, "metadata": {"name": name, "namespace": namespace}}
            self._api.create("events", anew, namespace=namespace, user=self._user)

    def _is_one_of_many(self, uid: str, kind: str, reason: str, message: str) -> bool:
        key, now = (uid, kind, reason), self._clock.now
        similar = self._similar.get(key)
        if similar is None or now - similar.since > SIMILAR_SECONDS:
            similar = self._similar[key] = _Similar()
            if len(self._similar) > _REMEMBERED:
                self._similar.popitem(last=False)
        if message not in similar.messages:
            similar.messages += (message,)
        similar.since = now
        if len(similar.messages) < SIMILAR:
            return False
        # The real recorder forgets any of them, by chance.
        similar.messages = similar.messages[1:]
        return True

    def _permitted(self, about: tuple[str, str]) -> bool:
        now = self._clock.now
        tokens = self._tokens.get(about)
        if tokens is None:
            tokens = self._tokens[about] = _Tokens(now)
            if len(self._tokens) > _REMEMBERED:
                self._tokens.popitem(last=False)
        tokens.left = min(float(BURST), tokens.left + (now - tokens.since) / REFILL_SECONDS)
        tokens.since = now
        if tokens.left < 1:
            return False
        tokens.left -= 1
        return True
