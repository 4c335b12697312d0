"""The operator's writes without an operator: what API server, scheduler and KWOK need for them.

For a Performer: its finalizer, its Service, its pod, and its status once the pod is Ready and the
EndpointSlice has it. In the end: the status Terminating, the deletion of the pod, and the removal
of the finalizer once the pod is gone.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from hourglass_kube.types import JSON
from hourglass_operator.api import PLURAL
from load.api import Api
from load.sample import Sample, for_performer

WRITERS = 10
"""Writes at a time: the workers of the Go operator that ours was compared with."""
_LATER, _SOON = 1, 0
"""Work that brings a Performer to its end or to Running goes before the first writes of another."""

_Work = tuple[int, int, Callable[[JSON], Awaitable[None]], JSON]


class Baseline:
    """Makes the writes in the order in which they become possible; decides nothing."""

    def __init__(self, api: Api, sample: Sample) -> None:
        self._api = api
        self._sample = sample
        self._work: asyncio.PriorityQueue[_Work] = asyncio.PriorityQueue()
        self._numbers = itertools.count()
        self._performers: dict[str, JSON] = {}
        self._pods: dict[str, JSON] = {}
        self._of_service: dict[str, str] = {}
        self._ready: set[str] = set()
        self._with_endpoint: set[str] = set()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Write while inside."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work)
                for work in (
                    self._watch_pods(),
                    self._watch_slices(),
                    *(self._write() for _ in range(WRITERS)),
                )
            ]
            yield
            for task in tasks:
                task.cancel()

    def created(self, performer: JSON) -> None:
        """The API server has stored a Performer."""
        self._performers[performer["metadata"]["name"]] = performer
        self._add(_LATER, self._begin, performer)

    def deleted(self, name: str) -> None:
        """The API server has accepted the deletion of a Performer."""
        self._add(_LATER, self._delete_pod, self._performers[name])

    def _add(self, priority: int, work: Callable[[JSON], Awaitable[None]], of: JSON) -> None:
        self._work.put_nowait((priority, next(self._numbers), work, of))

    async def _write(self) -> None:
        while True:
            *_, work, performer = await self._work.get()
            await work(performer)

    async def _begin(self, performer: JSON) -> None:
        name = performer["metadata"]["name"]
        body: JSON = {"metadata": {"finalizers": self._sample.finalizers}}
        await self._api.call("PATCH", PLURAL, name, body=body)
        service = for_performer(self._sample.service, performer)
        self._of_service[service["metadata"]["name"]] = name
        await self._api.call("POST", "services", body=service)
        pod = for_performer(self._sample.pod, performer)
        self._pods[name] = await self._api.call("POST", "pods", body=pod)

    async def _write_status(self, performer: JSON) -> None:
        body = {"status": for_performer(self._sample.status, performer)}
        await self._api.call("PATCH", PLURAL, performer["metadata"]["name"], "status", body)

    async def _delete_pod(self, performer: JSON) -> None:
        name = performer["metadata"]["name"]
        # Before the pod: it may be gone at once, and the Performer with it.
        body: JSON = {"status": terminating(for_performer(self._sample.status, performer))}
        await self._api.call("PATCH", PLURAL, name, "status", body)
        pod = self._pods[name]["metadata"]
        body = {"preconditions": {"uid": pod["uid"]}}
        await self._api.call("DELETE", "pods", pod["name"], body=body)

    async def _release(self, performer: JSON) -> None:
        body: JSON = {"metadata": {"finalizers": None}}
        await self._api.call("PATCH", PLURAL, performer["metadata"]["name"], body=body)

    async def _watch_pods(self) -> None:
        async for kind, pod in self._api.watch("pods"):
            name = pod["metadata"]["ownerReferences"][0]["name"]
            if kind == "DELETED":
                self._add(_SOON, self._release, self._performers[name])
            elif any(
                condition["type"] == "Ready" and condition["status"] == "True"
                for condition in pod["status"].get("conditions", ())
            ):
                self._reached(name, self._ready)

    async def _watch_slices(self) -> None:
        async for kind, piece in self._api.watch("endpointslices"):
            service = piece["metadata"]["labels"]["kubernetes.io/service-name"]
            endpoints = piece["endpoints"] or ()
            if kind != "DELETED" and any(each["conditions"]["ready"] for each in endpoints):
                self._reached(self._of_service[service], self._with_endpoint)

    def _reached(self, name: str, state: set[str]) -> None:
        if name not in state:
            state.add(name)
            if name in self._ready and name in self._with_endpoint:
                self._add(_SOON, self._write_status, self._performers[name])


def terminating(status: JSON) -> JSON:
    """The patch that makes a Running Performer's status that of one that is deleted."""
    conditions = [
        {**each, "status": "False", "reason": "Terminating"} for each in status["conditions"]
    ]
    return {"phase": "Terminating", "ready": False, "readyTime": None, "conditions": conditions}
