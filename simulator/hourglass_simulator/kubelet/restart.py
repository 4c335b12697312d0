"""Whether a container is started again after its end.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""

from hourglass_kube.types import JSON

ALWAYS, ON_FAILURE, NEVER = "Always", "OnFailure", "Never"
RESTART, RESTART_ALL = "Restart", "RestartAllContainers"


def restarts(container: JSON, pod_policy: str, code: int, *, rules: bool) -> bool:
    """Whether a container that ended with a code is started again.

    `rules` says that containers may have a policy and rules of their own: the feature gate
    ContainerRestartRules. Without it only sidecars have one, which is for ever Always.
    https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/api/v1/pod/util.go#L419
    """
    own: str | None = container.get("restartPolicy")
    if rules and own is not None and action(container, code) in (RESTART, RESTART_ALL):
        return True
    policy = own if own is not None and (rules or own == ALWAYS) else pod_policy
    return policy == ALWAYS or (policy == ON_FAILURE and code != 0)


def action(container: JSON, code: int) -> str:
    """What the first rule says that holds for an exit code; empty if none does."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes")
        if codes and (code in codes.get("values", ())) == (codes["operator"] == "In"):
            found: str = rule["action"]
            return found
    return ""


def restarts_when_killed(container: JSON, pod_policy: str, *, rules: bool) -> bool:
    """Whether a container is started again that its kubelet ends for a probe: no code counts."""
    own: str | None = container.get("restartPolicy")
    policy = own if own is not None and (rules or own == ALWAYS) else pod_policy
    return policy != NEVER
