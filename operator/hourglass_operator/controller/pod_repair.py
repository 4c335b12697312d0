"""Labels and owner references that pods have lost are given back."""

from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.take_over import wanted_labels
from hourglass_operator.resources import go_operator, names
from hourglass_operator.resources.pod import pod_drifts, pod_repair


def repair_pods(seen: Observation) -> tuple[Write, ...]:
    """The writes that give pods back what they have lost."""
    performer = seen.performer
    writes = []
    for pod in seen.pods:
        stays = pod.alive and not seen.deleting and not seen.invalid
        labels = _watched(pod) | (_labels(seen, pod) if stays else {})
        owner = pod.owner if stays else performer.uid
        drifts = pod_drifts(pod.labels, owner, labels, performer.name)
        if drifts:
            patch = pod_repair(pod.labels, owner, labels, performer.name, performer.uid)
            writes.append(Write("patch", "pods", pod.namespace, pod.name, patch, drifts=drifts))
    return tuple(writes)


def _watched(pod: PodView) -> dict[str, str | None]:
    """The label by which a pod is watched, if it has lost that: also its end must be seen."""
    app = go_operator.APP if pod.of_go_operator else names.APP
    is_watched = pod.labels.get(names.APP_LABEL) in (names.APP, go_operator.APP)
    return {} if is_watched else {names.APP_LABEL: app}


def _labels(seen: Observation, pod: PodView) -> dict[str, str | None]:
    if pod.of_go_operator:
        labels = wanted_labels(pod, seen)
    else:
        name = seen.performer.name
        parsed = names.parse_pod_name(pod.name)
        template = parsed.template_hash if parsed is not None else pod.template_hash
        labels = dict(names.labels(name, seen.spec.avs_address, template))
    if pod.template_hash != seen.wanted:
        # It goes with its template, under which the address may have been another.
        labels.pop(names.AVS_LABEL, None)
    return labels
