"""The Service in front of the pod: created when it is missing, repaired when it has drifted."""

from dataclasses import replace
from typing import Any

from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.controller.rival import is_contested
from hourglass_operator.resources import go_operator
from hourglass_operator.resources.service import (
    Port,
    ServiceView,
    build_service,
    service_drifts,
    service_port,
    service_repair,
)
from hourglass_statemachine import Serving


def plan_service(seen: Observation) -> tuple[Write, ...]:
    """The write that leads to the Service that the spec asks for, if one is needed."""
    performer = seen.performer
    namespace = performer.namespace
    wanted = build_service(performer.name, namespace, performer.uid, seen.spec)
    name = wanted["metadata"]["name"]
    if seen.service is None:
        return (Write("create", "services", namespace, name, wanted),)
    if _serves_both(seen, seen.service):
        wanted["spec"]["selector"] = dict(seen.service.selector)
        wanted["spec"]["ports"] = _ports(seen.service.ports, wanted["spec"]["ports"])
    drifts = service_drifts(seen.service, wanted)
    if not drifts:
        return ()
    patch = service_repair(seen.service, wanted)
    return (Write("patch", "services", namespace, name, patch, drifts=drifts),)


def _serves_both(seen: Observation, service: ServiceView) -> bool:
    """The Service is as the Go operator left it, and until ours serves a pod of that may.

    Where that operator is still at work, it would put the Service back.

    Its selector finds our pods too. Another one would find that pod only once it has new labels,
    and the EndpointSlice controller, which sees pods and Services by separate watches, could see
    the Service first: for a moment nothing would serve.
    """
    theirs = go_operator.selector(seen.performer.name)
    left = any(pod.of_go_operator and not pod.ended for pod in seen.pods)
    serving = seen.roles.serving is Serving.WANTED
    return service.selector == theirs and (is_contested(seen) or (left and not serving))


def _ports(observed: tuple[Port, ...], wanted: list[Any]) -> list[Any]:
    """Ports on which clients of either operator are answered.

    `observed`, if the wanted one is among them; else the wanted one and those that clients know.
    """
    (ours,) = wanted
    if any(port.port == ours["port"] for port in observed):
        return [service_port(port) for port in observed]
    return [ours, *(service_port(replace(p, name=f"{p.name}-{p.port}")) for p in observed)]
