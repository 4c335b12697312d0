"""The version whose rules are followed: some are behind feature gates.

Rules are functions of objects alone; a version is set around them where an object is judged.
"""

from contextvars import ContextVar, Token

from hourglass_simulator.kubernetes.version import DEFAULT, Version

_version: ContextVar[Version] = ContextVar("version", default=DEFAULT)


class Following:
    """Within the `with` block the rules are those of a version.

    A class, as every write passes here and a generator takes three times as long.
    """

    __slots__ = ("_token", "_version")

    def __init__(self, version: Version) -> None:
        self._version = version

    def __enter__(self) -> None:
        self._token: Token[Version] = _version.set(self._version)

    def __exit__(self, *_: object) -> None:
        _version.reset(self._token)


def version() -> Version:
    """The version whose rules are followed."""
    return _version.get()


def enabled(gate: str) -> bool:
    """Whether a feature gate is on."""
    return _version.get().enabled(gate)


def since(minor: int) -> bool:
    """Whether the rules are those of a minor version, such as 37, or newer."""
    return _version.get().minor >= minor
