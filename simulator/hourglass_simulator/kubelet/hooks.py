"""Lifecycle hooks: how long they take, and how they fail.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/lifecycle/handlers.go
"""

import json

from hourglass_kube.types import JSON
from hourglass_simulator.kubelet import probes
from hourglass_simulator.kubelet.container import Container
from hourglass_simulator.kubelet.workload import Hook


def handler(container: JSON, when: str) -> JSON | None:
    """The handler of `postStart` or `preStop`; None if there is none."""
    found: JSON | None = (container.get("lifecycle") or {}).get(when)
    return found


def seconds(handled: JSON, hook: Hook) -> float:
    """How long it takes."""
    return float((handled.get("sleep") or {}).get("seconds") or 0) + hook.seconds


def failure(handled: JSON, hook: Hook, container: Container, pod: str, ip: str) -> str:
    """What is said of a hook that fails; empty if it does not. `pod` is name_namespace(uid)."""
    if "sleep" in handled or not (hook.fails or hook.missing):
        return ""
    end = f'for Container "{container.name}" in Pod "{pod}" failed - error: '
    if "exec" in handled:
        words = handled["exec"].get("command") or [""]
        command = " ".join(words)
        why = f"command '{command}' exited with {hook.code}: "
        if hook.missing:
            why = probes.cannot_exec(words[0], container.runtime_id)
        printed = json.dumps(hook.output, ensure_ascii=False)
        return f"Exec lifecycle hook ([{command}]) {end}{why}, message: {printed}"
    target = handled.get("httpGet") or {}
    port = probes.port_of(container.spec, target.get("port", 0))
    if isinstance(port, str):
        return f"HTTP lifecycle hook ({target.get('path', '')}) {end}{port}"
    host = target.get("host") or ip
    refused = f"dial tcp {host}:{port}: connect: connection refused"
    why = f'Get "{probes.url(target, host, port)}": {refused}'
    return f"HTTP lifecycle hook ({target.get('path', '')}) {end}{why}"
