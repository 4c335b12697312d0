"""The tokens by which a list in parts goes on.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/storage/continue.go
"""

import base64
import json
import posixpath
import re
from typing import NamedTuple

from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.errors import APIError

_VERSION = "meta.k8s.io/v1"
CURRENT = -1
"""The version of a list that goes on at the state that is."""
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start"
    " a new list without the continue parameter, or use the continue token in this response to"
    " retrieve the remainder of the results. Continuing with the provided token results in an"
    " inconsistent list - objects that were created, modified, or deleted between the time the"
    " first chunk was returned and now may show up in the list."
)


class Place(NamedTuple):
    """Where a list goes on: at the first key from `start` on, in the state of `version`."""

    version: int
    start: str


def after(version: int, key: str) -> str:
    """The token for what follows a key."""
    return _encoded(Place(version, f"{key}\0"))


def place(token: str) -> Place:
    """What a token stands for; 400 for what is none."""
    if bad := re.search(r"[^A-Za-z0-9_-]", token):
        raise _invalid(f"illegal base64 data at input byte {bad.start()}")
    if len(token) % 4 == 1:
        raise _invalid(f"illegal base64 data at input byte {len(token) // 4 * 4}")
    text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid("invalid character looking for beginning of value") from None
    found = found if isinstance(found, dict) else {}
    version, start = found.get("rv", 0), found.get("start", "")
    if found.get("v", "") != _VERSION:
        raise _invalid(f"server does not recognize this encoded version {found.get('v', '')}")
    if type(version) is not int or not version:
        raise _invalid(f"incorrect encoded start resourceVersion (version {_VERSION})")
    if not isinstance(start, str) or not start:
        raise _invalid(f"encoded start key empty (version {_VERSION})")
    key = start if start.startswith("/") else f"/{start}"
    if posixpath.normpath(key) != key:
        raise _invalid(start)
    return Place(version, start)


def expired(lost: Place) -> APIError:
    """410 for a state that is no longer kept, with a token for the rest of the one that is."""
    token = _encoded(Place(CURRENT, lost.start))
    return APIError(410, "Expired", _TOO_OLD, metadata={"continue": token})


def _encoded(found: Place) -> str:
    content = {"v": _VERSION, "rv": found.version, "start": found.start}
    text = json.dumps(content, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _invalid(why: str) -> APIError:
    return errors.bad_request(f"invalid continue token: continue key is not valid: {why}")
