"""A network of their own for processes that listen on every address of a machine."""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


_NEW_NETWORK = 0x40000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1


@contextmanager
def private_network() -> Iterator[Callable[[Callable[[], T]], T]]:
    """A network with nothing but 127.0.0.1, without a way out; needs root.

    It is the network of one thread (https://man7.org/linux/man-pages/man7/network_namespaces.7.html):
    what is called through the value runs in that thread, so processes that are started and sockets
    that are opened there belong to it. A socket that listens inside may be served by any thread.
    """
    with ThreadPoolExecutor(1, "private-network", initializer=_leave) as inside:
        yield lambda function: inside.submit(function).result()


def _leave() -> None:
    """Give this thread a network of its own, and let its loopback device work."""
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        name, flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, _GET_FLAGS, request))
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", name, flags | _UP))
