"""The hashes in the names of ReplicaSets and revisions.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/controller_utils.go
"""

import json
from typing import Any

_ALPHANUMERIC = "bcdfghjklmnpqrstvwxz2456789"


def digest(content: Any, collisions: int | None = None) -> str:
    """A hash in the letters of names: FNV-1a of 32 bits over the JSON of the content.

    Go hashes how it prints the struct in memory, so the real value is another one.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    if collisions is not None:
        text += str(collisions)
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return "".join(_ALPHANUMERIC[ord(c) % len(_ALPHANUMERIC)] for c in str(value))
