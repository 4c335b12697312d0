"""What has happened so far in a scenario: the objects as they are, and how they came to be so."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.backend import Change, Write

Key = tuple[str, str]
"""Namespace and name."""

NAME_LABEL = "performer-name"
SERVICE_LABEL = "kubernetes.io/service-name"
SERVICE_PREFIX = "performer-"
DEPENDENTS = ("pods", "services")
"""What a Performer owns."""


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


class Affected(NamedTuple):
    """What a change may have an effect on: the object itself, and Performers."""

    resource: str
    key: Key
    performers: tuple[Key, ...]


class History:
    """Fed by a backend; expectations are judged by it.

    `now` reads the backend's clock: seconds since the start of the scenario.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.version = 0
        """Goes up with everything that happens."""
        self.records: list[Change | Write] = []
        self.affected: list[Affected] = []
        """One entry for each change."""
        self.writes: list[Write] = []
        """Calls that keep a Lease do not count."""
        self.writes_before = 0
        """How many writes there were before the last step that did something."""
        self._now = now
        self._objects: dict[str, dict[Key, JSON]] = {}
        self._labelled: dict[tuple[str, Key], dict[Key, JSON]] = {}
        self._dependents: dict[Key, dict[tuple[str, Key], JSON]] = {}
        self._pasts: dict[Key, PerformerPast] = {}
        self._ready_slices: dict[Key, set[Key]] = {}
        # Since the last step that did something:
        self._pod_names_before: dict[Key, str] = {}
        self._interrupted: set[Key] = set()

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
        resource, obj = change.resource, change.object
        key = key_of(obj)
        objects = self._objects.setdefault(resource, {})
        before = objects.pop(key, None)
        if change.type != "DELETED":
            objects[key] = obj
        performers: list[Key] = []
        if resource == "performers":
            performers = [key]
            self._performer(key, before, change)
        elif resource in DEPENDENTS:
            performers = self._dependent(key, before, change)
        elif resource == "events":
            performers = [_involved(obj)]
            self._event(key, obj)
        elif resource == "endpointslices":
            performers = self._slice(key, before, change)
        self.affected.append(Affected(resource, key, tuple(performers)))

    def wrote(self, write: Write) -> None:
        """Take in a mutating call of the operator."""
        if write.resource == "leases":
            return
        self.version += 1
        self.records.append(write)
        self.writes.append(write)

    def act(self) -> None:
        """A step is about to do something: `since the last step that did something` is now."""
        self.writes_before = len(self.writes)
        self._pod_names_before.clear()
        self._interrupted.clear()

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

    def pod_name_before(self, performer: Key) -> str:
        """`status.podName` just before the last step that did something, "" if it was not set."""
        if performer in self._pod_names_before:
            return self._pod_names_before[performer]
        found = self.get("performers", performer)
        return pod_name(found) if found else ""

    def labelled(self, resource: str, performer: Key) -> list[JSON]:
        """Pods or services with a Performer's labels, without what is over."""
        found = self._labelled.get((resource, performer), {})
        return [found[key] for key in sorted(found) if not is_over(found[key])]

    def dependents(self, performer: Key) -> list[tuple[str, JSON]]:
        """Pods and services owned by a Performer of that name: resource and object."""
        found = self._dependents.get(performer, {})
        return [(slot[0], found[slot]) for slot in sorted(found)]

    def serving(self, service: Key) -> bool:
        """Whether a Service has a ready endpoint now."""
        return bool(self._ready_slices.get(service))

    def served_throughout(self, service: Key) -> bool:
        """Whether a Service had a ready endpoint at every moment since the last step."""
        return self.serving(service) and service not in self._interrupted

    def _of(self, resource: str) -> dict[Key, JSON]:
        return self._objects.get(resource, {})

    def _performer(self, key: Key, before: JSON | None, change: Change) -> None:
        obj = change.object
        self._pod_names_before.setdefault(key, pod_name(before) if before else "")
        past = self._pasts.get(key)
        if past is None or past.uid != obj["metadata"]["uid"]:
            past = self._pasts[key] = PerformerPast(obj["metadata"]["uid"])
        phase = obj.get("status", {}).get("phase")
        if phase and past.phases[-1:] != [phase]:
            past.phases.append(phase)
        ready = condition_of(obj, "Ready")
        if ready and past.reasons[-1:] != [ready["reason"]]:
            past.reasons.append(ready["reason"])

    def _dependent(self, key: Key, before: JSON | None, change: Change) -> list[Key]:
        """A pod or a service; the Performers whose labels or references it has or had."""
        resource, obj = change.resource, change.object
        performers = []
        if before is not None:
            performers += [_performer_of(before), *owners(before)]
            self._labelled[resource, _performer_of(before)].pop(key, None)
            for owner in owners(before):
                self._dependents[owner].pop((resource, key), None)
        if change.type != "DELETED":
            performers += [_performer_of(obj), *owners(obj)]
            self._labelled.setdefault((resource, _performer_of(obj)), {})[key] = obj
            for owner in owners(obj):
                self._dependents.setdefault(owner, {})[resource, key] = obj
        past = self._pasts.get(_performer_of(obj))
        if past is not None and resource == "pods":
            past.pods.add(obj["metadata"]["uid"])
        return performers

    def _event(self, key: Key, obj: JSON) -> None:
        past = self._pasts.get(_involved(obj))
        if past is not None and obj["involvedObject"].get("uid") == past.uid:
            past.events.setdefault(obj.get("reason", ""), {})[key[1]] = obj.get("count") or 1

    def _slice(self, key: Key, before: JSON | None, change: Change) -> list[Key]:
        """The Performers behind the Services that it is or was of."""
        services = {_service_of(obj) for obj in (before, change.object) if obj is not None}
        served = {service for service in services if self.serving(service)}
        for service in services:
            self._ready_slices.setdefault(service, set()).discard(key)
        if change.type != "DELETED" and _has_ready_endpoint(change.object):
            self._ready_slices[_service_of(change.object)].add(key)
        self._interrupted |= {s for s in services if self.serving(s) != (s in served)}
        return [performer for service in services for performer in _performer_behind(service)]


