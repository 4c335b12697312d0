"""Whether an object is a Performer's: by its owner, and without one by what is known of it."""

from collections.abc import Mapping

from hourglass_operator.controller.pod_view import PodView
from hourglass_operator.controller.views import PerformerView
from hourglass_operator.resources import names
from hourglass_operator.resources.service import ServiceView


def own_pod(pod: PodView, performer: PerformerView, recorded: str | None) -> bool:
    """Whether a pod is the Performer's; `recorded` is the pod that its stored status names.

    Only the operator writes that status, and it names no other pod but the Performer's own.
    """
    if not pod.owner and (pod.owner_before == performer.uid or pod.name == recorded):
        return True
    return belongs(pod.owner, pod.labels, performer)


def own_service(
    service: ServiceView, performer: PerformerView, recorded: str | None = None
) -> bool:
    """Whether the Service of the Performer's name is the Performer's.

    `recorded` is the Service that its stored status names. Somebody may have made another of that
    name since, but hardly one with the same selector and port name.
    """
    if not service.owner and service.owner_before == performer.uid:
        return True
    if not service.owner and recorded and service.selector == names.selector(performer.name):
        return [port.name for port in service.ports] == [names.PORT]
    return belongs(service.owner, service.labels, performer)


def belongs(owner: str, labels: Mapping[str, str], performer: PerformerView) -> bool:
    """Whether an object of a Performer's name, with this owner and these labels, is its own.

    What somebody else owns never is, whatever its labels. What nobody owns is only if it says that
    this operator manages it, and for which Performer: it lost its owner reference, or was restored
    from a backup without one.
    """
    if owner:
        return owner == performer.uid
    claim = names.claim(performer.name)
    return all(labels.get(key) == value for key, value in claim.items())
