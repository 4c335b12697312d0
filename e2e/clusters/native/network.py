"""Addresses and ports of the native cluster."""

from dataclasses import dataclass

from clusters import control_plane

API_ADDRESS = "10.247.0.1"
"""An address of this machine alone, on `DEVICE`, that pods reach too: API server, kubelet, DNS."""
DEVICE = "hourglass-e2e"
POD_RANGE = "10.246.0.0/24"
SECOND_ADDRESS, SECOND_POD_RANGE = "10.247.0.2", "10.246.1.0/24"
"""Of the second node."""
DNS_ADDRESS = "10.96.0.10"
"""In `commands.SERVICE_RANGE`."""


@dataclass(frozen=True)
class Ports(control_plane.Ports):
    """A port for each that listens, of the node too."""

    kubelet: int
    proxy_health: int
    proxy_metrics: int
    dns: int
