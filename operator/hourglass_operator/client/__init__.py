"""Performers for executors: create, wait until ready, upgrade, delete, watch.

    from hourglass_operator.api import PerformerSpec
    from hourglass_operator.client import Client

    with Client() as performers:
        performers.create("worker", PerformerSpec(avs_address="0x…", image="avs/worker:v1"))
        worker = performers.wait_until_ready("worker", timeout=300)
        call(performers.endpoint(worker))
        performers.upgrade("worker", image="avs/worker:v2", version="v2")
        performers.delete("worker")

`AsyncClient` has the same methods for programs with an event loop. Both need no more than the
executor Role of the API reference. See docs/executors.md.
"""

from hourglass_operator.client.async_client import AsyncClient
from hourglass_operator.client.environment import Environment
from hourglass_operator.client.errors import (
    AlreadyExistsError,
    Cause,
    ClientError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    MissingDefinitionError,
    NotFoundError,
    RequestError,
    UnauthorizedError,
    UnavailableError,
    UnreadableError,
)
from hourglass_operator.client.performer import Change, ChangeType, Metadata, Performer
from hourglass_operator.client.sync_client import Client
from hourglass_operator.client.wait_errors import (
    DeletedError,
    MoveError,
    NotDeletedError,
    NotReadyError,
    UpgradeError,
    WaitError,
)

__all__ = [
    "AlreadyExistsError",
    "AsyncClient",
    "Cause",
    "Change",
    "ChangeType",
    "Client",
    "ClientError",
    "ConfigurationError",
    "ConflictError",
    "DeletedError",
    "Environment",
    "ForbiddenError",
    "InvalidError",
    "Metadata",
    "MissingDefinitionError",
    "MoveError",
    "NotDeletedError",
    "NotFoundError",
    "NotReadyError",
    "Performer",
    "RequestError",
    "UnauthorizedError",
    "UnavailableError",
    "UnreadableError",
    "UpgradeError",
    "WaitError",
]
