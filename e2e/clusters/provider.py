"""What a provider of clusters is."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from clusters.cluster import Cluster
from clusters.log import Log

Provider = Callable[[Log], AbstractContextManager[Cluster]]
"""Starts a cluster on entering and takes it down on leaving, also when the start fails.

Entering raises `UnavailableError` where this provider cannot work.
"""
