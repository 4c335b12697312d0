"""Logs of containers, and which container a stream is of.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/pod/strategy.go
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.rules.fault import Faults, forbidden, invalid, non_negative

STREAMS = ("attach", "exec", "portforward")
_OPTIONS = Resource("PodLogOptions", "PodLogOptions")
_KINDS = ("initContainers", "containers", "ephemeralContainers")
_STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
_TRUE = ("true", "1")


def container(pod: JSON, name: str) -> str:
    """The container that is meant; 400 when it is not there or there is a choice."""
    spec, pod_name = pod["spec"], pod["metadata"]["name"]
    names = [c["name"] for kind in _KINDS for c in spec.get(kind) or ()]
    if not name:
        if len(spec["containers"]) == 1:
            return str(spec["containers"][0]["name"])
        why = f"a container name must be specified for pod {pod_name}, choose one of: "
        raise errors.bad_request(f"{why}[{' '.join(names)}]")
    if name not in names:
        raise errors.bad_request(f"container {name} is not valid for pod {pod_name}")
    return name


def require_node(pod: JSON) -> None:
    """400 for a pod that is nowhere yet."""
    if not pod["spec"].get("nodeName"):
        name = pod["metadata"]["name"]
        raise errors.bad_request(f"pod {name} does not have a host assigned")


def log(pod: JSON, query: Mapping[str, str], now: datetime) -> str | None:
    """What is logged of a container; None for a pod that is nowhere yet."""
    numbers = _numbers(query)
    found = list(_faults(numbers, query))
    if found:
        raise errors.invalid(_OPTIONS, pod["metadata"]["name"], found)
    name = container(pod, query.get("container", ""))
    if not pod["spec"].get("nodeName"):
        return None
    lines = list(_lines(pod, name, previous=query.get("previous") in _TRUE))
    since = _since(numbers, query, now)
    if since is not None:
        lines = [(at, text) for at, text in lines if datetime.fromisoformat(at) >= since]
    tail = numbers.get("tailLines")
    if tail is not None:
        lines = lines[len(lines) - tail :] if tail < len(lines) else lines
    stamped = query.get("timestamps") in _TRUE
    text = "".join(f"{at} {line}\n" if stamped else f"{line}\n" for at, line in lines)
    limit = numbers.get("limitBytes")
    return text if limit is None else text.encode()[:limit].decode(errors="ignore")


def _numbers(query: Mapping[str, str]) -> dict[str, int]:
    numbers = {}
    for field in ("limitBytes", "sinceSeconds", "tailLines"):
        text = query.get(field, "")
        if not text:
            continue
        if not text.removeprefix("-").isdecimal():
            why = f'strconv.ParseInt: parsing "{text}": invalid syntax'
            raise errors.bad_request(why)
        numbers[field] = int(text)
    return numbers


def _faults(numbers: Mapping[str, int], query: Mapping[str, str]) -> Faults:
    yield from non_negative("tailLines", numbers.get("tailLines"))
    limit, seconds = numbers.get("limitBytes"), numbers.get("sinceSeconds")
    if limit is not None and limit < 1:
        yield invalid("limitBytes", limit, "must be greater than 0")
    if seconds is not None and query.get("sinceTime"):
        yield forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified")
    elif seconds is not None and seconds < 1:
        yield invalid("sinceSeconds", seconds, "must be greater than 0")


def _since(numbers: Mapping[str, int], query: Mapping[str, str], now: datetime) -> datetime | None:
    if "sinceSeconds" in numbers:
        return now - timedelta(seconds=numbers["sinceSeconds"])
    if not query.get("sinceTime"):
        return None
    try:
        found = datetime.fromisoformat(query["sinceTime"])
    except ValueError:
        raise errors.bad_request(f"invalid time {query['sinceTime']}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _lines(pod: JSON, name: str, *, previous: bool) -> Iterator[tuple[str, str]]:
    """What the simulated container did, each with its time."""
    named, status = pod["metadata"]["name"], _status(pod, name)
    state = (status.get("lastState" if previous else "state")) or {}
    if previous and "terminated" not in state:
        why = f'previous terminated container "{name}" in pod "{named}" not found'
        raise errors.bad_request(why)
    run = state.get("terminated") or state.get("running")
    if run is None:
        reason = (state.get("waiting") or {}).get("reason") or "ContainerCreating"
        if reason in ("ErrImagePull", "ImagePullBackOff"):
            reason = "trying and failing to pull image"
        why = f'container "{name}" in pod "{named}" is waiting to start: {reason}'
        raise errors.bad_request(why)
    image = status.get("image") or "its image"
    if run.get("startedAt"):
        yield run["startedAt"], f"{name}: started {image} (simulated: it logs nothing of its own)"
    if "terminated" in state and run.get("finishedAt"):
        ended = f"{name}: ended with code {run.get('exitCode', 0)} ({run.get('reason', '')})"
        said = run.get("message")
        yield run["finishedAt"], f"{ended}: {said}" if said else ended


def _status(pod: JSON, name: str) -> JSON:
    for kind in _STATUSES:
        for status in pod["status"].get(kind) or ():
            if status["name"] == name:
                found: JSON = status
                return found
    return {}
