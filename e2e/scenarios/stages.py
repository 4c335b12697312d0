"""KWOK Stages that let pods go through what a kubelet reports of the images of a scenario.

Each pod is in one state, computed by one jq expression; a Stage leads from a state of the pods of
an image to a status: https://kwok.sigs.k8s.io/docs/user/stages-configuration/. The statuses and
their times are those that the project has recorded of a kubelet (tests/goldens/kubelet).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.cluster import Image

USUAL = "usual"
"""Images that the scenario says nothing about."""

START = 0.9
"""Seconds from the end of the pull to a container that runs and has been probed once."""
PULL = 1.2
SYNC = 13.0
"""Seconds after which a kubelet looks again at a pod that has failed."""
KILL = 0.2
"""Seconds that the runtime needs to stop a container."""
CLEAN_UP = 0.6
"""Seconds from the last container's end to the pod's."""
LOSE = 10.0
"""Seconds until failed probes count: two periods of the operator's probe."""

_STATE = """\
(.status.containerStatuses // [] | .[0]) as $container
| if .metadata.deletionTimestamp then
    if .status.phase == "Succeeded" or .status.phase == "Failed" then "ended"
    elif $container.state.running then "stopping"
    else "stopped" end
  elif $container == null then "bound"
  elif $container.state.waiting then $container.state.waiting.reason
  elif $container.state.running then (if $container.ready then "ready" else "running" end)
  elif $container.restartCount == 0 then "exited"
  else "crashed" end"""

_BACK_OFF = """\
.status.containerStatuses[0].restartCount
| [10 * pow(2; . - 1), 300] | min | . - 10 | if . < 1 then "500ms" else "\\(.)s" end"""
"""What is left of the back-off when a kubelet reports it; SYNC of it are over."""

_STOP = """\
[.metadata.deletionGracePeriodSeconds,
 (.spec.containers[0].lifecycle.preStop.sleep.seconds // 0) + {seconds}]
| min | "\\(.)s\""""


@dataclass(frozen=True, slots=True)
class Container:
    """What a status says of the container."""

    state: str
    """`waiting`, `running` or `terminated`."""
    reason: str = ""
    message: str = ""
    ready: bool = False
    exit_code: int = 0
    restarted: bool = False
    """The restart count goes up by one."""
    crashed: bool = False
    """It has ended before: the last state shows how."""


@dataclass(frozen=True, slots=True)
class Transition:
    """After a time in a state, the pod gets a status; None: it is deleted."""

    state: str
    after: float | str
    """Seconds, or a jq expression for a duration."""
    phase: str
    container: Container | None


def stages(images: Mapping[str, Image]) -> list[JSON]:
    """The Stages for the images of a scenario and for all others."""
    return [
        _stage(f"image-{number}-{transition.state}", name, transition, images)
        for number, (name, image) in enumerate([(USUAL, Image()), *images.items()])
        for transition in transitions(image, name)
    ]


def image_expression(images: Mapping[str, Image]) -> str:
    """A jq expression for the pattern that a pod's image matches; the last one counts."""
    expression = json.dumps(USUAL)
    for pattern in images:
        # As RE2: Python's anchors differ.
        regex = "^" + re.sub(r"^\(\?s:(.*)\)\\Z$", r"\1", translate(pattern)) + "$"
        test = f".spec.containers[0].image | test({json.dumps(regex)})"
        expression = f"if ({test}) then {json.dumps(pattern)} else {expression} end"
    return expression


def transitions(image: Image, name: str) -> Iterator[Transition]:
    """What happens to a pod of the image, from its binding to its end."""
    if image.ready_after and image.ready_until:
        raise ValueError(f"{name}: readyAfter and readyUntil together cannot be played by KWOK")
    yield Transition("bound", 0, "Pending", Container("waiting", "ContainerCreating"))
    if image.missing or image.unauthorized:
        yield from _failed_pull(image)
    elif image.command_missing:
        yield from _failed_start()
    else:
        yield from _run(image)
    yield from _stop(image)


def _failed_pull(image: Image) -> Iterator[Transition]:
    # Filled in by the template of the status: the name may be a pattern.
    name = "{{ .image }}"
    reference = f"docker.io/{name}"
    start = f'failed to pull and unpack image "{reference}": failed to resolve reference '
    why = (
        f'{start}"{reference}": pulling from host registry-1.docker.io failed with status code'
        " [manifests]: 401 Unauthorized"
        if image.unauthorized
        else f'rpc error: code = NotFound desc = {start}"{reference}": {reference}: not found'
    )
    refused = Container("waiting", "ErrImagePull", why)
    held = f'Back-off pulling image "{name}": ErrImagePull: {why}'
    yield Transition("ContainerCreating", 1.0, "Pending", refused)
    waiting = Container("waiting", "ImagePullBackOff", held)
    yield Transition("ErrImagePull", SYNC, "Pending", waiting)
    yield Transition("ImagePullBackOff", SYNC, "Pending", refused)


def _failed_start() -> Iterator[Transition]:
    why = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed:"
        " runc create failed: unable to start container process: exec: stat: no such file or"
        " directory: unknown"
    )
    failed = Container("waiting", "RunContainerError", why)
    yield Transition("ContainerCreating", PULL + START, "Running", failed)
    yield Transition("RunContainerError", SYNC, "Running", _crash_loop(128, "StartError"))


