"""Cache, queue and pass put together; whoever runs it brings the time and performs the plans."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from hourglass_operator.controller.assess import assess
from hourglass_operator.controller.cache import Cache, Name
from hourglass_operator.controller.decide import decide
from hourglass_operator.controller.learn import Lesson, learn
from hourglass_operator.controller.observe import observe
from hourglass_operator.controller.plan import Memory, Outcome, Plan
from hourglass_operator.controller.queue import WorkQueue
from hourglass_operator.controller.settings import Settings
from hourglass_operator.controller.views import JSON, Key
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_statemachine import Lifecycle

_NOTHING = Memory()


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
        self._catalogue = catalogue
        self._settings = settings
        self._lifecycle = Lifecycle()
        self._memory: dict[Key, Memory] = {}

    def watched(self, resource: str, event: str, obj: JSON, now: float) -> None:
        """Take in a watch event: ADDED, MODIFIED or DELETED.

        A node concerns every Performer that waits for one, and nodes change many at a time: their
        changes are looked at together a moment later.
        """
        when = now + self._settings.status_delay if resource == "nodes" else now
        concerned = tuple(self.cache.watched(resource, event, obj))
        if event == "DELETED":
            self._made_room(resource, concerned)
        self._concerns(concerned, when)

    def listed(self, resource: str, objects: Iterable[JSON], version: str, now: float) -> None:
        """Take in a list of all objects of a resource and the resourceVersion it is of."""
        self._concerns(self.cache.listed(resource, objects, version), now)

    def remain(
        self, resource: str, names: Collection[Name], version: str, now: float, namespace: str = ""
    ) -> None:
        """Take in the names of all objects of a resource: whatever is not among them is gone.

        All of one namespace, or of the cluster if that is empty.
        """
        concerned = tuple(self.cache.remain(resource, names, version, namespace))
        self._made_room(resource, concerned)
        self._concerns(concerned, now)

    def forget(self, now: float) -> None:
        """Forget what is remembered between passes and look at every Performer anew.

        After the clock was set, and when another process has written in between.
        """
        self._memory.clear()
        for key in self.cache.performers:
            self.queue.forgive(key)
            self.queue.add(key, now)

    def take(self, now: float) -> Pass | None:
        """The next pass that is due, None if none is."""
        key = self.queue.take(now)
        if key is None:
            return None
        try:
            return Pass(key, self.plan(key, now))
        except Exception:
            # A Performer that no pass can be made of must not stop the others.
            self.queue.retry(key, now)
            self.queue.done(key)
            raise

    def plan(self, key: Key, now: float) -> Plan:
        """Observe, assess, advance, decide; changes nothing."""
        seen = observe(self.cache, key, self._memory.get(key, _NOTHING), now)
        if seen is None:
            return Plan()
        facts = assess(seen, self._catalogue)
        phase, steps = self._lifecycle.advance(seen.status.phase, facts)
        return decide(seen, facts, phase, steps, self._catalogue, self._settings)

    def finish(self, done: Pass, outcomes: Sequence[Outcome], now: float) -> None:
        """Learn from what the API server said; `outcomes` ends with the first failure, if any.

        After a create that found the name taken (409, AlreadyExists), the outcome's body must be
        the object that has the name.
        """
        try:
            self._learn(done, outcomes, now)
        except Exception:
            # An answer that nothing can be made of must not keep the key from its next pass.
            self.queue.retry(done.key, now)
            raise
        finally:
            self.queue.done(done.key)

    def _learn(self, done: Pass, outcomes: Sequence[Outcome], now: float) -> None:
        key, memory, retry = done.key, done.plan.memory, False
        for outcome in outcomes:
            performer = self.cache.performers.get(key)
            if performer is None:
                break
            lesson = learn(outcome, performer, memory.refusals, self._settings, now)
            memory = replace(memory, refusals=lesson.refusals)
            retry = retry or lesson.retry
            self._concerns(self._news(outcome, lesson), now)
        if memory.refusals != done.plan.memory.refusals:
            self.queue.add(key, now)
        self._remember(key, memory)
        # A pass that only waits for the moment to write has not succeeded in anything yet.
        if all(outcome.succeeded for outcome in outcomes) and (outcomes or memory == _NOTHING):
            self.queue.forgive(key)
        asked = max((outcome.retry_after for outcome in outcomes), default=0.0)
        if asked > 0:
            self.queue.hold(key, now + min(asked, self._settings.retry_limit))
        if retry:
            # The retry comes to everything that the plan would have woken up for.
            self.queue.retry(key, now)
        elif done.plan.wake_at is not None:
            self.queue.add(key, done.plan.wake_at)

    def _made_room(self, resource: str, keys: Iterable[Key]) -> None:
        """Something has gone: it may be what an earlier Performer of the name had left."""
        for key in keys:
            memory = self._memory.get(key, _NOTHING)
            left = (r for r in memory.refusals if not (r.passing and r.resource == resource))
            self._remember(key, replace(memory, refusals=tuple(left)))

    def _news(self, outcome: Outcome, lesson: Lesson) -> tuple[Key, ...]:
        write = outcome.write
        if lesson.gone:
            return self.cache.lost(write.resource, (write.namespace, write.name))
        if outcome.body is None:
            return ()
        if lesson.exists:
            return self.cache.found(write.resource, outcome.body)
        if outcome.succeeded:
            return self.cache.answered(write.resource, outcome.body)
        return ()

    def _remember(self, key: Key, memory: Memory) -> None:
        if memory == _NOTHING or key not in self.cache.performers:
            self._memory.pop(key, None)
        else:
            self._memory[key] = memory

    def _concerns(self, keys: Iterable[Key], now: float) -> None:
        for key in keys:
            self.queue.add(key, now)
