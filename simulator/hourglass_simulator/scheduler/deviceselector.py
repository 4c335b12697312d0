"""CEL selectors of device classes and device requests.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-claim-v1/
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/dynamic-resource-allocation/cel/compile.go

A quantity is represented by its text, and a version by its text behind a mark.
"""

import re
from functools import cache, lru_cache
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]
from cel_expr_python.ext.ext_bindings import ExtBindings  # type: ignore[import-untyped]
from cel_expr_python.ext.ext_strings import ExtStrings  # type: ignore[import-untyped]

from hourglass_kube import quantity
from hourglass_kube.types import JSON

_MARK = "semver "
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_DOMAIN = re.compile(r"""(?:attributes|capacity)\s*\[\s*["']([^"']*)["']\s*\]""")
_CONTAINED = re.compile(r"""["']([^"']*)["']\s+in\s+device\s*\.\s*(?:attributes|capacity)\b""")
_NO_KEY = re.compile(
    r"[Nn]o such key:? *'?\"?([^'\"\s]*)|Key not found in map *:? *'?\"?([^'\"\s]*)"
)


class SelectorError(Exception):
    """An expression fails for a device."""


class DeviceSelector:
    """One expression, compiled."""

    def __init__(self, expression: str) -> None:
        try:
            self._program = _environment().compile(expression)
        except Exception as error:
            raise SelectorError(f"CEL compile error: {error}") from None
        self._domains = frozenset(_DOMAIN.findall(expression))
        self._domains -= frozenset(_CONTAINED.findall(expression))

    def matches(self, driver: str, device: JSON) -> bool:
        """Whether a device of a driver is meant; raises SelectorError."""
        shown = {
            "driver": driver,
            "allowMultipleAllocations": bool(device.get("allowMultipleAllocations")),
            "attributes": self._by_domain(driver, device.get("attributes") or {}, _attribute),
            "capacity": self._by_domain(driver, device.get("capacity") or {}, _capacity),
        }
        result = self._program.eval(data={"device": shown})
        if result.type() == cel.Type.ERROR:
            raise SelectorError(f"CEL runtime error: {_reason(str(result.value()))}")
        return result.value() is True

    def _by_domain(self, driver: str, values: JSON, plain: Any) -> dict[str, dict[str, Any]]:
        # A domain that a device knows nothing of is an empty map, though it is not contained.
        found: dict[str, dict[str, Any]] = {domain: {} for domain in sorted(self._domains)}
        for name, value in values.items():
            domain, _, identifier = name.rpartition("/")
            found.setdefault(domain or driver, {})[identifier] = plain(value)
        return found


@lru_cache(maxsize=1024)
def compiled(expression: str) -> DeviceSelector:
    """The selector of an expression; raises SelectorError if it does not compile."""
    return DeviceSelector(expression)


def _attribute(value: JSON) -> Any:
    if "version" in value:
        return _MARK + str(value["version"])
    return next(iter(value.values()))


def _capacity(value: JSON) -> str:
    return str(value["value"])


def _reason(text: str) -> str:
    found = _NO_KEY.search(text)
    return f"no such key: {found[1] or found[2]}" if found else text


def _compare(one: str, other: str) -> int:
    if one.startswith(_MARK):
        left, right = _precedence(one), _precedence(other)
        return (left > right) - (left < right)
    first, second = quantity.parse(one), quantity.parse(other)
    return (first > second) - (first < second)


def _precedence(version: str) -> tuple[Any, ...]:
    """https://semver.org/#spec-item-11"""
    found = _SEMVER.fullmatch(version.removeprefix(_MARK))
    if found is None:
        raise ValueError(f"{version} is no semantic version")
    numbers = tuple(map(int, found.groups()[:3]))
    if found[4] is None:
        return (*numbers, 1, ())
    parts = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split(".")
    )
    return (*numbers, 0, parts)


def _part(version: str, index: int) -> int:
    return int(_precedence(version)[index])


def _is_quantity(text: str) -> bool:
    try:
        quantity.parse(text)
    except ValueError:
        return False
    return True


@cache
def _environment() -> cel.Env:
    kinds = cel.Type

    def function(name: str, parameters: int, result: cel.Type, work: Any) -> cel.FunctionDecl:
        given = [kinds.STRING] * parameters
        member = name not in ("quantity", "isQuantity", "semver", "isSemver")
        return cel.FunctionDecl(name, [cel.Overload(f"{name}_text", result, given, member, work)])

    return cel.NewEnv(
        variables={"device": kinds.DYN},
        extensions=[ExtStrings(), ExtBindings()],
        functions=[
            function("quantity", 1, kinds.STRING, lambda text: text),
            function("isQuantity", 1, kinds.BOOL, _is_quantity),
            function("semver", 1, kinds.STRING, lambda text: _MARK + text),
            function("isSemver", 1, kinds.BOOL, lambda t: _SEMVER.fullmatch(t) is not None),
            function("compareTo", 2, kinds.INT, _compare),
            function("isLessThan", 2, kinds.BOOL, lambda a, b: _compare(a, b) < 0),
            function("isGreaterThan", 2, kinds.BOOL, lambda a, b: _compare(a, b) > 0),
            function("major", 1, kinds.INT, lambda version: _part(version, 0)),
            function("minor", 1, kinds.INT, lambda version: _part(version, 1)),
            function("patch", 1, kinds.INT, lambda version: _part(version, 2)),
        ],
    )
