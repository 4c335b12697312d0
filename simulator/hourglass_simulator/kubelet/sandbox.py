"""Why the runtime can make no sandbox for a pod.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kuberuntime/kuberuntime_sandbox.go
"""

from hourglass_simulator.apiserver import APIError, CallTimeoutError
from hourglass_simulator.kubelet.pod import NodePod


def failure(pod: NodePod) -> str:
    """In the words of the kubelet and of containerd 1.6; empty if it can."""
    if pod.agent.sandbox_failure:
        return pod.agent.sandbox_failure
    name = pod.object["spec"].get("runtimeClassName")
    if not name or pod.agent.runtime_handlers is None:
        return ""
    try:
        found = pod.runtime.api.get("runtimeclasses", "", name, user="kubelet")
    except (APIError, CallTimeoutError):
        return f'failed to get RuntimeClass "{name}": runtimeclass.node.k8s.io "{name}" not found'
    handler = found["handler"]
    if handler in pod.agent.runtime_handlers:
        return ""
    why = f'failed to get sandbox runtime: no runtime for "{handler}" is configured'
    return f"rpc error: code = Unknown desc = {why}"
