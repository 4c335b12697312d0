"""Node selectors and node affinity.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hourglass_kube.expression import (
    IN,
    NOT_IN,
    OPERATORS,
    Selector,
    predicate,
    requirements,
)
from hourglass_kube.node import NodeView
from hourglass_kube.types import JSON

Permits = Callable[[NodeView], bool]

_NAME = "metadata.name"


def compile_pod(pod_spec: Mapping[str, Any]) -> Permits:
    """A predicate for the nodes that nodeSelector and the required node affinity permit."""
    selector = compile_selector(pod_spec.get("nodeSelector"))
    terms = required_terms(pod_spec.get("affinity"))
    if terms is None:
        return selector
    permits = compile_terms(terms)
    if not pod_spec.get("nodeSelector"):
        return permits
    return lambda node: selector(node) and permits(node)


def compile_selector(node_selector: Mapping[str, str] | None) -> Permits:
    """A predicate for the nodes that bear all labels of a nodeSelector."""
    exact = tuple((node_selector or {}).items())
    if not exact:
        return lambda node: True  # noqa: ARG005
    if len(exact) == 1:
        key, value = exact[0]
        return lambda node: node.labels.get(key) == value

    def permits(node: NodeView) -> bool:
        labels = node.labels
        for key, value in exact:  # noqa: SIM110 - a generator takes twice as long
            if labels.get(key) != value:
                return False
        return True

    return permits


def compile_terms(terms: Sequence[Mapping[str, Any]]) -> Permits:
    """A predicate for the nodes that at least one of the terms permits; no terms permit none."""
    compiled = tuple(_compile_term(term) for term in terms)
    if len(compiled) == 1:
        return compiled[0]

    def permits(node: NodeView) -> bool:
        for term in compiled:  # noqa: SIM110 - a generator takes twice as long
            if term(node):
                return True
        return False

    return permits


def node_matches(pod_spec: Mapping[str, Any], node: NodeView) -> bool:
    """Whether nodeSelector and the required node affinity permit a node."""
    return compile_pod(pod_spec)(node)


def required_terms(affinity: Mapping[str, Any] | None) -> list[JSON] | None:
    """The OR-ed node selector terms that are required; None if nothing is."""
    node_affinity = (affinity or {}).get("nodeAffinity") or {}
    required = node_affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else list(required.get("nodeSelectorTerms") or ())


def preference(pod_spec: Mapping[str, Any]) -> Callable[[NodeView], int]:
    """The sum of the weights of the preferred terms that a node matches."""
    node_affinity = (pod_spec.get("affinity") or {}).get("nodeAffinity") or {}
    preferred = [
        (int(term["weight"]), _compile_term(term["preference"]))
        for term in node_affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    ]
    return lambda node: sum(weight for weight, term in preferred if term(node))


def _compile_term(term: Mapping[str, Any]) -> Permits:
    expressions = requirements(term.get("matchExpressions") or ())
    fields = requirements(term.get("matchFields") or ())
    # A term without expressions matches no node, and neither does one with an invalid expression:
    # k8s.io/component-helpers/scheduling/corev1/nodeaffinity
    if not (expressions or fields) or _invalid(expressions) or _invalid_fields(fields):
        return lambda node: False  # noqa: ARG005
    labels = predicate(expressions)
    if not fields:
        return lambda node: labels(node.labels)
    named = predicate(fields)
    return lambda node: labels(node.labels) and named({_NAME: node.name})


def _invalid(expressions: Selector) -> bool:
    return any(e.operator not in OPERATORS or e.faults() for e in expressions)


def _invalid_fields(fields: Selector) -> bool:
    return any(field.operator not in (IN, NOT_IN) or len(field.values) != 1 for field in fields)