def pod_name(performer: JSON) -> str:
    """`status.podName`, "" if it is not set."""
    found: str = performer.get("status", {}).get("podName", "")
    return found


def owners(obj: JSON) -> list[Key]:
    """The Performers that an object names as its owners."""
    metadata = obj["metadata"]
    return [
        (metadata.get("namespace", ""), owner["name"])
        for owner in metadata.get("ownerReferences", ())
        if owner["kind"] == "Performer"
    ]


def is_over(obj: JSON) -> bool:
    """A pod that has ended and is being deleted: only finalizers keep what is left, its object."""
    return "deletionTimestamp" in obj["metadata"] and (
        (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    )


def _performer_of(obj: JSON) -> Key:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata.get("labels", {}).get(NAME_LABEL, "")


def _involved(event: JSON) -> Key:
    about = event.get("involvedObject", {})
    return about.get("namespace", ""), about.get("name", "")


def _service_of(endpoint_slice: JSON) -> Key:
    metadata = endpoint_slice["metadata"]
    return metadata.get("namespace", ""), metadata.get("labels", {}).get(SERVICE_LABEL, "")


def service_of(performer: Key) -> Key:
    """Namespace and name of a Performer's Service."""
    return performer[0], f"{SERVICE_PREFIX}{performer[1]}"


def _performer_behind(service: Key) -> list[Key]:
    namespace, name = service
    named = name.startswith(SERVICE_PREFIX)
    return [(namespace, name.removeprefix(SERVICE_PREFIX))] if named else []


def _has_ready_endpoint(endpoint_slice: JSON) -> bool:
    # `ready: null` means ready:
    # https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#ready
    return any(
        endpoint.get("conditions", {}).get("ready") is not False
        for endpoint in endpoint_slice.get("endpoints") or []
    )
