"""Names and lists of names of the resources that are about devices.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/resource/validation/validation.go
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from hourglass_simulator.apiserver.rules import names, volumes
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    duplicate,
    each,
    invalid,
    required,
    too_long,
    too_many,
)

_LONGEST_POOL, _LONGEST_ID = 253, 32
_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_IDENTIFIER_RULE = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of"
    " alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for"
    f" validation is '{_IDENTIFIER}')"
)

Check = Callable[[str, Any], Faults]

driver = volumes.driver_name


def items(path: str, given: Sequence[Any], most: int | None, check: Check) -> Faults:
    """A list with at most so many entries."""
    for index, one in enumerate(given):
        yield from check(f"{path}[{index}]", one)
    if most is not None and len(given) > most:
        yield too_many(path, len(given), most)


def unique(
    path: str, given: Sequence[Any], most: int | None, check: Check, key: str = ""
) -> Faults:
    """A list whose entries differ, in the field `key` where that is given."""
    yield from items(path, given, most, check)
    seen = set()
    for index, one in enumerate(given):
        found = one.get(key) or "" if key else one
        if found in seen:
            yield duplicate(f"{path}[{index}].{key}" if key else f"{path}[{index}]", found)
        seen.add(found)


def label(field: str, value: str | None) -> Faults:
    """The name of a request or a device."""
    yield from each(field, value or "", names.dns_label(value or ""))


def pool_name(field: str, name: str) -> Faults:
    """Subdomains, with slashes between them."""
    if not name:
        yield required(field)
        return
    if len(name) > _LONGEST_POOL:
        yield too_long(field, _LONGEST_POOL)
    for part in name.split("/"):
        yield from each(field, part, names.dns_subdomain(part))


def qualified_name(field: str, name: str) -> Faults:
    """An attribute or a capacity, which may have the domain of a driver."""
    domain, slash, identifier = name.rpartition("/")
    if not name:
        yield required(field, "name required")
    elif name.count("/") > 1:
        return
    elif slash and not domain:
        yield required(field, "the domain must not be empty")
    elif slash:
        yield from driver(field, domain)
    if slash and not identifier:
        yield required(field, "the name must not be empty")
    elif name:
        yield from _identifier(field, identifier)


def full_name(field: str, name: str) -> Faults:
    """An attribute with its domain."""
    yield from qualified_name(field, name)
    if name and "/" not in name:
        yield invalid(field, name, "must include a domain")


def _identifier(field: str, value: str) -> Faults:
    if len(value) > _LONGEST_ID:
        yield too_long(field, _LONGEST_ID)
    if not re.fullmatch(_IDENTIFIER, value):
        yield invalid(field, value, _IDENTIFIER_RULE)
