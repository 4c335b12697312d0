"""Plays a scenario on a backend and judges what happens."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from hourglass_simulator.scenario import describe, duration
from hourglass_simulator.scenario.actions import calls
from hourglass_simulator.scenario.backend import Backend, Change, RefusedError, Write
from hourglass_simulator.scenario.evaluation import Evaluation
from hourglass_simulator.scenario.expect import Mismatch, mismatches
from hourglass_simulator.scenario.expectation import Always, Eventually, Expectation, Never
from hourglass_simulator.scenario.history import History
from hourglass_simulator.scenario.load import ScenarioFile
from hourglass_simulator.scenario.model import Scenario
from hourglass_simulator.scenario.result import Result, StepResult
from hourglass_simulator.scenario.step import CHECKS, Step
from hourglass_simulator.scenario.timeline import Entry, TimelineWriter
from hourglass_simulator.scenario.waiting import settle, watch

OBSERVED = ("endpointslices", "events", "nodes", "performers", "pods", "services")


def run(file: ScenarioFile, backend: Backend, seed: int = 0) -> Result:
    """Play a scenario to its end; a step that fails does not end it.

    The seed is only noted: whoever made the backend has used it.
    """
    return _Play(file, backend, seed).result()


class _Play:
    """One run: a backend, what has happened on it, and the timeline so far."""

    def __init__(self, file: ScenarioFile, backend: Backend, seed: int) -> None:
        self._file = file
        self._scenario = file.scenario
        self._backend = backend
        self._seed = seed
        self._history = History(lambda: backend.now)
        self._writer = TimelineWriter()
        self._timeline: list[Entry] = []
        self._steps: list[StepResult] = []

    def changed(self, change: Change) -> None:
        self._history.changed(change)
        self._timeline.extend(self._writer.change(change))

    def wrote(self, write: Write) -> None:
        self._history.wrote(write)
        self._timeline.append(self._writer.write(write))

    def result(self) -> Result:
        scenario = self._scenario
        resources = sorted({*OBSERVED, *_resources(scenario)})
        self._backend.start(scenario.cluster, scenario.namespace, resources, self)
        if scenario.manifests:
            manifests = Step(apply=scenario.manifests)
            self._step("manifests", describe.step(manifests), partial(self._act, manifests))
        for index, step in enumerate(scenario.steps):
            late = self._wait(step)
            self._step(f"steps[{index}]", describe.step(step), partial(self._do, step, late))
        self._step("settles", describe.settles(scenario.settles), self._settle)
        return Result(
            file=self._file.path,
            scenario=scenario,
            seed=self._seed,
            steps=tuple(self._steps),
            timeline=tuple(self._timeline),
            records=tuple(self._history.records),
            duration=self._backend.now,
        )

    def _step(self, where: str, text: str, work: Callable[[], Iterable[Mismatch]]) -> None:
        started = self._backend.now
        self._timeline.append(Entry(started, "step", where, text))
        failures = tuple(work())
        ended = self._backend.now
        self._steps.append(StepResult(where, text, started, ended, failures))
        self._timeline += [Entry(ended, "failure", where, str(failure)) for failure in failures]

    def _wait(self, step: Step) -> list[Mismatch]:
        """Let time pass until the step's moment; what is wrong if that is over already."""
        now = self._backend.now
        if step.at is not None:
            if now > step.at:
                at = f"to happen at {duration.text(step.at)}"
                return [Mismatch("the step", at, f"it is {duration.text(now)}")]
            self._advance(step.at)
        elif step.after is not None:
            self._advance(now + step.after)
        return []

    def _advance(self, until: float, stop: Callable[[], bool] = lambda: False) -> None:
        if until > self._backend.now:
            self._backend.advance(until, stop)

    def _do(self, step: Step, late: list[Mismatch]) -> list[Mismatch]:
        if step.action in CHECKS:
            return late + self._check(step)
        self._history.act()
        return late + self._act(step)

    def _act(self, step: Step) -> list[Mismatch]:
        try:
            for call in calls(self._backend, step):
                call()
        except RefusedError as error:
            if step.refused is not None and step.refused in str(error):
                return []
            wanted = f'a refusal with "{step.refused}"' if step.refused else "no refusal"
            return [Mismatch("the API server", wanted, f'a refusal: "{error}"')]
        if step.refused is not None:
            return [Mismatch("the API server", f'a refusal with "{step.refused}"', "no refusal")]
        return []

    def _check(self, step: Step) -> list[Mismatch]:
        if step.eventually is not None:
            return self._eventually(step.eventually)
        if step.always is not None:
            return self._always(step.always)
        if step.never is not None:
            return self._never(step.never)
        assert step.expect is not None
        return self._mismatches(step.expect)

    def _mismatches(self, expected: Expectation, writes_from: int | None = None) -> list[Mismatch]:
        return mismatches(expected, self._history, self._scenario.namespace, writes_from)

    def _evaluation(self, expected: Expectation, writes_from: int | None = None) -> Evaluation:
        return Evaluation(expected, self._history, self._scenario.namespace, writes_from)

    def _eventually(self, expected: Eventually) -> list[Mismatch]:
        if self._watch(expected, expected.within, self._evaluation(expected).holds, until=True):
            return []
        within = f"within {duration.text(expected.within)}"
        found = self._mismatches(expected)
        return [Mismatch(f.subject, f"{f.expected} {within}", f.seen) for f in found]

    def _always(self, expected: Always) -> list[Mismatch]:
        start = len(self._history.writes)
        holds = self._evaluation(expected, start).holds
        if not self._watch(expected, expected.duration, holds, until=False):
            return []
        throughout = f"for {duration.text(expected.duration)}"
        at = f"at {duration.text(self._backend.now)}"
        found = self._mismatches(expected, start)
        return [Mismatch(f.subject, f"{f.expected} {throughout}", f"{f.seen} {at}") for f in found]

    def _never(self, expected: Never) -> list[Mismatch]:
        holds = self._evaluation(expected, len(self._history.writes)).holds
        if not self._watch(expected, expected.duration, holds, until=True):
            return []
        at = f"it did at {duration.text(self._backend.now)}"
        text = f"never to hold for {duration.text(expected.duration)}"
        return [Mismatch("; ".join(describe.expectation(expected)), text, at)]

    def _watch(
        self, expected: Expectation, seconds: float, holds: Callable[[], bool], *, until: bool
    ) -> bool:
        return watch(self._backend, self._history, expected, seconds, holds, until=until)

    def _settle(self) -> list[Mismatch]:
        scenario = self._scenario
        return settle(self._backend, self._history, scenario.settles, scenario.namespace)


def _resources(scenario: Scenario) -> Iterator[str]:
    checks = [getattr(step, step.action) for step in scenario.steps if step.action in CHECKS]
    for expected in (*checks, scenario.settles):
        yield from (objects.resource for objects in expected.objects)
