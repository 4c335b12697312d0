"""Modules that are loaded only when something uses them."""

import sys
from collections.abc import Collection, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

SYNCHRONOUS_CLIENT = frozenset(
    f"kubernetes.{name}"
    for name in (
        *("client", "config", "dynamic", "informer", "leaderelection", "stream", "utils", "watch"),
        *("aio.dynamic", "aio.leaderelection", "aio.stream", "aio.watch"),
    )
)
"""What `import kubernetes.aio` brings with it: 250 modules of its own, of requests and oauthlib."""


def load_when_used(names: Collection[str]) -> None:
    """From now on importing these modules costs nothing until an attribute of one is asked for.

    https://docs.python.org/3/library/importlib.html#implementing-lazy-imports
    """
    sys.meta_path.insert(0, _Finder(names))


class _Finder(MetaPathFinder):
    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
