"""Whether the server is well: it always is, and so is everything that is checked.

https://kubernetes.io/docs/reference/using-api/health-checks/
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go
"""

from collections.abc import Sequence

from hourglass_simulator.apiserver.schema_error import quoted
from hourglass_simulator.http.request import NOT_FOUND, NOT_SNIFFED, Answer, Request
from hourglass_simulator.kubernetes.version import Version


def answer(version: Version, request: Request) -> Answer | None:
    """What is said of all checks, or of one; None for a path that is not about health."""
    # `OPTIONS *` has no path.
    endpoint, *check = request.path.removeprefix("/").split("/", 1)
    checks = version.health.get(endpoint) if request.path.startswith("/") else None
    if checks is None:
        return None
    if check:
        return Answer(200, "ok") if check[0] in checks else NOT_FOUND
    return Answer(200, _all(endpoint, checks, request), headers=NOT_SNIFFED)


def _all(endpoint: str, checks: Sequence[str], request: Request) -> str:
    if "verbose" not in request.query:
        return "ok"
    excluded = request.excluded
    lines = [f"[+]{each} {'excluded: ' if each in excluded else ''}ok" for each in checks]
    unknown = sorted({each for each in excluded if each not in checks})
    if unknown:
        named = ",".join(map(quoted, unknown))
        lines.append(f"warn: some health checks cannot be excluded: no matches for {named}")
    return "".join(f"{line}\n" for line in [*lines, f"{endpoint} check passed"])
