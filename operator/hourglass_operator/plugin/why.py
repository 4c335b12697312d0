"""What keeps a Performer from serving, and what to change, in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass

from hourglass_kube import time
from hourglass_operator.api.messages import TOLERATED_BY
from hourglass_operator.api.messages import essence as without_scheduler
from hourglass_operator.plugin.cure import cure
from hourglass_operator.plugin.view import View
from hourglass_statemachine import Reason

PATIENCE = 15.0
"""Seconds that the operator may take to look at a new spec before its absence is suspected."""

_ADVICE: Mapping[str, str] = {
    Reason.HARDWARE_UNAVAILABLE: "free or add such hardware, or change spec.hardwareRequirements",
    Reason.SCHEDULING_GATED: "whoever has set the gate takes it away when it is the pod's turn",
    Reason.SCHEDULING_FAILED: "change spec.scheduling or spec.resources, or add a node that fits",
    Reason.IMAGE_PULL_FAILED: "correct spec.image, push it, or name a Secret for its registry in"
    " spec.imagePullSecrets",
    Reason.CONTAINER_FAILED: "mend the image or its configuration (spec.image, spec.config)",
    Reason.POD_NOT_READY: "see what the server says in its log, or whether it listens on"
    " spec.config.grpcPort",
    Reason.POD_REJECTED: "change what the API server names, in the Performer or in the namespace",
    Reason.SERVICE_REJECTED: "change what the API server names, in the namespace",
    Reason.CLAIM_REJECTED: "change what the API server names, in the namespace",
    Reason.NAME_CONFLICT: "delete or rename the object that has the name",
}

_OF_CONTAINERS = (Reason.IMAGE_PULL_FAILED, Reason.CONTAINER_FAILED, Reason.POD_NOT_READY)


@dataclass(frozen=True, slots=True)
class Why:
    """`advice` is what to change; empty if there is nothing to do but wait.

    `essence`: the message without what the scheduler says, where the operator knows better.
    """

    serves: bool
    phase: str
    reason: str
    message: str
    essence: str
    advice: str

    @property
    def sentence(self) -> str:
        """For a person."""
        return f"{self.essence.removesuffix('.')}; {self.advice}" if self.advice else self.essence


def why(view: View, now: float) -> Why:
    """Explain a Performer; `now` is seconds since the Unix epoch."""
    serves, reason, message = view.summary()
    phase = str(view.status.get("phase", "Pending"))
    created = time.parse(view.performer["metadata"]["creationTimestamp"]).timestamp()
    if view.unseen and now - created > PATIENCE and not view.observation.pods:
        return Why(
            serves,
            phase,
            "NotObserved",
            message="no operator has looked at this spec",
            essence="no operator has looked at this spec",
            advice="see whether it runs: kubectl get lease,deployment -A | grep hourglass",
        )
    # Without hardware to look for, only the scheduler knows what all nodes lack.
    needs_hardware = view.observation.requirement is not None
    essence = without_scheduler(message) if needs_hardware else message
    changes = "" if serves else advice(view, reason, essence)
    # The tolerations are part of the advice.
    return Why(serves, phase, reason, message, essence.partition(TOLERATED_BY)[0], changes)


def advice(view: View, reason: str, message: str) -> str:
    """What to change; `message` is what the operator says of the Performer."""
    if reason in (Reason.HARDWARE_UNAVAILABLE, Reason.SCHEDULING_FAILED):
        needs_hardware = view.observation.requirement is not None
        known = cure(view, message, no_node=needs_hardware == (reason != Reason.SCHEDULING_FAILED))
        return ", or ".join(filter(None, (known, _ADVICE[reason])))
    if _of_others(view, reason):
        return "nothing in the Performer's spec changes that"
    containers = [pod.container for pod in view.observation.pods]
    if any(container.waiting == "CreateContainerConfigError" for container in containers):
        return "create what is missing, or correct spec.config.env"
    return _ADVICE.get(reason, "")


def _of_others(view: View, reason: str) -> bool:
    """What holds the pod up is a container of others, its sandbox or a readiness gate."""
    pod = view.observation.roles.candidate
    if reason not in _OF_CONTAINERS or pod is None or not pod.node:
        return False
    own = pod.container
    idle = own.started is None and own.exit is None
    waits = own.waiting == "PodInitializing" or (idle and reason == Reason.POD_NOT_READY)
    return own.ready or waits
