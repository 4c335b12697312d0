"""Addresses and ports of the native cluster."""

import dataclasses
import socket
from contextlib import ExitStack
from dataclasses import dataclass

API_ADDRESS = "10.247.0.1"
"""An address of this machine alone, on `DEVICE`, that pods reach too: API server, kubelet, DNS."""
DEVICE = "hourglass-e2e"
POD_RANGE = "10.246.0.0/24"
SERVICE_RANGE = "10.96.0.0/16"
DNS_ADDRESS = "10.96.0.10"


@dataclass(frozen=True)
class Ports:
    """A free port for each that listens."""

    apiserver: int
    etcd: int
    etcd_peer: int
    controller_manager: int
    scheduler: int
    kubelet: int
    proxy_health: int
    proxy_metrics: int
    dns: int


def free_ports() -> Ports:
    """Ports that nobody listens on now."""
    names = [field.name for field in dataclasses.fields(Ports)]
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind(("", 0))
        return Ports(*(each.getsockname()[1] for each in sockets))
