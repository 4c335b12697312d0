"""Embedded resources: objects with a kind, an API version and metadata of their own.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.decoding import codec
from hourglass_simulator.apiserver.definition_names import LABEL_1035_RULE, is_label_1035
from hourglass_simulator.apiserver.rules import object_meta
from hourglass_simulator.apiserver.schema import Node
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError
from hourglass_simulator.kubernetes.version import DEFAULT

_META = "k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta"


class EmbeddedError(ValueError):
    """An embedded resource that cannot be decoded."""

    def __init__(self, field: str, value: Any, detail: str) -> None:
        error = FieldError(ErrorType.INVALID, field.removeprefix("."), value, detail)
        super().__init__(f"{error.field}: {error.message}")
        self.error = error


def coerced(value: Any, node: Node | None, path: str, strange: list[str]) -> Any:
    """`value` with the metadata of embedded resources as Go would print it.

    What nobody knows of it goes to `strange`. Raises EmbeddedError when it does not fit.
    """
    if node is None or not (node.has_embedded or node.embedded):
        return value
    if isinstance(value, dict):
        changed = {}
        for name, child_value in value.items():
            here = f"{path}.{name}"
            new = child_value
            if node.embedded and name in ("apiVersion", "kind"):
                if not isinstance(child_value, str):
                    raise EmbeddedError(here, child_value, "must be a string")
            elif node.embedded and name == "metadata":
                new = _metadata(child_value, here, strange)
            child = node.properties.get(name, node.additional)
            new = coerced(new, child, here, strange)
            if new is not child_value:
                changed[name] = new
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [coerced(v, node.items, f"{path}[{i}]", strange) for i, v in enumerate(value)]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def _metadata(meta: Any, path: str, strange: list[str]) -> Any:
    if meta is None:
        return {}
    try:
        decoded = codec(DEFAULT).decode(_META, meta)
    except ValueError as error:
        why = str(error)
        if not isinstance(meta, dict):
            why = why.replace("into Go struct field . of type", "into Go value of type")
        raise EmbeddedError(path, meta, why) from None
    named = f'unknown field "{path.removeprefix(".")}.'
    strange += [each.replace('unknown field "', named, 1) for each in decoded.strange]
    printed = {k: v for k, v in decoded.obj.items() if v is not None or k != "creationTimestamp"}
    return meta if printed == meta else printed


def faults(value: Any, node: Node | None, path: str) -> Iterator[FieldError]:
    """What is wrong with the kinds, API versions and metadata of embedded resources."""
    if node is None or not (node.has_embedded or node.embedded):
        return
    if isinstance(value, dict):
        if node.embedded:
            yield from _resource(value, path)
        for name in sorted(value):
            child = node.properties.get(name)
            if child is not None:
                yield from faults(value[name], child, f"{path}.{name}")
            else:
                yield from faults(value[name], node.additional, f"{path}[{name}]")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(item, node.items, f"{path}[{index}]")


def _resource(value: JSON, path: str) -> Iterator[FieldError]:
    at = path.removeprefix(".")
    for name in ("apiVersion", "kind"):
        if name not in value:
            yield FieldError(ErrorType.REQUIRED, f"{at}.{name}", None, "")
        else:
            yield from _text(value[name], f"{at}.{name}", _RULES[name])
    meta = value.get("metadata")
    if isinstance(meta, dict):
        named = {**meta, "name": meta.get("name") or "fakename"}
        plural = "roles"  # Any name that fits into a path will do.
        for fault in object_meta.created(plural, named):
            yield replace(fault, field=f"{at}.{fault.field}")


def _text(value: Any, field: str, rule: Callable[[str], str]) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield FieldError(ErrorType.INVALID, field, value, "must be a string")
    elif not value:
        yield FieldError(ErrorType.INVALID, field, value, "must not be empty")
    elif wrong := rule(value):
        yield FieldError(ErrorType.INVALID, field, value, wrong)


def _version(value: str) -> str:
    return f"unexpected GroupVersion string: {value}" if value.count("/") > 1 else ""


def _kind(value: str) -> str:
    if is_label_1035(value.lower()):
        return ""
    return f"may have mixed case, but should otherwise match: {LABEL_1035_RULE}"


_RULES = {"apiVersion": _version, "kind": _kind}
