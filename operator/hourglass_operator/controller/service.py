"""The Service in front of the pod: created when it is missing, repaired when it has drifted."""

from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.resources.service import build_service, service_repair


def plan_service(seen: Observation) -> tuple[Write, ...]:
    """The write that leads to the Service that the spec asks for, if one is needed."""
    performer = seen.performer
    wanted = build_service(performer.name, performer.namespace, performer.uid, seen.spec)
    name = wanted["metadata"]["name"]
    if seen.service is None:
        if not seen.may_create("services"):
            return ()
        return (Write("create", "services", performer.namespace, name, wanted),)
    body = service_repair(seen.service, wanted)
    return (Write("patch", "services", performer.namespace, name, body),) if body else ()
