"""metav1.Time: RFC 3339 in UTC with whole seconds."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=65536)
def parse(text: str) -> datetime:
    """A moment from its RFC 3339 text; fractions of a second (MicroTime) are kept.

    Raises ValueError if the text is no RFC 3339 time.
    """
    return datetime.fromisoformat(text)


@lru_cache(maxsize=4096)
def from_seconds(seconds: float) -> str:
    """Seconds since the Unix epoch as the API prints them, the fraction cut off."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
