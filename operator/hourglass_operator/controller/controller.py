"""Cache, queue and pass put together; whoever runs it brings the time and performs the plans."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hourglass_operator.controller.cache import Cache, Name, UnreadableObjectsError
from hourglass_operator.controller.explanations import Explanations
from hourglass_operator.controller.observe import observe
from hourglass_operator.controller.plan import Memory, Outcome, Plan
from hourglass_operator.controller.priority import priority
from hourglass_operator.controller.queue import Priority, WorkQueue
from hourglass_operator.controller.reconcile import reconcile
from hourglass_operator.controller.resolve import SpecResolver
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.views import Key
from hourglass_operator.controller.write_results import WriteResult, write_result
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_statemachine import Lifecycle

_NOTHING = Memory()
_LIFECYCLE = Lifecycle()
"""It keeps nothing between two passes, and takes a while to make."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass over `key` and what it wants done."""

    key: Key
    plan: Plan


class Controller:
    """Feed it watch events, take passes from it, report what became of their writes.

    Times are seconds since the Unix epoch and are handed in. For each pass taken, `finish` must be
    called once, also when its writes failed; until then no other pass for the same key is given.
    """

    def __init__(self, catalogue: Catalogue, settings: Settings) -> None:
        self.cache = Cache()
        self.queue: WorkQueue[Key] = WorkQueue(settings.retry_base, settings.retry_limit)
        self._settings = settings
        self._specs = SpecResolver(catalogue)
        self._explanations = Explanations()
        self._memory: dict[Key, Memory] = {}

    def watched(self, resource: str, event: str, obj: Mapping[str, Any], now: float) -> None:
        """Take in a watch event: ADDED, MODIFIED or DELETED."""
        affected = self.cache.watched(resource, event, obj)
        if event == "DELETED":
            self._forget_left_over(resource, affected)
        self._enqueue(resource, affected, now)

    def listed(
        self, resource: str, objects: Iterable[Mapping[str, Any]], version: str, now: float
    ) -> None:
        """Take in a list of all objects of a resource and the resourceVersion it is of.

        Raises UnreadableObjectsError, after all others have been taken in, if there are some that
        cannot be.
        """
        try:
            affected = self.cache.listed(resource, objects, version)
        except UnreadableObjectsError as error:
            self._enqueue(resource, error.affected, now)
            raise
        self._enqueue(resource, affected, now)

    def remain(
        self, resource: str, names: Collection[Name], version: str, now: float, namespace: str = ""
    ) -> None:
        """Take in the names of all objects of a resource: whatever is not among them is gone.

        All of one namespace, or of the cluster if that is empty.
        """
        affected = self.cache.remain(resource, names, version, namespace)
        self._forget_left_over(resource, affected)
        self._enqueue(resource, affected, now)

    def forget(self, now: float) -> None:
        """Forget what is remembered between passes and make a pass over every Performer.

        After the clock was set, and when another process has written in between.
        """
        self._memory.clear()
        for key in self.cache.performers:
            self.queue.forget(key)
            self.queue.add(key, now, self._priority(key))

    def take(self, now: float) -> Pass | None:
        """The next pass that is due, None if none is."""
        key = self.queue.get(now)
        if key is None:
            return None
        try:
            return Pass(key, self.plan(key, now))
        except Exception:
            # A Performer that no pass can be made of must not stop the others.
            self.queue.add_rate_limited(key, now)
            self.queue.done(key)
            raise

    def plan(self, key: Key, now: float) -> Plan:
        """What a pass over `key` would write; changes nothing."""
        memory = self._memory.get(key, _NOTHING)
        seen = observe(self.cache, key, memory, self._specs, now)
        if seen is None:
            return Plan()
        return reconcile(seen, _LIFECYCLE, self._explanations, self._settings)

    def finish(self, done: Pass, outcomes: Sequence[Outcome], now: float) -> None:
        """Take in what the API server answered; `outcomes` ends with the first failure, if any.

        Fewer outcomes than writes without a failure mean that a write broke off: it is tried again
        as one that failed. After a create that found the name taken (409, AlreadyExists), the
        outcome's body must be the object that has the name.
        """
        try:
            self._take_in(done, outcomes, now)
        except Exception:
            # An answer that nothing can be made of must not keep the key from its next pass.
            self.queue.add_rate_limited(done.key, now)
            raise
        finally:
            self.queue.done(done.key)

    def _take_in(self, done: Pass, outcomes: Sequence[Outcome], now: float) -> None:
        key, memory = done.key, done.plan.memory
        succeeded = all(outcome.succeeded for outcome in outcomes)
        broken_off = succeeded and len(outcomes) < len(done.plan.writes)
        retry = broken_off
        for outcome in outcomes:
            performer = self.cache.performers.get(key)
            if performer is None:
                break
            result = write_result(outcome, performer, memory.refusals, self._settings, now)
            memory = replace(memory, refusals=result.refusals)
            retry = retry or result.retry
            self._enqueue(outcome.write.resource, self._update_cache(outcome, result), now)
        if memory.refusals != done.plan.memory.refusals:
            self.queue.add(key, now, self._priority(key))
        self._remember(key, memory)
        # A pass that only waits for the moment to write has not succeeded in anything yet.
        if succeeded and not broken_off and (outcomes or memory == _NOTHING):
            self.queue.forget(key)
        asked = max((outcome.retry_after for outcome in outcomes), default=0.0)
        if asked > 0:
            self.queue.hold(key, now + min(asked, self._settings.retry_limit))
        if retry:
            # The retry comes to everything that the plan would have woken up for.
            self.queue.add_rate_limited(key, now, self._priority(key))
        elif done.plan.wake_at is not None:
            # Nothing has changed by then: what waits, most often a status, can wait for its turn.
            self.queue.add(key, done.plan.wake_at)

    def _forget_left_over(self, resource: str, keys: Iterable[Key]) -> None:
        """Something has gone: it may be what an earlier Performer of the name had left."""
        for key in keys:
            memory = self._memory.get(key)
            if memory is not None:
                kept = (r for r in memory.refusals if not (r.transient and r.resource == resource))
                self._remember(key, replace(memory, refusals=tuple(kept)))

    def _update_cache(self, outcome: Outcome, result: WriteResult) -> tuple[Key, ...]:
        write = outcome.write
        if result.gone:
            return self.cache.lost(write.resource, (write.namespace, write.name))
        if outcome.body is None:
            return ()
        if result.exists:
            return self.cache.found(write.resource, outcome.body)
        if outcome.succeeded:
            return self.cache.answered(write.resource, outcome.body)
        return ()

    def _remember(self, key: Key, memory: Memory) -> None:
        if memory == _NOTHING or key not in self.cache.performers:
            self._memory.pop(key, None)
        else:
            self._memory[key] = memory

    def _enqueue(self, resource: str, keys: Iterable[Key], now: float) -> None:
        if resource == "nodes":
            # A node affects every Performer that waits for one, and nodes change many at a time:
            # one pass a moment later is enough, and it rarely brings anybody closer to Running.
            for key in keys:
                self.queue.add(key, now + self._settings.status_delay)
            return
        for key in keys:
            self.queue.add(key, now, self._priority(key))

    def _priority(self, key: Key) -> Priority:
        return priority(self.cache.performers.get(key), has_pods=bool(self.cache.pods(key)))
