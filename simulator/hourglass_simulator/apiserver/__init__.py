"""The simulated API server."""

from hourglass_simulator.apiserver.calls import Audit, Call, Interceptor
from hourglass_simulator.apiserver.errors import APIError, CallTimeoutError
from hourglass_simulator.apiserver.pages import ObjectList
from hourglass_simulator.apiserver.server import APIServer
from hourglass_simulator.apiserver.watch import Watch, WatchEvent

__all__ = [
    "APIError",
    "APIServer",
    "Audit",
    "Call",
    "CallTimeoutError",
    "Interceptor",
    "ObjectList",
    "Watch",
    "WatchEvent",
]
