"""The transition table brought to life with `transitions`."""

from dataclasses import dataclass

from transitions import EventData, Machine

from hourglass_statemachine.facts import Facts
from hourglass_statemachine.phase import Phase
from hourglass_statemachine.table import TABLE, TRIGGERS


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was taken, as the table names it."""

    trigger: str
    source: Phase
    dest: Phase


class Lifecycle:
    """Walks the transition table; one instance serves any number of Performers in turn."""

    state: str

    def __init__(self) -> None:
        guards = {
            trigger.name: lambda event, holds=trigger.holds: holds(event.kwargs["facts"])
            for trigger in TRIGGERS
        }
        self._machine = Machine(
            model=self,
            states=[phase.value for phase in Phase],
            initial=Phase.PENDING.value,
            transitions=[
                {
                    "trigger": row.trigger.name,
                    "source": row.source.value,
                    "dest": row.trigger.dest.value,
                    "conditions": guards[row.trigger.name],
                }
                for row in TABLE
            ],
            auto_transitions=False,
            send_event=True,
            after_state_change=self._record,
        )
        self._steps: list[Step] = []

    def _record(self, event: EventData) -> None:
        transition = event.transition
        assert transition is not None  # a state that changed changed by a transition
        dest = Phase(str(transition.dest))
        self._steps.append(Step(event.event.name, Phase(transition.source), dest))

    def advance(self, stored: str | None, facts: Facts) -> tuple[Phase, tuple[Step, ...]]:
        """The phase that `facts` ask for and the steps that lead to it from the `stored` one.

        A stored phase that is empty, unknown, or Terminating without a deletion (nobody but a
        stranger writes that: a deletion is never taken back) starts over from Pending.
        """
        known = stored in Phase.__members__.values()
        if not known or (stored == Phase.TERMINATING and not facts.deleting):
            stored = Phase.PENDING
        if any(trigger.dest == stored and trigger.holds(facts) for trigger in TRIGGERS):
            # Exactly one trigger holds for any facts: there is nothing to walk.
            return Phase(str(stored)), ()
        self._machine.set_state(str(stored))
        self._steps.clear()
        while any(
            self._machine.events[name].trigger(self, facts=facts)
            for name in self._machine.get_triggers(self.state)
        ):
            pass
        return Phase(self.state), tuple(self._steps)
