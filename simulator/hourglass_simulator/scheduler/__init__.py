"""The simulated kube-scheduler: filters, scores, preemption, with the sentences of 1.34."""

from hourglass_simulator.scheduler.scheduler import Scheduler

__all__ = ["Scheduler"]
