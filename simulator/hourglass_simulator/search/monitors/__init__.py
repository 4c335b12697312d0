"""Oracles that look at everything that happens: each says what must never be.

They know what the operator promises, and nothing of how it keeps it.
"""

from hourglass_simulator.search.monitors.answers import AnswersMonitor
from hourglass_simulator.search.monitors.attention import AttentionMonitor
from hourglass_simulator.search.monitors.events import EventsMonitor
from hourglass_simulator.search.monitors.finalizer import FinalizerMonitor
from hourglass_simulator.search.monitors.foreign import ForeignMonitor
from hourglass_simulator.search.monitors.monitor import Monitor
from hourglass_simulator.search.monitors.one_pod import OnePodMonitor
from hourglass_simulator.search.monitors.owners import OwnersMonitor
from hourglass_simulator.search.monitors.phases import PhasesMonitor
from hourglass_simulator.search.monitors.replacing import ReplacingMonitor
from hourglass_simulator.search.monitors.serving import ServingMonitor
from hourglass_simulator.search.monitors.times import TimesMonitor
from hourglass_simulator.search.monitors.writes import WritesMonitor

__all__ = ["MONITORS", "Monitor"]

MONITORS: tuple[type[Monitor], ...] = (
    AnswersMonitor,
    AttentionMonitor,
    EventsMonitor,
    FinalizerMonitor,
    ForeignMonitor,
    OnePodMonitor,
    OwnersMonitor,
    PhasesMonitor,
    ReplacingMonitor,
    ServingMonitor,
    TimesMonitor,
    WritesMonitor,
)
"""Each is made anew for a run, with what has happened so far in it."""
