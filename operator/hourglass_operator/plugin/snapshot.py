"""All that `hourglass-sim check` needs to know of a cluster, read from its API server."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_operator.plugin.read import ReadError
from hourglass_operator.transport.calls import Answer, Caller, Request

NEEDED = ("nodes", "pods", "performers")
"""Without these there is no answer."""
RESOURCES = (
    *NEEDED,
    *("namespaces", "resourcequotas", "limitranges", "priorityclasses", "runtimeclasses"),
    *("deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions"),
    *("jobs", "cronjobs", "poddisruptionbudgets"),
    *("persistentvolumeclaims", "persistentvolumes", "storageclasses", "csinodes"),
    *("deviceclasses", "resourceslices", "resourceclaims", "resourceclaimtemplates"),
)
"""No Secrets and no Events are among them."""
_PART = 500
"""Objects in one answer."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Objects with apiVersion and kind, and the resources that the user may not list."""

    items: list[JSON]
    hidden: list[str]


def listed(items: list[JSON]) -> JSON:
    """Objects as `kubectl get -o json` prints them."""
    return {"apiVersion": "v1", "kind": "List", "items": items}


async def snapshot(caller: Caller) -> Snapshot:
    """Read everything; what the API server does not serve is left out. Raises ReadError."""
    found = await asyncio.gather(*(every(caller, resource) for resource in RESOURCES))
    hidden = [resource for resource, items in zip(RESOURCES, found, strict=True) if items is None]
    return Snapshot([item for items in found for item in items or ()], hidden)


async def every(caller: Caller, resource: str) -> list[JSON] | None:
    """Every object of a resource; None if the user may not list them. Raises ReadError."""
    items: list[JSON] = []
    async for answer in _parts(caller, resource):
        if answer.code == 403 and resource not in NEEDED:
            return None
        if answer.code == 404 and resource not in NEEDED:
            return []
        if not answer.succeeded:
            raise ReadError(f"cannot list {resource}: {answer.message}")
        head = {
            "apiVersion": answer.body["apiVersion"],
            "kind": str(answer.body["kind"]).removesuffix("List"),
        }
        items += ({**head, **item} for item in answer.body.get("items") or ())
    return items


async def _parts(caller: Caller, resource: str) -> AsyncGenerator[Answer]:
    """https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks"""
    query = {"limit": str(_PART)}
    while True:
        answer = await caller.call(Request("list", resource, query=query))
        yield answer
        more = (answer.body.get("metadata") or {}).get("continue")
        if not (answer.succeeded and more):
            return
        query["continue"] = more
