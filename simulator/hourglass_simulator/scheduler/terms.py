"""What a pod says of other pods: affinity terms and topology spread constraints, compiled.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from hourglass_kube import selector
from hourglass_kube.expression import IN, Requirement, Selector
from hourglass_kube.types import JSON

Labels = Mapping[str, str]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True)
class Term:
    """Pods of certain namespaces and labels, in the same topology; equal if `text` is."""

    text: str
    topology_key: str = field(compare=False)
    _namespaces: frozenset[str] = field(compare=False)
    _namespace_selector: Selector | None = field(compare=False)
    _selector: Selector | None = field(compare=False)

    def selects(self, namespace: str, labels: Labels, namespaces: Mapping[str, Labels]) -> bool:
        """Whether it means a pod; `namespaces` are the labels of each namespace."""
        if self._selector is None or not selector.matches_all(self._selector, labels):
            return False
        if namespace in self._namespaces:
            return True
        return self._namespace_selector is not None and selector.matches_all(
            self._namespace_selector, namespaces.get(namespace, {})
        )


@dataclass(frozen=True, slots=True)
class Spread:
    """A topology spread constraint; the pods it counts are those of its own namespace."""

    text: str
    topology_key: str = field(compare=False)
    max_skew: int = field(compare=False)
    min_domains: int = field(compare=False)
    honors_affinity: bool = field(compare=False)
    honors_taints: bool = field(compare=False)
    selector: Selector | None = field(compare=False)

    def selects(self, labels: Labels) -> bool:
        """Whether it means a pod with these labels."""
        return self.selector is not None and selector.matches_all(self.selector, labels)

    @property
    def counts_nobody(self) -> bool:
        """An empty selector matches the pod itself, but no others are counted."""
        return not self.selector


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything a pod says of others; weights of `preferred` are negative for anti-affinity."""

    affinity: tuple[Term, ...] = ()
    anti_affinity: tuple[Term, ...] = ()
    preferred: tuple[tuple[Term, int], ...] = ()
    spread: tuple[Spread, ...] = ()
    soft_spread: tuple[Spread, ...] = ()

    def __bool__(self) -> bool:
        return self is not NONE


NONE = Terms()


def terms_of(namespace: str, labels: Labels, spec: JSON) -> Terms:
    """The terms of a pod; NONE if it says nothing of others."""
    affinity, spread = spec.get("affinity"), spec.get("topologySpreadConstraints")
    if not spread and not (affinity and (affinity.keys() & {"podAffinity", "podAntiAffinity"})):
        return NONE
    keys = {key for one in spread or () for key in one.get("matchLabelKeys") or ()}
    chosen = {key: labels[key] for key in sorted(keys) if key in labels}
    text = json.dumps([namespace, chosen, affinity, spread], sort_keys=True)
    return _compiled(text)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Terms:
    namespace, labels, affinity, spread = json.loads(text)
    near = (affinity or {}).get("podAffinity") or {}
    apart = (affinity or {}).get("podAntiAffinity") or {}
    constraints = [(c["whenUnsatisfiable"], _spread(c, labels)) for c in spread or ()]
    return Terms(
        affinity=tuple(_term(term, namespace) for term in near.get(_REQUIRED) or ()),
        anti_affinity=tuple(_term(term, namespace) for term in apart.get(_REQUIRED) or ()),
        preferred=tuple(
            (_term(term["podAffinityTerm"], namespace), sign * term["weight"])
            for sign, kind in ((1, near), (-1, apart))
            for term in kind.get(_PREFERRED) or ()
        ),
        spread=tuple(c for action, c in constraints if action == "DoNotSchedule"),
        soft_spread=tuple(c for action, c in constraints if action == "ScheduleAnyway"),
    )


def _term(term: JSON, namespace: str) -> Term:
    chosen, of_namespaces = term.get("labelSelector"), term.get("namespaceSelector")
    namespaces = term.get("namespaces") or ([namespace] if of_namespaces is None else [])
    said = [term["topologyKey"], sorted(namespaces), of_namespaces, chosen]
    return Term(
        text=json.dumps(said, sort_keys=True),
        topology_key=term["topologyKey"],
        _namespaces=frozenset(namespaces),
        _namespace_selector=_optional(of_namespaces),
        _selector=_optional(chosen),
    )


def _spread(constraint: JSON, labels: JSON) -> Spread:
    chosen = _optional(constraint.get("labelSelector"))
    keys = [key for key in constraint.get("matchLabelKeys") or () if key in labels]
    if chosen is not None:
        chosen = (*chosen, *(Requirement(key, IN, (labels[key],)) for key in keys))
    return Spread(
        text=json.dumps([constraint, [labels[key] for key in keys]], sort_keys=True),
        topology_key=constraint["topologyKey"],
        max_skew=constraint["maxSkew"],
        min_domains=constraint.get("minDomains") or 1,
        honors_affinity=constraint.get("nodeAffinityPolicy", "Honor") == "Honor",
        honors_taints=constraint.get("nodeTaintsPolicy", "Ignore") == "Honor",
        selector=chosen,
    )


def _optional(label_selector: JSON | None) -> Selector | None:
    return None if label_selector is None else selector.compile_selector(label_selector)
