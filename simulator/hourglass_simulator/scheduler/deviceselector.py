"""CEL selectors of device classes and device requests.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-claim-v1/
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/dynamic-resource-allocation/cel/compile.go
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.cel_environment import evaluating_environment
from hourglass_simulator.apiserver.cel_messages import own
from hourglass_simulator.apiserver.cel_source import evaluable

_DOMAIN = re.compile(r"""(?:attributes|capacity)\s*\[\s*["']([^"']*)["']\s*\]""")
_CONTAINED = re.compile(r"""["']([^"']*)["']\s+in\s+device\s*\.\s*(?:attributes|capacity)\b""")
_NO_KEY = re.compile(
    r"[Nn]o such key:? *'?\"?([^'\"\s]*)|Key not found in map *:? *'?\"?([^'\"\s]*)"
)


class SelectorError(Exception):
    """An expression fails for a device; `at_run` if it compiles."""

    def __init__(self, message: str, *, at_run: bool) -> None:
        super().__init__(message)
        self.at_run = at_run


class DeviceSelector:
    """One expression, compiled."""

    def __init__(self, expression: str) -> None:
        known = evaluating_environment(("device",), binds=True)
        try:
            self._program = known.compile(evaluable(expression).text)
        except Exception as error:
            raise SelectorError(f"CEL compile error: {error}", at_run=False) from None
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
            raise SelectorError(_reason(str(result.value())), at_run=True)
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
        return own("Semver", str(value["version"]))
    return next(iter(value.values()))


def _capacity(value: JSON) -> Any:
    return own("Quantity", str(Fraction(quantity.parse(value["value"]))))


def _reason(text: str) -> str:
    found = _NO_KEY.search(text)
    return f"no such key: {found[1] or found[2]}" if found else text
