"""Creates and deletes Performers, and observes when each is Running and when it is gone."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

from hourglass_kube.types import JSON
from hourglass_operator.api import PLURAL
from load.api import Api, in_parallel
from operators import performer_manifest

CLIENTS = 8
"""How many Performers are created or deleted at a time."""
IMAGE = "x:v1"
MOST_SECONDS = 3600.0


@dataclass
class Observed:
    """When a watch showed each Performer Running for the first time, and when its end."""

    running: dict[str, float] = field(default_factory=dict)
    gone: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Creation:
    """Seconds of a creation: until all are Running, and of single ones from create to Running."""

    total: float
    p50: float
    p99: float


async def create(
    api: Api, names: Sequence[str], created: Callable[[JSON], None] = lambda _: None
) -> Creation:
    """Create Performers, eight at a time, and wait until all are Running.

    `created` is called with every one that the API server has stored.
    """
    asked: dict[str, float] = {}

    async def create_one(name: str) -> None:
        asked[name] = time.monotonic()
        created(await api.call("POST", PLURAL, body=performer_manifest(name, IMAGE)))

    async with _observed(api) as seen:
        began = time.monotonic()
        await in_parallel(CLIENTS, create_one, names)
        await _until(lambda: seen.running.keys() >= asked.keys())
        total = max(seen.running[name] for name in names) - began
    each = sorted(seen.running[name] - asked[name] for name in names)
    return Creation(total, median(each), each[len(each) * 99 // 100])


async def delete(
    api: Api, names: Sequence[str], deleted: Callable[[str], None] = lambda _: None
) -> float:
    """Delete Performers, eight at a time; returns the seconds until all are gone.

    `deleted` is called with the name of every one whose deletion the API server has accepted.
    """

    async def delete_one(name: str) -> None:
        await api.call("DELETE", PLURAL, name)
        deleted(name)

    async with _observed(api) as seen:
        began = time.monotonic()
        await in_parallel(CLIENTS, delete_one, names)
        await _until(lambda: seen.gone.keys() >= set(names))
        return max(seen.gone[name] for name in names) - began


@asynccontextmanager
async def _observed(api: Api) -> AsyncIterator[Observed]:
    observed = Observed()

    async def watch() -> None:
        async for kind, performer in api.watch(PLURAL):
            name = performer["metadata"]["name"]
            if kind == "DELETED":
                observed.gone[name] = time.monotonic()
            elif performer.get("status", {}).get("phase") == "Running":
                observed.running.setdefault(name, time.monotonic())

    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch())
        yield observed
        task.cancel()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(MOST_SECONDS):
        while not holds():
            await asyncio.sleep(0.05)
