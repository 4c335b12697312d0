"""Node selectors and node affinity.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
"""

from collections.abc import Callable, Mapping
from typing import Any

from hourglass_operator.kube.node import NodeView
from hourglass_operator.kube.selector import Selector, compile_expressions, matches_all

JSON = Mapping[str, Any]


def compile_pod(pod_spec: JSON) -> Callable[[NodeView], bool]:
    """A predicate for the nodes that nodeSelector and the required node affinity permit."""
    exact = tuple((pod_spec.get("nodeSelector") or {}).items())
    required = required_terms(pod_spec.get("affinity"))
    terms = None if required is None else [_compile_term(term) for term in required]

    def permits(node: NodeView) -> bool:
        labels = node.labels
        if any(labels.get(key) != value for key, value in exact):
            return False
        return terms is None or any(term(node) for term in terms)

    return permits


def node_matches(pod_spec: JSON, node: NodeView) -> bool:
    """Whether nodeSelector and the required node affinity permit a node."""
    return compile_pod(pod_spec)(node)


def required_terms(affinity: JSON | None) -> list[dict[str, Any]] | None:
    """The OR-ed node selector terms that are required; None if nothing is."""
    node_affinity = (affinity or {}).get("nodeAffinity") or {}
    required = node_affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else list(required.get("nodeSelectorTerms") or ())


def preference(pod_spec: JSON) -> Callable[[NodeView], int]:
    """The sum of the weights of the preferred terms that a node matches."""
    node_affinity = (pod_spec.get("affinity") or {}).get("nodeAffinity") or {}
    preferred = [
        (int(term["weight"]), _compile_term(term["preference"]))
        for term in node_affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    ]
    return lambda node: sum(weight for weight, term in preferred if term(node))


def _compile_term(term: JSON) -> Callable[[NodeView], bool]:
    expressions: Selector = compile_expressions(term.get("matchExpressions") or ())
    fields: Selector = compile_expressions(term.get("matchFields") or ())
    # A term without expressions matches no node.
    if not expressions and not fields:
        return lambda _: False
    if not fields:
        return lambda node: matches_all(expressions, node.labels)
    return lambda node: (
        matches_all(expressions, node.labels) and matches_all(fields, {"metadata.name": node.name})
    )
