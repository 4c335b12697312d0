"""The objects of one Performer as the operator makes them, copied for the client without one."""

from dataclasses import dataclass
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.api import PLURAL
from load.api import Api

SAMPLE = "sample"
"""The Performer whose objects are copied; no other text in them contains this word."""
_SERVER_SIDE = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation")


@dataclass(frozen=True)
class Sample:
    """A running Performer's pod and Service as they were created, its finalizers and status."""

    pod: JSON
    service: JSON
    finalizers: list[str]
    status: JSON

    @classmethod
    async def read(cls, api: Api) -> "Sample":
        """Read the objects of the Performer `SAMPLE`, which is Running."""
        performer = await api.call("GET", PLURAL, SAMPLE)
        (pod,) = (await api.call("GET", "pods"))["items"]
        (service,) = (await api.call("GET", "services"))["items"]
        pod["spec"].pop("nodeName")
        for field in ("clusterIP", "clusterIPs"):
            service["spec"].pop(field, None)
        return cls(
            {"apiVersion": "v1", "kind": "Pod"} | _as_created(pod),
            {"apiVersion": "v1", "kind": "Service"} | _as_created(service),
            performer["metadata"]["finalizers"],
            performer["status"],
        )


def for_performer(value: Any, performer: JSON) -> Any:
    """A copy of a part of the sample for another Performer: its name and its uid."""
    if isinstance(value, str):
        return value.replace(SAMPLE, performer["metadata"]["name"])
    if isinstance(value, list):
        return [for_performer(item, performer) for item in value]
    if isinstance(value, dict):
        copy = {key: for_performer(item, performer) for key, item in value.items()}
        return copy | {"uid": performer["metadata"]["uid"]} if "uid" in copy else copy
    return value


def _as_created(obj: JSON) -> JSON:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVER_SIDE}
    return {"metadata": metadata, "spec": obj["spec"]}
