"""Labels and owner references that pods have lost are given back."""

from hourglass_operator.controller.observe import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.resources import names
from hourglass_operator.resources.pod import pod_repair


def repair_pods(seen: Observation) -> tuple[Write, ...]:
    """The writes that give pods back what they have lost."""
    performer = seen.performer
    writes = []
    for pod in seen.pods:
        if not pod.alive:
            continue
        labels = names.labels(performer.name, seen.spec.avs_address, pod.template_hash)
        if pod.template_hash != seen.wanted:
            # It goes with its template, under which the address may have been another.
            del labels[names.AVS_LABEL]
        body = pod_repair(pod.labels, pod.owner, labels, performer.name, performer.uid)
        if body is not None:
            writes.append(Write("patch", "pods", pod.namespace, pod.name, body))
    return tuple(writes)
