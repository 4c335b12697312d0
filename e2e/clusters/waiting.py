"""Waiting for what a real cluster does in its own time."""

import time
from collections.abc import Callable


def wait_until(what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Return once `holds` does, asked five times a second.

    Errors: `TimeoutError` with `what` after this time; whatever `holds` raises.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)