def _run(image: Image) -> Iterator[Transition]:
    ready = None if image.never_ready else image.ready_after or 0.0
    code, reason = (137, "OOMKilled") if image.out_of_memory else (image.exit_code, "Error")
    end = image.exits_after
    crash = Container("terminated", reason, exit_code=code, crashed=False)
    at_once = ready == 0
    begin = PULL if image.pull is None else image.pull
    started = Container("running", ready=at_once)
    yield Transition("ContainerCreating", begin + START + (image.start or 0), "Running", started)
    if ready and (end is None or ready < end):
        yield Transition("running", ready, "Running", Container("running", ready=True))
        if end is not None:
            yield Transition("ready", end - ready, "Running", crash)
    elif end is not None:
        yield Transition("ready" if at_once else "running", end, "Running", crash)
    if image.ready_until is not None:
        yield Transition("ready", image.ready_until + LOSE, "Running", Container("running"))
    if end is not None:
        again = Container(
            "running", reason, ready=at_once, exit_code=code, restarted=True, crashed=True
        )
        yield Transition("exited", 0.5, "Running", again)
        yield Transition("crashed", SYNC, "Running", _crash_loop(code, reason))
        yield Transition("CrashLoopBackOff", _BACK_OFF, "Running", again)


def _crash_loop(code: int, reason: str) -> Container:
    return Container("waiting", "CrashLoopBackOff", reason, exit_code=code, crashed=True)


def _stop(image: Image) -> Iterator[Transition]:
    seconds = KILL + (image.stops_after or 0)
    killed = Container("terminated", "Error", exit_code=137)
    completed = Container("terminated", "Completed")
    if image.ignores_termination:
        yield Transition("stopping", _STOP.format(seconds=1e6), "Failed", killed)
    else:
        yield Transition("stopping", _STOP.format(seconds=seconds), "Succeeded", completed)
    yield Transition("stopped", KILL + CLEAN_UP, "", None)
    yield Transition("ended", CLEAN_UP, "", None)


def _stage(name: str, image: str, transition: Transition, images: Mapping[str, Image]) -> JSON:
    key = f'(({image_expression(images)})) + " " + ({_STATE})'
    delay = (
        {"durationFrom": {"expressionFrom": transition.after}}
        if isinstance(transition.after, str)
        else {"durationMilliseconds": round(transition.after * 1000)}
    )
    following: JSON = (
        {"delete": True}
        if transition.container is None
        else {"statusTemplate": _status(transition.phase, transition.container)}
    )
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name.lower()},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
            "selector": {
                "matchExpressions": [
                    {"key": key, "operator": "In", "values": [f"{image} {transition.state}"]}
                ]
            },
            "delay": delay,
            "next": following,
        },
    }


def _status(phase: str, container: Container) -> str:
    ended = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase)
    reason = "" if container.ready else ended or "ContainersNotReady"
    sandbox = container.reason != "ContainerCreating"
    address = (
        "podIP: {{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name"
        " .metadata.namespace | Quote }}"
        if sandbox
        else ""
    )
    ready = f'status: "{container.ready}", reason: "{reason}", lastTransitionTime: {{{{ $now }}}}'
    count = "{{ add1 $count }}" if container.restarted else "{{ $count }}"
    return f"""\
{{{{ $now := Now | Quote }}}}
{{{{ $count := 0 }}}}
{{{{ $started := $now }}}}
{{{{ range .status.containerStatuses }}}}
{{{{ $count = .restartCount }}}}
{{{{ with .state.running }}}}{{{{ $started = .startedAt | Quote }}}}{{{{ end }}}}
{{{{ end }}}}
phase: {phase}
startTime: {{{{ or .status.startTime Now | Quote }}}}
hostIP: {{{{ NodeIPWith .spec.nodeName | Quote }}}}
{address}
conditions:
- {{type: PodReadyToStartContainers, status: "{sandbox}"}}
- {{type: Initialized, status: "True"}}
- {{type: Ready, {ready}}}
- {{type: ContainersReady, {ready}}}
containerStatuses:
{{{{ range .spec.containers }}}}
- name: {{{{ .name }}}}
  image: {{{{ .image | Quote }}}}
  imageID: ""
  ready: {str(container.ready).lower()}
  started: {str(container.state == "running").lower()}
  restartCount: {count}
  state: {_state(container)}
  lastState: {_last_state(container)}
{{{{ end }}}}
"""


def _state(container: Container) -> str:
    if container.state == "running":
        return "{running: {startedAt: {{ $started }}}}"
    if container.state == "terminated":
        return _terminated(container)
    message = f", message: {json.dumps(container.message)}" if container.message else ""
    return f"{{waiting: {{reason: {container.reason}{message}}}}}"


def _last_state(container: Container) -> str:
    return _terminated(container) if container.crashed else "{}"


def _terminated(container: Container) -> str:
    fields = f"exitCode: {container.exit_code}, reason: {container.reason}"
    return (
        f"{{terminated: {{{fields}, startedAt: {{{{ $started }}}}, finishedAt: {{{{ $now }}}}}}}}"
    )
