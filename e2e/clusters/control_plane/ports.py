"""Ports of this machine that nobody uses."""

import dataclasses
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Ports:
    """A port for each that listens."""

    apiserver: int
    etcd: int
    etcd_peer: int
    controller_manager: int
    scheduler: int

    @classmethod
    def free(cls) -> Self:
        """Those that nobody listens on now."""
        names = [field.name for field in dataclasses.fields(cls)]
        with ExitStack() as held:
            sockets = [held.enter_context(socket.socket()) for _ in names]
            for each in sockets:
                each.bind(("", 0))
            return cls(*(each.getsockname()[1] for each in sockets))
