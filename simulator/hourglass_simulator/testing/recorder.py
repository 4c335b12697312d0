"""Writes down what happens in a cluster."""

from functools import partial

from hourglass_simulator.apiserver import APIServer, Audit, WatchEvent
from hourglass_simulator.apiserver.definitions import PLURAL as DEFINITIONS
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.testing.timeline import SILENT, Entry, Key, Timeline
from hourglass_simulator.testing.writes import Write


class Recorder:
    """`writes` are those of clients, the cluster's own components left out."""

    def __init__(self, api: APIServer) -> None:
        self.writes: list[Write] = []
        self._api = api
        self._timeline = Timeline()
        self._watched: dict[str, Resource] = {}
        self._watch_all()
        api.auditors.append(self._audit)

    @property
    def entries(self) -> list[Entry]:
        """The timeline so far."""
        return self._timeline.entries

    def family(self, key: Key) -> set[Key]:
        """An object and all that it owned at any time."""
        return self._timeline.family(key)

    def forget(self) -> None:
        """Begin anew: what has happened so far belongs to the start of the cluster."""
        self.writes.clear()
        self._timeline.entries.clear()

    def _watch_all(self) -> None:
        served = {resource.name: resource for resource in self._api.resources()}
        new = served.keys() - self._watched.keys()
        self._watched = served
        # A watch of Leases would let every node renew its own every ten seconds.
        for name in sorted(new - SILENT):
            self._api.watch(name, sink=partial(self._changed, served[name]))

    def _changed(self, resource: Resource, event: WatchEvent) -> None:
        self._timeline.change(self._api.clock.now, resource, event, by=self._api.requesting)

    def _audit(self, audit: Audit) -> None:
        call = audit.call
        if call.resource == DEFINITIONS:
            # Its objects are served from now on, or no more.
            self._watch_all()
        if not self._api.requesting or self._api.dry:
            return
        resource = "/".join(part for part in (call.resource, call.subresource) if part)
        write = Write(
            audit.time, call.user, call.verb, resource, call.namespace, call.name, audit.code
        )
        self.writes.append(write)
        if write.refused and call.resource not in SILENT:
            known = self._watched.get(call.resource)
            kind = known.kind if known else call.resource
            text = f"{call.user}: {call.verb} {resource} → {write.answer}"
            self.entries.append(Entry(audit.time, kind, call.namespace, call.name, text))
