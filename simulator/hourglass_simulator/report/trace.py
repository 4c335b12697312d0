"""The trace: every change and every write of a run; the same seed gives the same bytes."""

import hashlib
import json
from collections.abc import Iterator
from heapq import merge

from hourglass_simulator.scenario.backend import Change, Write
from hourglass_simulator.scenario.result import Result, StepResult


def trace(result: Result) -> Iterator[str]:
    """One line for the scenario, then one for each step, change and write by its time, as JSON.

    Of objects there is a digest alone: env values and Secrets must not reach a file.
    """
    yield _line({"scenario": result.file, "seed": result.seed})
    steps = ((step.started, _step(step)) for step in result.steps)
    records = (
        (record.time, _change(record) if isinstance(record, Change) else _write(record))
        for record in result.records
    )
    for _, record in merge(steps, records, key=lambda timed: timed[0]):
        yield _line(record)


def _step(step: StepResult) -> dict[str, object]:
    return {
        "time": _time(step.started),
        "step": step.where,
        "does": step.text,
        "ended": _time(step.ended),
        "met": step.met,
    }


def _change(change: Change) -> dict[str, object]:
    meta = change.object["metadata"]
    text = json.dumps(change.object, sort_keys=True, ensure_ascii=False)
    return {
        "time": _time(change.time),
        "event": change.type,
        "resource": change.resource,
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "version": meta["resourceVersion"],
        "sha256": hashlib.sha256(text.encode()).hexdigest()[:16],
    }


def _write(write: Write) -> dict[str, object]:
    return {
        "time": _time(write.time),
        "verb": write.verb,
        "resource": write.resource,
        "subresource": write.subresource,
        "namespace": write.namespace,
        "name": write.name,
        "code": write.code,
    }


def _time(seconds: float) -> str:
    return f"{seconds:.6f}"


def _line(record: dict[str, object]) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)
