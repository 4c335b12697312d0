"""The options of lists and watches that say which state they begin with.

https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hourglass_simulator.apiserver import errors
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError, not_supported

EXACT, NOT_OLDER = "Exact", "NotOlderThan"
_MATCH, _INITIAL = "resourceVersionMatch", "sendInitialEvents"


@dataclass(frozen=True, slots=True)
class ListOptions:
    """`version` is 0 for any; `exact`: that version and no later one."""

    version: int = 0
    exact: bool = False


def of_list(query: Mapping[str, str]) -> ListOptions:
    """The options of a list; 422 or 400 when they make no sense."""
    version, match = query.get("resourceVersion", ""), query.get(_MATCH, "")
    if faults := list(_faults_of_list(query, version, match)):
        raise errors.invalid_list_options(faults)
    if query.get("continue") and version not in ("", "0"):
        text = "specifying resource version is not allowed when using continue"
        raise errors.bad_request(text)
    number = of_version(version)
    limited = query.get("limit", "0") != "0"
    return ListOptions(number, match == EXACT or (limited and not match and number > 0))


def of_version(version: str) -> int:
    """A resourceVersion, 0 for any; 400 for what is none."""
    wrong = ""
    if version and not _DIGITS.fullmatch(version):
        wrong = "invalid syntax"
    elif len(version) > 20 or int(version or 0) >= 1 << 64:
        wrong = "value out of range"
    if wrong:
        why = f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}"'
        raise errors.bad_request(f"invalid resource version: {why}: {wrong}")
    return int(version or 0)


_DIGITS = re.compile(r"\d+", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


def integer(query: Mapping[str, str], name: str) -> int:
    """A number, 0 where there is none; 400 with Go's text."""
    text = query.get(name)
    if text is None:
        return 0
    wrong = "" if _INTEGER.fullmatch(text) else "invalid syntax"
    if not wrong and (len(text) > 20 or not -(1 << 63) <= int(text) < 1 << 63):
        wrong = "value out of range"
    if wrong:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": {wrong}')
    return int(text)


def _faults_of_list(query: Mapping[str, str], version: str, match: str) -> list[FieldError]:
    faults = []
    if match:
        if not version:
            why = f"{_MATCH} is forbidden unless resourceVersion is provided"
            faults.append(FieldError(ErrorType.FORBIDDEN, _MATCH, None, why))
        if query.get("continue"):
            why = f"{_MATCH} is forbidden when continue is provided"
            faults.append(FieldError(ErrorType.FORBIDDEN, _MATCH, None, why))
        if match not in (EXACT, NOT_OLDER):
            faults.append(not_supported(_MATCH, match, (EXACT, NOT_OLDER, "")))
        elif match == EXACT and version == "0":
            why = f'{_MATCH} "exact" is forbidden for resourceVersion "0"'
            faults.append(FieldError(ErrorType.FORBIDDEN, _MATCH, None, why))
    if _INITIAL in query:
        why = f"{_INITIAL} is forbidden for list"
        faults.append(FieldError(ErrorType.FORBIDDEN, _INITIAL, None, why))
    return faults


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether an option is on; anything but these is.

    https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/runtime/conversion.go
    """
    return query.get(name, "false").lower() not in ("false", "0")


def initial_events(query: Mapping[str, str]) -> bool | None:
    """Whether a watch begins with what there is, None when it does not say; 422 as above.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists
    """
    match, asked = query.get(_MATCH, ""), query.get(_INITIAL)
    if asked is None and not match and query.get("resourceVersion", "") in ("", "0"):
        # Whoever does not say where to begin gets what there is first.
        match, asked = NOT_OLDER, "true"
    faults = []
    if asked is not None and match != NOT_OLDER:
        why = f"{_INITIAL} requires setting {_MATCH} to {NOT_OLDER}"
        faults.append(FieldError(ErrorType.FORBIDDEN, _MATCH, None, why))
    if match and asked is None:
        why = f"{_MATCH} is forbidden for watch unless {_INITIAL} is provided"
        faults.append(FieldError(ErrorType.FORBIDDEN, _MATCH, None, why))
    if match and match != NOT_OLDER:
        faults.append(not_supported(_MATCH, match, (NOT_OLDER,)))
    if match and query.get("continue"):
        why = f"{_MATCH} is forbidden when continue is provided"
        faults.append(FieldError(ErrorType.FORBIDDEN, _MATCH, None, why))
    if faults:
        raise errors.invalid_list_options(faults)
    return None if asked is None else asked.lower() not in ("false", "0")
