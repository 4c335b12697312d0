"""Options of writes in the query: who writes, and how.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.decoding import IGNORE, STRICT, WARN
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError, not_supported
from hourglass_simulator.http.apply_body import APPLY
from hourglass_simulator.http.request import Request

UNKNOWN = "unknown"
LONGEST_MANAGER = 128
"""Bytes of the name of a field manager."""
_OPTIONS = ("fieldManager", "fieldValidation")


def manager(request: Request) -> str:
    """The field manager: the one that is named, or the first part of the User-Agent."""
    return request.query.get("fieldManager") or _of_agent(request.agent) or UNKNOWN


def _of_agent(agent: str) -> str:
    name = ""
    for char in agent.partition("/")[0]:
        if not _is_printable(char):
            continue
        if len((name + char).encode()) > LONGEST_MANAGER:
            break
        name += char
    return name


def validate(request: Request, options: str) -> None:
    """422 for options of a kind (CreateOptions, UpdateOptions, PatchOptions) that are not valid."""
    faults = list(_faults(request, options))
    if faults:
        raise errors.invalid(Resource("", options, "meta.k8s.io"), "", faults)


def is_true(text: str) -> bool:
    """A boolean of a query: https://pkg.go.dev/k8s.io/apimachinery/pkg/runtime#Convert_Slice_string_To_bool."""
    return text.lower() not in ("false", "0", "") if text else False


def _faults(request: Request, options: str) -> Iterator[FieldError]:
    query = request.query
    name = query.get("fieldManager", "")
    if options == "PatchOptions":
        if request.content_type == APPLY:
            if not name:
                why = "is required for apply patch"
                yield FieldError(ErrorType.REQUIRED, "fieldManager", None, why)
        elif "force" in query:
            why = "may not be specified for non-apply patch"
            yield FieldError(ErrorType.FORBIDDEN, "force", None, why)
    if len(name.encode()) > LONGEST_MANAGER:
        why = f"may not be more than {LONGEST_MANAGER} bytes"
        yield FieldError(ErrorType.TOO_LONG, "fieldManager", None, why)
    position = 0
    for char in name:
        if not _is_printable(char):
            why = f"invalid character U+{ord(char):04X} (at position {position})"
            yield FieldError(ErrorType.INVALID, "fieldManager", name, why)
        position += len(char.encode())
    dry_run = query.get("dryRun")
    if dry_run not in (None, "", "All"):
        yield not_supported("dryRun", [dry_run], ("All",))
    mode = query.get("fieldValidation", "")
    if mode not in ("", IGNORE, WARN, STRICT):
        yield not_supported("fieldValidation", mode, ("", "Ignore", "Strict", "Warn"))


def _is_printable(char: str) -> bool:
    """https://pkg.go.dev/unicode#IsPrint"""
    return char == " " or (char.isprintable() and not char.isspace())


def options_of(request: Request) -> JSON:
    """The options of a write, as webhooks see them."""
    options: JSON = {name: request.query[name] for name in _OPTIONS if name in request.query}
    if request.method == "DELETE" and isinstance(request.body, dict):
        options = {k: v for k, v in request.body.items() if k not in ("kind", "apiVersion")}
    return {**options, "dryRun": ["All"]} if is_dry(request) else options


def is_dry(request: Request) -> bool:
    """https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run"""
    options: JSON | None = request.body if isinstance(request.body, dict) else {}
    if request.method != "DELETE" and options:
        # The options of an eviction are a part of it.
        options = options.get("deleteOptions")
    asked = options.get("dryRun") if isinstance(options, dict) else None
    if isinstance(asked, list) and "All" in asked:
        return True
    # Where the options of a deletion are its body, those of the query do not count.
    return request.query.get("dryRun") == "All" and not (request.method == "DELETE" and options)
