"""The version whose rules are followed: some are behind feature gates.

Rules are functions of objects alone; a version is set around them where an object is judged.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from hourglass_simulator.kubernetes.version import DEFAULT, Version

_version: ContextVar[Version] = ContextVar("version", default=DEFAULT)


@contextmanager
def of(version: Version) -> Iterator[None]:
    """Within the `with` block the rules are those of a version."""
    token = _version.set(version)
    try:
        yield
    finally:
        _version.reset(token)


def enabled(gate: str) -> bool:
    """Whether a feature gate is on."""
    return _version.get().enabled(gate)


def since(minor: int) -> bool:
    """Whether the rules are those of a minor version, such as 37, or newer."""
    return _version.get().minor >= minor
