"""The ResourceClaimTemplate by which the pod claims its devices: there before the pod is."""

from hourglass_kube.types import JSON
from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.hardware.claim import DeviceClaim
from hourglass_operator.resources.claim import TemplateView, build_template, template_of
from hourglass_statemachine import Serving

_RESOURCE = "resourceclaimtemplates"


def plan_templates(seen: Observation) -> tuple[Write, ...]:
    """The writes that lead to the template that the next pod needs, and to no others."""
    claim = seen.requirement.claim if seen.requirement is not None else None
    performer = seen.performer
    wanted = template_of(performer.name, claim) if claim is not None else ""
    writes = [
        Write(
            "delete", "resourceclaimtemplates", performer.namespace, each.name, _as_known(each.uid)
        )
        for each in _stale(seen, wanted)
    ]
    if claim is not None and _is_needed(seen, wanted):
        template = build_template(performer.name, performer.namespace, performer.uid, claim)
        writes.append(
            Write("create", "resourceclaimtemplates", performer.namespace, wanted, template)
        )
    return tuple(writes)


def may_claim(seen: Observation, claim: DeviceClaim) -> bool:
    """Whether the template is there, or comes before the pod of the same pass."""
    name = template_of(seen.performer.name, claim)
    return _exists(seen, name) or seen.may_create(_RESOURCE)


def _is_needed(seen: Observation, name: str) -> bool:
    """A pod is to be made, or waits for the claim that Kubernetes makes by the template."""
    if _exists(seen, name) or seen.impossible or seen.roles.serving is Serving.WANTED:
        return False
    pod = seen.roles.candidate
    return pod is None or (not pod.node and pod.claim_template == name)


def _exists(seen: Observation, name: str) -> bool:
    return any(each.name == name for each in seen.templates)


def _stale(seen: Observation, wanted: str) -> list[TemplateView]:
    """What no pod uses any more, once the wanted one serves."""
    if seen.roles.serving is not Serving.WANTED:
        return []
    used = {wanted, *(pod.claim_template for pod in seen.pods)}
    return [each for each in seen.templates if each.name not in used and not each.deleted]


def _as_known(uid: str) -> JSON:
    return {"preconditions": {"uid": uid}}
