"""The process is asked to stop before it has begun."""

import asyncio
import os
import signal
from typing import Any

import pytest

from builders import CATALOGUE
from hourglass_operator.runtime.process import run as process
from hourglass_operator.runtime.process.preflight import Exit
from hourglass_operator.runtime.process.settings import RuntimeSettings


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_gives_no_credentials_does_not_keep_it_from_stopping(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def waits_for_a_person(*_: Any) -> None:
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()

    async def run() -> Exit:
        async with asyncio.timeout(300.0):
            return await process.run(RuntimeSettings(), CATALOGUE)

    monkeypatch.setattr(process, "connection", waits_for_a_person)
    assert asyncio.run(run()) == Exit.STOPPED
