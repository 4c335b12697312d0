"""Cache, queue and pass put together; whoever runs it brings the time and performs the plans."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hourglass_operator.controller.cache import Cache
from hourglass_operator.controller.event_handler import EventHandler
from hourglass_operator.controller.explanations import Explanations
from hourglass_operator.controller.memories import NOTHING, Memories
from hourglass_operator.controller.observe import observe
from hourglass_operator.controller.phase_changes import PhaseChanges
from hourglass_operator.controller.plan import WHAT_THE_CORE_OFFERS, Found, Outcome, Plan
from hourglass_operator.controller.queue import WorkQueue
from hourglass_operator.controller.reconcile import reconcile
from hourglass_operator.controller.repairs import repaired
from hourglass_operator.controller.resolve import SpecResolver
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.views import Key
from hourglass_operator.controller.write_results import WriteResult, write_result
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_statemachine import Lifecycle

_LIFECYCLE = Lifecycle()
"""It keeps nothing between two passes, and takes a while to make."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass over `key` that began at this time (seconds), and what it wants done.

    `uid`: of the Performer that it was made for, empty if there was none. `forgotten`: how often
    everything had been forgotten by then. `versions`: of the objects that its writes are about, as
    it knew them; 0 for one that it did not know.
    """

    key: Key
    uid: str
    plan: Plan
    began: float
    forgotten: int = 0
    versions: tuple[int, ...] = ()


class Controller:
    """Feed its `event_handler`, take passes from it, report what became of their writes.

    Times are seconds since the Unix epoch and are handed in. For each pass taken, `finish` must be
    called once, also when its writes failed; until then no other pass for the same key is given.
    """

    def __init__(self, catalogue: Catalogue, settings: Settings) -> None:
        self.cache = Cache(catalogue.claimed_attributes)
        self.queue: WorkQueue[Key] = WorkQueue(settings.retry_base, settings.retry_limit)
        self._settings = settings
        self._specs = SpecResolver(catalogue, settings.pod_defaults, settings.disruption_policy)
        self._explanations = Explanations(catalogue)
        self._memories = Memories()
        self._phase_changes = PhaseChanges(settings.status_limit)
        self._forgotten = 0
        self.event_handler = EventHandler(
            self.cache, self.queue, self._memories, self._phase_changes, settings.node_delay
        )
        """Where informers put what they see."""

    def forget(self, now: float) -> None:
        """Forget what is remembered between passes and make a pass over every Performer.

        After the clock was set, and when another process has written in between.
        """
        self._memories.clear()
        self._phase_changes.clear()
        self._forgotten += 1
        for key in self.cache.performers:
            self.queue.forget(key)
            self.queue.add(key, now, self.event_handler.priority(key))

    def take(self, now: float) -> Pass | None:
        """The next pass that is due, None if none is."""
        key = self.queue.get(now)
        if key is None:
            return None
        try:
            performer = self.cache.performers.get(key)
            uid = performer.uid if performer else ""
            plan = self.plan(key, now)
        except Exception:
            # A Performer that no pass can be made of must not stop the others.
            self.queue.add_rate_limited(key, now)
            self.queue.done(key)
            raise
        if plan.waits_for is not None:
            self.event_handler.follow(key, plan.waits_for)
        return Pass(key, uid, plan, now, self._forgotten, self.versions(plan))

    def plan(self, key: Key, now: float) -> Plan:
        """What a pass over `key` would write; changes nothing."""
        performer = self.cache.performers.get(key)
        memory = self._memories.get(key, performer.uid if performer else "")
        rests_until = self._phase_changes.rests_until(key)
        refused = self._memories.refused
        seen = observe(self.cache, key, memory, self._specs, now, rests_until, refused)
        if seen is None:
            return Plan()
        return reconcile(seen, _LIFECYCLE, self._explanations, self._settings)

    def versions(self, plan: Plan) -> tuple[int, ...]:
        """Of the objects that the writes of a plan are about, as they are known; 0 for others."""
        return tuple(
            self.cache.version(write.resource, (write.namespace, write.name))
            for write in plan.writes
        )

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

    def finish_reads(self, done: Pass, answers: Sequence[Found], now: float) -> None:
        """Take in what was read for a pass that had nothing but reads."""
        key = done.key
        try:
            for answer in answers:
                if answer.objects is None:
                    self.queue.add_rate_limited(key, now, self.event_handler.priority(key))
                    continue
                if answer.read == WHAT_THE_CORE_OFFERS:
                    self.cache.discovery.take_in(answer.objects, now)
                    self.queue.add(key, now, self.event_handler.priority(key))
                    continue
                affected = self.cache.read(answer.read, answer.objects)
                self.event_handler.enqueue(answer.read.resource, affected, now)
        except Exception:
            self.queue.add_rate_limited(key, now)
            raise
        finally:
            self.queue.done(key)

    def _take_in(self, done: Pass, outcomes: Sequence[Outcome], now: float) -> None:
        key, memory = done.key, done.plan.memory
        current = self.cache.performers.get(key)
        if current is not None and current.uid != done.uid:
            # What the answers say of the earlier Performer of this name is not true of this one.
            self._memories.put(key, done.uid, NOTHING)
            self.queue.forget(key)
            self.queue.add(key, now, self.event_handler.priority(key))
            return
        succeeded = all(outcome.succeeded for outcome in outcomes)
        broken_off = succeeded and len(outcomes) < len(done.plan.writes)
        retry = broken_off
        for outcome, seen in zip(outcomes, done.versions, strict=False):
            performer = self.cache.performers.get(key)
            if performer is None:
                break
            result = write_result(outcome, performer, memory.refusals, self._settings, now)
            memory = replace(
                memory,
                refusals=result.refusals,
                repairs=repaired(memory.repairs, outcome, now),
            )
            retry = retry or result.retry
            affected = self._update_cache(outcome, result, seen)
            self.event_handler.phase_seen(key, performer, now)
            self.event_handler.enqueue(outcome.write.resource, affected, now)
        before = done.plan.memory
        if (memory.repairs, memory.refusals) != (before.repairs, before.refusals):
            # What follows from an answer that has changed no object, no event brings up.
            self.queue.add(key, now, self.event_handler.priority(key))
        # What a pass remembers that began before everything was forgotten is of another time.
        known = key in self.cache.performers and done.forgotten == self._forgotten
        self._memories.put(key, done.uid, memory if known else NOTHING)
        # A pass that only waits for the moment to write has not succeeded in anything yet.
        if succeeded and not broken_off and (outcomes or not memory.waits):
            self.queue.forget(key)
        asked = max((outcome.retry_after for outcome in outcomes), default=0.0)
        if asked > 0:
            self.queue.hold(key, now + min(asked, self._settings.retry_limit))
        if retry:
            # The retry comes to everything that the plan would have woken up for.
            self.queue.add_rate_limited(key, now, self.event_handler.priority(key))
        elif done.plan.requeue_after is not None:
            # Nothing has changed by then: what waits, most often a status, can wait for its turn.
            self.queue.add(key, done.began + done.plan.requeue_after)

    def _update_cache(self, outcome: Outcome, result: WriteResult, seen: int) -> tuple[Key, ...]:
        write = outcome.write
        if result.gone and outcome.body is not None:
            return self.cache.watched(write.resource, "DELETED", outcome.body)
        if result.gone:
            return self.cache.lost(write.resource, (write.namespace, write.name), seen)
        if outcome.body is None:
            return ()
        if result.exists:
            return self.cache.found(write.resource, outcome.body)
        if outcome.succeeded:
            return self.cache.answered(write.resource, outcome.body)
        return ()
