"""The operator names what it deletes, and knows what it was answered."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from hourglass_operator.transport.calls import Request
from hourglass_simulator.scenario.backend import Write
from hourglass_simulator.scenario.expect import Mismatch
from hourglass_simulator.scenario.history import History, Key, key_of
from hourglass_simulator.search.monitors.monitor import Judge, Monitor, Seen
from hourglass_simulator.search.objects import OPERATOR, performer_uid

_CREATED, _TAKEN = 201, 409
_MADE = ("pods", "services")


class AnswersMonitor(Monitor):
    """A deletion says by uid of which pod; no process creates again what it has made or found."""

    oracle = "answers"

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._process = ""
        """Whose call is answered next."""
        self._answered: dict[tuple[str, Key], set[str]] = {}
        """Processes that were answered that an object, by resource and key, is there."""

    @property
    def changes(self) -> Mapping[str, Judge]:
        """See Monitor."""
        return {resource: partial(self._changed, resource) for resource in _MADE}

    def asks(self, process: str, request: Request) -> Iterator[Mismatch]:
        """See Monitor."""
        self._process = process
        is_deletion = (request.verb, request.resource) == ("delete", "pods")
        if is_deletion and "uid" not in (request.body or {}).get("preconditions", {}):
            subject = f"pod {request.namespace}/{request.name}"
            yield Mismatch(subject, "a deletion says by uid of which pod", "it names no uid")

    def wrote(self, write: Write) -> Iterator[Mismatch]:
        """See Monitor."""
        if write.verb != "create" or write.resource not in _MADE:
            return
        key = (write.namespace, write.name)
        answered = self._answered.setdefault((write.resource, key), set())
        if write.code == _CREATED:
            answered.add(self._process)
        elif write.code == _TAKEN and self._is_of_performer(write.resource, key):
            if self._process in answered:
                subject = f"{write.resource[:-1]} {write.namespace}/{write.name}"
                expected = "a process does not create what an answer said to be there"
                yield Mismatch(subject, expected, "it was created again")
            answered.add(self._process)

    def _changed(self, resource: str, seen: Seen) -> Iterable[Mismatch]:
        # The watch may say of what a stranger has edited that it is gone.
        if seen.type == "DELETED" or (seen.before is not None and seen.by != OPERATOR):
            of = ("labels", "ownerReferences")
            before, now = ((obj or {}).get("metadata", {}) for obj in (seen.before, seen.object))
            if seen.type == "DELETED" or any(before.get(each) != now.get(each) for each in of):
                self._answered.pop((resource, key_of(seen.object)), None)
        return ()

    def _is_of_performer(self, resource: str, key: Key) -> bool:
        """It is there, and of a Performer that is there."""
        found = self.history.get(resource, key)
        uids = {each["metadata"]["uid"] for each in self.history.objects("performers")}
        return found is not None and performer_uid(found) in uids
