"""What keeps a Performer from serving, and what to change, in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass

from hourglass_kube import time
from hourglass_operator.hardware.explain import SCHEDULER_SAYS
from hourglass_operator.plugin.view import View
from hourglass_statemachine import Reason

PATIENCE = 15.0
"""Seconds that the operator may take to look at a new spec before its absence is suspected."""

_ADVICE: Mapping[str, str] = {
    Reason.HARDWARE_UNAVAILABLE: "free or add such hardware, or change spec.hardwareRequirements",
    Reason.SCHEDULING_FAILED: "change spec.scheduling or spec.resources, or add a node that fits",
    Reason.IMAGE_PULL_FAILED: "correct spec.image, push it, or name a Secret for its registry in"
    " spec.imagePullSecrets",
    Reason.CONTAINER_FAILED: "mend the image or its configuration (spec.image, spec.config)",
    Reason.POD_NOT_READY: "see what the server says in its log, or whether it listens on"
    " spec.config.grpcPort",
    Reason.POD_REJECTED: "change what the API server names, in the Performer or in the namespace",
    Reason.SERVICE_REJECTED: "change what the API server names, in the namespace",
    Reason.NAME_CONFLICT: "delete or rename the object that has the name",
}


@dataclass(frozen=True, slots=True)
class Why:
    """`advice` is what to change; empty if there is nothing to do but wait."""

    serves: bool
    phase: str
    reason: str
    message: str
    advice: str

    @property
    def sentence(self) -> str:
        """For a person; without what the scheduler says where the operator knows better."""
        words = self.message.partition(SCHEDULER_SAYS)[0]
        return f"{words}; {self.advice}" if self.advice else words


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
            "no operator has looked at this spec",
            "see whether it runs: kubectl get lease,deployment -A | grep hourglass",
        )
    return Why(serves, phase, reason, message, "" if serves else advice(view, reason))


def advice(view: View, reason: str) -> str:
    """What to change."""
    if reason == Reason.HARDWARE_UNAVAILABLE and view.cordoned:
        return f"kubectl uncordon {' '.join(view.cordoned)}, or {_ADVICE[reason]}"
    containers = [pod.container for pod in view.observation.pods]
    if any(container.waiting == "CreateContainerConfigError" for container in containers):
        return "create what is missing, or correct spec.config.env"
    return _ADVICE.get(reason, "")
