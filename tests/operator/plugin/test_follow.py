"""What is reported while a Performer is waited for."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest

from builders import at, performer
from hourglass_operator.client import AsyncClient, Change, ChangeType, NotReadyError, Performer
from hourglass_operator.plugin.follow import followed, line


def seen(phase: str, reason: str, message: str) -> Performer:
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": reason,
        "message": message,
        "lastTransitionTime": at(1),
    }
    return Performer.from_json(
        performer("ml").build() | {"status": {"phase": phase, "conditions": [ready]}}
    )


STARTING = seen("Pending", "Scheduled", "it is starting")
SERVING = seen("Running", "PodReady", "it serves")


class Watched:
    """A client with these changes, and then none."""

    def __init__(self, *performers: Performer) -> None:
        self.performers = performers
        self.reported = asyncio.Event()

    async def watch(self, name: str) -> AsyncGenerator[Change]:
        for found in self.performers:
            yield Change(ChangeType.MODIFIED, found)
        self.reported.set()
        await asyncio.Event().wait()


def follow(watched: Watched, error: Exception | None = None) -> tuple[Any, list[str]]:
    reported: list[str] = []

    async def wait() -> Performer:
        await watched.reported.wait()
        if error is not None:
            raise error
        return watched.performers[-1]

    async def play() -> Performer:
        return await followed(cast("AsyncClient", watched), "ml", wait, reported.append)

    return asyncio.run(play()), reported


def test_each_change_is_reported_once() -> None:
    found, reported = follow(Watched(STARTING, STARTING, SERVING))
    assert found == SERVING
    assert reported == ["Pending: Scheduled: it is starting", "Running: PodReady: it serves"]


def test_what_ends_the_wait_ends_the_reports() -> None:
    watched = Watched(STARTING)
    with pytest.raises(NotReadyError):
        follow(watched, NotReadyError("not ready", STARTING, "Scheduled", "it is starting"))


def test_one_that_nobody_has_looked_at() -> None:
    assert line(Performer.from_json(performer("ml").build())) == "Pending"
