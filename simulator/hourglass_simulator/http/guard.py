"""What keeps web pages and other hosts from a cluster on a developer's machine.

A page in a browser reaches every port of the machine that it runs on: by a name that it makes
resolve to 127.0.0.1, or by a form, which needs no permission.
https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS#simple_requests
"""

import re
from collections.abc import Mapping

from hourglass_simulator.apiserver import APIError

_LOOPBACK = r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?"
_HOST = re.compile(_LOOPBACK, re.ASCII | re.IGNORECASE)
_ORIGIN = re.compile(f"https?://{_LOOPBACK}", re.ASCII | re.IGNORECASE)


def check(method: str, headers: Mapping[str, str], *, credentials: bool) -> None:
    """403 for a Host or an Origin that is not this machine's, 415 for what a form could send."""
    host, origin = headers.get("Host", ""), headers.get("Origin")
    if not _HOST.fullmatch(host):
        raise _foreign("Host", host)
    if origin is not None and not _ORIGIN.fullmatch(origin):
        raise _foreign("Origin", origin)
    # What asks for a stream, as kubectl exec does, has no body, and no page can ask for one.
    typed = headers.get("Content-Type") or headers.get("Upgrade")
    if method == "POST" and not credentials and not typed:
        text = "a Content-Type, as application/json, is expected of writes without credentials"
        raise APIError(415, "UnsupportedMediaType", text)


def _foreign(header: str, value: str) -> APIError:
    text = f'{header} "{value}" is forbidden: expected localhost or 127.0.0.1 and a port'
    return APIError(403, "Forbidden", text)
