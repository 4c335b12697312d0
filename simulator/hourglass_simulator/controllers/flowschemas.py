"""Says of every FlowSchema whether there is its priority level, in its condition `Dangling`.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go
"""

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock

SYNC_SECONDS = 0.05
RETRY_SECONDS = 1.0
USER = "system:apiserver"
MANAGER = "api-priority-and-fairness-config-consumer-v1"
_TYPE = "Dangling"


class FlowSchemas:
    """Looks at all of them after a change of any, or of a priority level."""

    def __init__(self, clock: Clock, api: APIServer, *, applies: bool) -> None:
        """`applies`: the server keeps account of who owns which field."""
        self._clock = clock
        self._api = api
        self._applies = applies
        self._due = False
        for resource in ("flowschemas", "prioritylevelconfigurations"):
            api.watch(resource, sink=self._event)

    def _event(self, _: WatchEvent) -> None:
        self._soon(SYNC_SECONDS)

    def _soon(self, seconds: float) -> None:
        if not self._due:
            self._due = True
            self._clock.after(seconds, self._sync)

    def _sync(self) -> None:
        self._due = False
        levels = {
            level["metadata"]["name"]
            for level in self._api.list("prioritylevelconfigurations").items
        }
        for schema in self._api.list("flowschemas").items:
            condition = dangling(schema["spec"]["priorityLevelConfiguration"]["name"], levels)
            if not _has(schema, condition):
                now = self._clock.timestamp()
                self._write(schema["metadata"]["name"], {**condition, "lastTransitionTime": now})

    def _write(self, name: str, condition: JSON) -> None:
        change: JSON = {"status": {"conditions": [condition]}}
        try:
            if self._applies:
                typed = {
                    "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
                    "kind": "FlowSchema",
                    "metadata": {"name": name},
                }
                self._api.apply(
                    "flowschemas",
                    "",
                    name,
                    {**typed, **change},
                    manager=MANAGER,
                    force=True,
                    subresource="status",
                    user=USER,
                )
            else:
                self._api.patch("flowschemas", "", name, change, subresource="status", user=USER)
        except (APIError, CallTimeoutError) as error:
            if not isinstance(error, APIError) or error.code != 404:
                self._soon(RETRY_SECONDS)


def dangling(level: str, levels: set[str]) -> JSON:
    """The condition of a FlowSchema for a priority level, without its time."""
    about = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    if level in levels:
        message = f"{about} and it exists"
        return {"type": _TYPE, "status": "False", "reason": "Found", "message": message}
    message = f"{about} but there is no such object"
    return {"type": _TYPE, "status": "True", "reason": "NotFound", "message": message}


def _has(schema: JSON, condition: JSON) -> bool:
    conditions = (schema.get("status") or {}).get("conditions") or ()
    return any(condition.items() <= each.items() for each in conditions)
