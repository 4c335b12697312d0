"""What a provider of clusters is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusters.cluster import Cluster

Say = Callable[[str], None]
"""Prints one line for the person who waits."""

Provider = Callable[[Say], AbstractContextManager["Cluster"]]
"""Starts a cluster on entering and takes it down on leaving, also when the start fails.

Entering raises `Unavailable` where this provider cannot work.
"""


class Unavailable(Exception):  # noqa: N818 - what is true of the provider here
    """A provider cannot give a cluster on this machine; the message says why."""


class ImageImportError(Exception):
    """An image archive could not be brought to the real node; the message says why."""
