"""What a probe finds, in the words of the kubelet.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/prober/prober.go
https://github.com/kubernetes/kubernetes/tree/v1.34.4/pkg/probe
"""

from enum import Enum
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.workload import Answers

DEFAULT_PERIOD, DEFAULT_TIMEOUT = 10, 1
_KINDS = {"startup": "startupProbe", "readiness": "readinessProbe", "liveness": "livenessProbe"}


class Found(Enum):
    """The result of a probe; one that went wrong itself does not count."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


def spec_of(container: JSON, kind: str) -> JSON | None:
    """The probe of a container's spec: `startup`, `readiness` or `liveness`."""
    found: JSON | None = container.get(_KINDS[kind])
    return found


def period(probe: JSON) -> float:
    """Seconds from one probe to the next."""
    return float(probe.get("periodSeconds") or DEFAULT_PERIOD)


def find(
    probe: JSON, container: Container, ip: str, answers: Answers, *, succeeds: bool
) -> tuple[Found, str]:
    """The result, and what is said of one that is no success.

    `succeeds` is whether the container answers at the moment.
    """
    if "exec" in probe:
        return _exec(probe, container, answers, succeeds=succeeds)
    if "grpc" in probe:
        return _grpc(probe, ip, answers, succeeds=succeeds)
    target = probe.get("httpGet") or probe.get("tcpSocket") or {}
    port = port_of(container.spec, target.get("port", 0))
    if isinstance(port, str):
        return Found.ERROR, port
    host = target.get("host") or ip
    if succeeds:
        return Found.SUCCESS, ""
    refused = f"dial tcp {host}:{port}: connect: connection refused"
    if "httpGet" not in probe:
        slow = f"dial tcp {host}:{port}: i/o timeout"
        return Found.FAILURE, slow if answers.hangs else refused
    if answers.status:
        return Found.FAILURE, f"HTTP probe failed with statuscode: {answers.status}"
    if answers.hangs:
        refused = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    refused = answers.output or refused
    return Found.FAILURE, f'Get "{url(target, host, port)}": {refused}'


def event(kind: str, found: Found, text: str) -> str:
    """The message of the Event about a probe that is no success."""
    name = kind.capitalize()
    if found is Found.ERROR:
        return f"{name} probe errored and resulted in unknown state: {text}"
    return f"{name} probe failed: {text}"


def url(target: JSON, host: str, port: int) -> str:
    """What is asked for over HTTP."""
    path = target.get("path") or ""
    slash = "" if path.startswith("/") or not path else "/"
    scheme = (target.get("scheme") or "HTTP").lower()
    return f"{scheme}://{host}:{port}{slash}{path}"


def port_of(container: JSON, wanted: Any) -> int | str:
    """A port's number, by its name if it is named; a text says that there is none."""
    if isinstance(wanted, str) and not wanted.isdecimal():
        for port in container.get("ports") or ():
            if port.get("name") == wanted:
                number: int = port["containerPort"]
                return number
        return f'strconv.Atoi: parsing "{wanted}": invalid syntax'
    number = int(wanted)
    return number if 0 < number < 65536 else f"invalid port number: {number}"


def cannot_exec(command: str, runtime_id: str) -> str:
    """What containerd says of a command that a container has not."""
    why = (
        f"stat {command}: no such file or directory"
        if "/" in command
        else "executable file not found in $PATH"
    )
    return (
        "rpc error: code = Unknown desc = failed to exec in container: failed to start exec"
        f' "{runtime_id.rpartition("/")[2]}": OCI runtime exec failed: exec failed: unable to start'
        f' container process: exec: "{command}": {why}: unknown'
    )


def _exec(
    probe: JSON, container: Container, answers: Answers, *, succeeds: bool
) -> tuple[Found, str]:
    if answers.missing:
        command = (probe["exec"].get("command") or [""])[0]
        return Found.ERROR, cannot_exec(command, container.runtime_id)
    if succeeds:
        return Found.SUCCESS, ""
    command = " ".join(probe["exec"].get("command") or ())
    if answers.hangs:
        seconds = int(probe.get("timeoutSeconds") or DEFAULT_TIMEOUT)
        return Found.FAILURE, f'command timed out: "{command}" timed out after {seconds}s'
    return Found.FAILURE, answers.output


def _grpc(probe: JSON, ip: str, answers: Answers, *, succeeds: bool) -> tuple[Found, str]:
    if succeeds:
        return Found.SUCCESS, ""
    seconds = int(probe.get("timeoutSeconds") or DEFAULT_TIMEOUT)
    if answers.hangs:
        return Found.FAILURE, f"timeout: health rpc did not complete within {seconds}s"
    if answers.status:
        return Found.FAILURE, 'service unhealthy (responded with "NOT_SERVING")'
    address = f"{ip}:{probe['grpc']['port']}"
    return Found.FAILURE, (
        f'timeout: failed to connect service "{address}" within'
        f" {seconds}s: context deadline exceeded"
    )
