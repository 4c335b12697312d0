"""metav1.Time: RFC 3339 in UTC with whole seconds."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)


@lru_cache(maxsize=65536)
def parse(text: str) -> datetime:
    """A moment from its RFC 3339 text; a fraction is kept to the microsecond (MicroTime).

    Raises ValueError if the text is no RFC 3339 time.
    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    return datetime.fromisoformat(text)


@lru_cache(maxsize=4096)
def from_seconds(seconds: float) -> str:
    """Seconds since the Unix epoch as the API prints them, the fraction cut off."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
