"""Validation of the defaults in a schema: they must be valid, and have no unknown fields.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting/validation.go
"""

from collections.abc import Iterator
from dataclasses import replace

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import schema_embedded
from hourglass_simulator.apiserver.cel import Rules
from hourglass_simulator.apiserver.schema import META, Node, compile_schema, pruned
from hourglass_simulator.apiserver.schema_error import ErrorType, FieldError
from hourglass_simulator.apiserver.schema_validation import validate


def faults(schema: JSON, path: str) -> Iterator[FieldError]:
    """What is wrong with the defaults of a structural schema."""
    root = compile_schema(schema)
    if not root.has_defaults and root.default is None:
        return
    yield from _faults(replace(root, embedded=True), path, in_meta=False)


def _faults(node: Node, path: str, *, in_meta: bool) -> Iterator[FieldError]:
    in_meta = in_meta and not node.embedded
    if node.default is not None:
        yield from _default(node, f"{path}.default", in_meta=in_meta)
    if node.items is not None:
        yield from _faults(node.items, f"{path}.items", in_meta=in_meta)
    for name, child in node.properties.items():
        within = in_meta or (node.embedded and name in META)
        yield from _faults(child, f"{path}.properties[{name}]", in_meta=within)


def _default(node: Node, path: str, *, in_meta: bool) -> Iterator[FieldError]:
    value = node.default
    if not in_meta:
        if pruned(value, node) != value:
            why = "must not have unknown fields"
            yield FieldError(ErrorType.INVALID, path, value, why)
        try:
            schema_embedded.coerced(value, node, path, [])
        except schema_embedded.EmbeddedError as error:
            yield error.error
            return
        if embedded := list(schema_embedded.faults(value, node, path)):
            yield from embedded
            return
    if wrong := list(validate(value, node, "")):
        for each in wrong:
            below = "" if each.field == "<nil>" else f".{each.field}"
            yield replace(each, field=f"{path}{below}")
        return
    yield from Rules(node, root=node.embedded).check(value, path)
