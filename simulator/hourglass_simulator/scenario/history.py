"""What has happened so far in a scenario: the objects as they are, and how they came to be so."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.backend import Change, Write

Key = tuple[str, str]
"""Namespace and name."""

NAME_LABEL = "performer-name"
SERVICE_LABEL = "kubernetes.io/service-name"


def key_of(obj: JSON) -> Key:
    """Namespace ("" if it has none) and name of an object."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def condition_of(performer: JSON, type_: str) -> JSON | None:
    """A condition of the status, by its type."""
    conditions: list[JSON] = performer.get("status", {}).get("conditions", [])
    return next((found for found in conditions if found["type"] == type_), None)


@dataclass(slots=True)
class PerformerPast:
    """What a Performer has been through since its creation."""

    uid: str
    phases: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """Of its Ready condition."""
    pods: set[str] = field(default_factory=set)
    """Uids."""
    events: dict[str, dict[str, int]] = field(default_factory=dict)
    """Reason → name of the Event → its count."""


@dataclass(slots=True)
class Mark:
    """The moment just before the last step that did something."""

    writes: int = 0
    pod_names: dict[Key, str] = field(default_factory=dict)
    served: set[Key] = field(default_factory=set)
    """Services that had a ready endpoint then and at every moment since."""


class History:
    """Fed by a backend; expectations are judged by it.

    `now` reads the backend's clock: seconds since the start of the scenario.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.version = 0
        """Goes up with everything that happens."""
        self.records: list[Change | Write] = []
        self.writes: list[Write] = []
        """Calls that keep a Lease do not count."""
        self.mark = Mark()
        self._now = now
        self._objects: dict[str, dict[Key, JSON]] = {}
        self._owned: dict[tuple[str, Key], dict[Key, JSON]] = {}
        self._pasts: dict[Key, PerformerPast] = {}
        self._serving: set[Key] = set()

    @property
    def now(self) -> float:
        """Seconds since the start of the scenario."""
        return self._now()

    @property
    def last_write(self) -> float:
        """When the operator wrote last; 0, the start, if it never did."""
        return self.writes[-1].time if self.writes else 0.0

    def changed(self, change: Change) -> None:
        """Take in a change of an object."""
        self.version += 1
        self.records.append(change)
        key = key_of(change.object)
        self._place(change, key)
        if change.resource == "performers":
            self._performer(key, change.object)
        elif change.resource == "pods":
            self._pod(change.object)
        elif change.resource == "events":
            self._event(key, change.object)
        elif change.resource == "endpointslices":
            self._slice(key, change.object)

    def wrote(self, write: Write) -> None:
        """Take in a mutating call of the operator."""
        if write.resource == "leases":
            return
        self.version += 1
        self.records.append(write)
        self.writes.append(write)

    def act(self) -> None:
        """A step is about to do something: `since the last step that did something` is now."""
        self.mark = Mark(
            writes=len(self.writes),
            pod_names={key: pod_name(found) for key, found in self._of("performers").items()},
            served=set(self._serving),
        )

    def objects(self, resource: str) -> Iterator[JSON]:
        """The objects of a resource that exist now, sorted by namespace and name."""
        found = self._of(resource)
        return (found[key] for key in sorted(found))

    def get(self, resource: str, key: Key) -> JSON | None:
        """An object, if it exists now."""
        return self._of(resource).get(key)

    def past(self, key: Key) -> PerformerPast:
        """What a Performer, or the last one that had this name, has been through."""
        return self._pasts.get(key) or PerformerPast("")

    def belonging(self, resource: str, performer: Key) -> list[JSON]:
        """Pods or services with a Performer's labels."""
        owned = self._owned.get((resource, performer), {})
        return [owned[key] for key in sorted(owned)]

    def serving(self, service: Key) -> bool:
        """Whether a Service has a ready endpoint now."""
        return service in self._serving

    def served_throughout(self, service: Key) -> bool:
        """Whether a Service had a ready endpoint at every moment since the mark."""
        return service in self.mark.served

    def _of(self, resource: str) -> dict[Key, JSON]:
        return self._objects.get(resource, {})

    def _place(self, change: Change, key: Key) -> None:
        objects = self._objects.setdefault(change.resource, {})
        before = objects.pop(key, None)
        if before is not None:
            self._owned.get((change.resource, _performer_of(before)), {}).pop(key, None)
        if change.type != "DELETED":
            objects[key] = change.object
            performer = _performer_of(change.object)
            self._owned.setdefault((change.resource, performer), {})[key] = change.object

    def _performer(self, key: Key, obj: JSON) -> None:
        past = self._pasts.get(key)
        if past is None or past.uid != obj["metadata"]["uid"]:
            past = self._pasts[key] = PerformerPast(obj["metadata"]["uid"])
        phase = obj.get("status", {}).get("phase")
        if phase and past.phases[-1:] != [phase]:
            past.phases.append(phase)
        ready = condition_of(obj, "Ready")
        if ready and past.reasons[-1:] != [ready["reason"]]:
            past.reasons.append(ready["reason"])

    def _pod(self, obj: JSON) -> None:
        past = self._pasts.get(_performer_of(obj))
        if past is not None:
            past.pods.add(obj["metadata"]["uid"])

    def _event(self, key: Key, obj: JSON) -> None:
        about = obj.get("involvedObject", {})
        past = self._pasts.get((about.get("namespace", ""), about.get("name", "")))
        if past is not None and about.get("uid") == past.uid:
            past.events.setdefault(obj.get("reason", ""), {})[key[1]] = obj.get("count") or 1

    def _slice(self, key: Key, obj: JSON) -> None:
        service = key[0], obj["metadata"].get("labels", {}).get(SERVICE_LABEL, "")
        serving = any(
            _has_ready_endpoint(found)
            for (space, _), found in self._of("endpointslices").items()
            if space == service[0]
            and found["metadata"].get("labels", {}).get(SERVICE_LABEL) == service[1]
        )
        if serving:
            self._serving.add(service)
        else:
            self._serving.discard(service)
            self.mark.served.discard(service)


def _performer_of(obj: JSON) -> Key:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata.get("labels", {}).get(NAME_LABEL, "")


def pod_name(performer: JSON) -> str:
    """`status.podName`, "" if it is not set."""
    found: str = performer.get("status", {}).get("podName", "")
    return found


def _has_ready_endpoint(endpoint_slice: JSON) -> bool:
    # `ready: null` means ready:
    # https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#ready
    return any(
        endpoint.get("conditions", {}).get("ready") is not False
        for endpoint in endpoint_slice.get("endpoints") or []
    )
