"""The pod that serves is given other CPU and memory while it runs."""

from hourglass_operator.controller.observation import Observation
from hourglass_operator.controller.plan import Write
from hourglass_operator.resources import names
from hourglass_operator.resources.resizable import includes, resize, to_annotation


def plan_resize(seen: Observation) -> tuple[Write, ...]:
    """Ask for it, then note on the pod what was asked for.

    The note comes second: without it the wish is made again, which changes nothing.
    """
    pod, wanted = seen.resizing.resized, seen.resources
    if pod is None or not seen.resizing.asks:
        return ()
    named = {(each.field, each.resource) for each in wanted}
    given = {(each.field, each.resource) for each in pod.resources}
    extra = [e for e in pod.made_for if (e.field, e.resource) in given - named]
    note = {"metadata": {"annotations": {names.MADE_FOR: to_annotation(wanted)}}}
    noted = Write("patch", "pods", pod.namespace, pod.name, note)
    if includes(pod.resources, wanted) and not extra:
        return (noted,)
    body = resize(pod.made_for, wanted)
    asked = Write("patch", "pods", pod.namespace, pod.name, body, "resize", strategic=True)
    return asked, noted
