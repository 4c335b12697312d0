"""The HTTP servers: what they answer, and where they cannot listen."""

import asyncio
import re
import socket
from collections.abc import Iterator

import pytest

from hourglass_operator.runtime.process.probes import ListenError, Servers


@pytest.fixture
def taken() -> Iterator[str]:
    """An address at which somebody listens already."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


async def serve(address: str) -> None:
    servers = Servers()
    try:
        await servers.health(address, lambda: "")
    finally:
        await servers.stop()


def test_a_port_that_is_taken_is_named(taken: str) -> None:
    with pytest.raises(ListenError) as error:
        asyncio.run(serve(taken))
    assert str(error.value) == (f"health-address: cannot listen on {taken}: Address already in use")


def test_a_host_that_has_no_address_is_reported_in_words() -> None:
    with pytest.raises(ListenError) as error:
        asyncio.run(serve("no-such-host.invalid:1"))
    said = str(error.value)
    assert re.match("health-address: cannot listen on no-such-host.invalid:1: [A-Z][a-z]+ ", said)
    assert "Unknown error" not in said
