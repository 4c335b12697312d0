"""Probes and hooks of containers.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go
"""

from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import names
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    each,
    forbidden,
    invalid,
    non_negatives,
    one_of,
    port_number,
    required,
)

_NUMBERS = (
    *("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold"),
    "failureThreshold",
)
_REALTIME = ["SIGRTMIN", *(f"SIGRTMIN+{n}" for n in range(1, 16))]
_REALTIME += [*(f"SIGRTMAX-{n}" for n in range(14, 0, -1)), "SIGRTMAX"]
_SIGNALS = {
    "linux": sorted(
        [
            *("SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP"),
            *("SIGILL", "SIGINT", "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF"),
            *("SIGPWR", "SIGQUIT", "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM"),
            *("SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2"),
            *("SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ", *_REALTIME),
        ]
    ),
    "windows": ["SIGKILL", "SIGTERM"],
}


def port(field: str, value: Any) -> Faults:
    """The number or the name of a port."""
    if isinstance(value, str):
        yield from each(field, value, names.port_name(value))
    else:
        yield from port_number(field, value or 0)


def _exec(path: str, action: JSON, grace: int | None) -> Faults:  # noqa: ARG001
    if not action.get("command"):
        yield required(f"{path}.command")


def _http_get(path: str, action: JSON, grace: int | None) -> Faults:  # noqa: ARG001
    if not action.get("path"):
        yield required(f"{path}.path")
    yield from port(f"{path}.port", action.get("port"))
    yield from one_of(f"{path}.scheme", action.get("scheme") or "", ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        name = header.get("name") or ""
        yield from each(f"{path}.httpHeaders", name, names.header(name))


def _port_only(path: str, action: JSON, grace: int | None) -> Faults:  # noqa: ARG001
    yield from port(f"{path}.port", action.get("port"))


def _sleep(path: str, action: JSON, grace: int | None) -> Faults:
    seconds = action.get("seconds") or 0
    if grace is not None and not 0 <= seconds <= grace:
        why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        yield invalid(path, seconds, why)


_HANDLERS = {
    "exec": _exec,
    "httpGet": _http_get,
    "tcpSocket": _port_only,
    "grpc": _port_only,
    "sleep": _sleep,
}


def _handler(path: str, handler: JSON, grace: int | None) -> Faults:
    given = [kind for kind in _HANDLERS if handler.get(kind) is not None]
    for index, kind in enumerate(given):
        if index:
            yield forbidden(f"{path}.{kind}", "may not specify more than 1 handler type")
        else:
            yield from _HANDLERS[kind](f"{path}.{kind}", handler[kind], grace)
    if not given:
        yield required(path, "must specify a handler type")


def of_container(path: str, container: JSON, grace: int | None) -> Faults:
    """All probes of a container."""
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe, where = container.get(kind), f"{path}.{kind}"
        if probe is None:
            continue
        yield from _probe(where, probe, grace)
        period = probe.get("terminationGracePeriodSeconds")
        if kind == "readinessProbe":
            if period is not None:
                why = "must not be set for readinessProbes"
                yield invalid(f"{where}.terminationGracePeriodSeconds", period, why)
        elif probe.get("successThreshold") != 1:
            yield invalid(f"{where}.successThreshold", probe.get("successThreshold"), "must be 1")


def _probe(path: str, probe: JSON, grace: int | None) -> Faults:
    yield from _handler(path, {k: v for k, v in probe.items() if k != "sleep"}, grace)
    yield from non_negatives(path, probe, *_NUMBERS)
    period = probe.get("terminationGracePeriodSeconds")
    if period is not None and period <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", period, "must be greater than 0")


def lifecycle(path: str, hooks: JSON | None, grace: int | None, system: JSON | None) -> Faults:
    """The hooks of a container; `system` is the pod's `os`."""
    for hook in ("postStart", "preStop"):
        if (hooks or {}).get(hook) is not None:
            yield from _handler(f"{path}.{hook}", (hooks or {})[hook], grace)
    signal = (hooks or {}).get("stopSignal")
    if signal is None:
        return
    if system is None:
        why = "may not be set for containers with empty `spec.os.name`"
        yield forbidden(f"{path}.stopSignal", why)
    elif system.get("name") in _SIGNALS:
        yield from one_of(f"{path}.stopSignal", signal, _SIGNALS[system["name"]])
