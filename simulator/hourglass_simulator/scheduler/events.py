"""Events as kube-scheduler writes them: with the recorder of events.k8s.io.

https://github.com/kubernetes/client-go/blob/v0.34.4/tools/events/event_broadcaster.go
"""

from contextlib import suppress
from dataclasses import dataclass

from hourglass_kube.time import from_seconds
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError
from hourglass_simulator.clock import Clock
from hourglass_simulator.recorder import reference

SERIES_ENDS = 360.0
"""Seconds after which an Event that comes again is a new one."""
NOTE_LIMIT = 1024

_Key = tuple[str, str, str]


@dataclass(slots=True)
class _Written:
    namespace: str
    name: str
    last: float
    repeated: bool = False


class Events:
    """Writes Events about pods; one that cannot be written is lost."""

    def __init__(self, clock: Clock, api: APIServer, component: str) -> None:
        self._clock = clock
        self._api = api
        self._component = component
        self._instance = f"{component}-simulated"
        self._written: dict[_Key, _Written] = {}
        self._number = 0

    def scheduled(self, pod: JSON, node: str) -> None:
        """A pod was bound."""
        meta = pod["metadata"]
        message = f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}"
        self._create(pod, "Normal", "Scheduled", "Binding", message)

    def failed(self, pod: JSON, message: str) -> None:
        """A pod fits nowhere.

        Said again of the same version of the pod, only the first repetition is written, and with
        the message of the first time.
        """
        meta = pod["metadata"]
        now, key = self._clock.now, (meta["uid"], meta["resourceVersion"], "FailedScheduling")
        self._forget(now - SERIES_ENDS)
        written = self._written.pop(key, None)
        if written is None:
            name = self._create(pod, "Warning", "FailedScheduling", "Scheduling", _cut(message))
            written = _Written(meta["namespace"], name, now)
        elif not written.repeated:
            written.repeated = True
            self._repeat(written)
        written.last = now
        self._written[key] = written

    def preempted(self, victim: JSON, by: str, node: str, related: JSON | None) -> None:
        """A pod has to go for the one with the uid `by`."""
        message = f"Preempted by pod {by} on node {node}"
        self._create(victim, "Normal", "Preempted", "Preempting", message, related=related)

    def waits_for_devices(self, pod: JSON, node: str) -> None:
        """A pod is not bound before its devices are ready."""
        message = f"waiting for binding conditions for device on node {node}"
        self._create(pod, "Normal", "BindingConditionsPending", "Scheduling", message)

    def _forget(self, before: float) -> None:
        while self._written:
            key = next(iter(self._written))
            if self._written[key].last >= before:
                return
            del self._written[key]

    def _repeat(self, written: _Written) -> None:
        series = {"count": 2, "lastObservedTime": self._micro_time()}
        with suppress(APIError, CallTimeoutError):
            self._api.patch(
                "events",
                written.namespace,
                written.name,
                {"series": series},
                user=self._component,
            )

    def _create(
        self,
        pod: JSON,
        kind: str,
        reason: str,
        action: str,
        message: str,
        *,
        related: JSON | None = None,
    ) -> str:
        meta = pod["metadata"]
        self._number += 1
        nanoseconds = int(self._clock.unix_time * 1e6) * 1000
        name = f"{meta['name']}.{nanoseconds:x}{self._number:x}"
        event = {
            "metadata": {"name": name, "namespace": meta["namespace"]},
            "involvedObject": reference(pod),
            "reason": reason,
            "message": message,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": kind,
            "eventTime": self._micro_time(),
            "action": action,
            "reportingComponent": self._component,
            "reportingInstance": self._instance,
        }
        if related is not None:
            event["related"] = reference(related)
        with suppress(APIError, CallTimeoutError):
            self._api.create("events", event, namespace=meta["namespace"], user=self._component)
        return name

    def _micro_time(self) -> str:
        seconds, micro = divmod(int(self._clock.now * 1e6), 1_000_000)
        return f"{from_seconds(self._clock.epoch + seconds)[:-1]}.{micro:06d}Z"


def _cut(message: str) -> str:
    suffix = " ..."
    if len(message) <= NOTE_LIMIT:
        return message
    return message[: NOTE_LIMIT - len(suffix)] + suffix
