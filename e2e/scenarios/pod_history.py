"""What pods went through on a node, but for the times, to compare two backends by."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.backend import Change, Write

BRIEF = 2.0
"""Seconds: a state that lasts less may not come about on the other backend.

A kubelet writes what it sees when it looks, and looks later when it is busy.
"""
GONE = "gone"
CONTAINERS = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")

Key = tuple[str, int]
"""What names of pods begin with, and which pod of that beginning, from 1."""


@dataclass(frozen=True, slots=True)
class State:
    """What a pod's status says, and for how many seconds it stayed."""

    summary: str
    seconds: float

    @property
    def brief(self) -> bool:
        """It may be missing on the other backend."""
        return self.seconds < BRIEF


def pod_histories(records: Sequence[Change | Write], end: float) -> dict[Key, list[State]]:
    """The states of every pod, without repetitions; the last one lasts until `end`."""
    keys = _keys(records)
    moments: dict[Key, list[tuple[float, str]]] = {}
    for change in _changes(records, "pods"):
        summary = GONE if change.type == "DELETED" else summary_of(change.object)
        seen = moments.setdefault(keys[change.object["metadata"]["uid"]], [])
        if not seen or seen[-1][1] != summary:
            seen.append((change.time, summary))
    return {key: list(_states(seen, end)) for key, seen in moments.items()}


def event_reasons(records: Sequence[Change | Write]) -> dict[Key, dict[str, list[str]]]:
    """The reasons of each pod's Events by the kubelet, by container, as each was first seen.

    Which of several containers comes first in what is done to all of them is chance.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for change in _changes(records, "events"):
        event, about = change.object, change.object["involvedObject"]
        source = (event.get("source") or {}).get("component")
        if about["kind"] == "Pod" and source == "kubelet":
            of_pod = found.setdefault(about["uid"], {})
            reasons = of_pod.setdefault(about.get("fieldPath", ""), [])
            if event["reason"] not in reasons:
                reasons.append(event["reason"])
    return {key: found.get(uid, {}) for uid, key in _keys(records).items()}


def summary_of(pod: JSON) -> str:
    """Phase, reasons, messages, conditions and containers of a pod, in a line."""
    status, metadata = pod["status"], pod["metadata"]
    words = [status.get("phase", ""), *_why(status)]
    if "deletionTimestamp" in metadata:
        words.append("deleting")
    words += [_condition(each) for each in status.get("conditions") or ()]
    for kind in CONTAINERS:
        words += [_container(each) for each in status.get(kind) or ()]
    return _cleaned("; ".join(words), pod)


def _condition(condition: JSON) -> str:
    said = " ".join([condition["status"], *_why(condition)])
    return condition["type"] if said == "True" else f"{condition['type']}={said}"


def _container(status: JSON) -> str:
    words = [f"{status['name']}:", _state(status["state"])]
    words += [word for word in ("ready", "started") if status.get(word)]
    if status["restartCount"]:
        words.append(f"restarted {status['restartCount']}")
    if last := status.get("lastState"):
        words.append(f"before {_state(last)}")
    return " ".join(words)


def _state(state: JSON) -> str:
    ((name, found),) = state.items()
    code = [str(found["exitCode"])] if "exitCode" in found else []
    return " ".join([name, *code, *_why(found)])


def _why(said: JSON) -> list[str]:
    message = said.get("message")
    return [*filter(None, [said.get("reason")]), *([f"({message})"] if message else [])]


def _cleaned(text: str, pod: JSON) -> str:
    """Without what differs from run to run: names that are made up, ids, addresses."""
    metadata = pod["metadata"]
    text = text.replace(metadata["uid"], "{uid}").replace(metadata["name"], "{pod}")
    text = re.sub(r"[0-9a-f]{64}", "{id}", text)
    return re.sub(r"\b\d+\.\d+\.\d+\.\d+", "{address}", text)


def _keys(records: Sequence[Change | Write]) -> dict[str, Key]:
    """By uid."""
    keys: dict[str, Key] = {}
    numbers: Counter[str] = Counter()
    for change in _changes(records, "pods"):
        metadata = change.object["metadata"]
        if metadata["uid"] not in keys:
            template = (metadata.get("labels") or {}).get("pod-template-hash")
            beginning = metadata.get("generateName") or metadata["name"]
            beginning = beginning.replace(template, "{hash}") if template else beginning
            numbers[beginning] += 1
            keys[metadata["uid"]] = beginning, numbers[beginning]
    return keys


def _changes(records: Iterable[Change | Write], resource: str) -> Iterator[Change]:
    for record in records:
        if isinstance(record, Change) and record.resource == resource:
            yield record


def _states(moments: list[tuple[float, str]], end: float) -> Iterator[State]:
    until = [time for time, _ in moments[1:]] + [end]
    for (began, summary), ended in zip(moments, until, strict=True):
        yield State(summary, ended - began)
