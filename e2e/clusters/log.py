"""What a person reads while a cluster is built and started."""

from collections.abc import Callable

Log = Callable[[str], None]
"""Prints one line."""
