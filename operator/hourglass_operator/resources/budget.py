"""The PodDisruptionBudget of a Performer: the API server refuses to evict its pods.

https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.resources import names
from hourglass_operator.resources.drift import Drift, label_drifts, owner_drift, words
from hourglass_operator.resources.owner import owner_reference, owner_uid

_MORE_THAN_SERVE = 2
"""One pod serves, and during a move two do; which one goes, and when, is for the operator.

Any other way to say "none" needs a scale subresource:
https://kubernetes.io/docs/tasks/run-application/configure-pdb/#arbitrary-controllers-and-selectors
"""


@dataclass(frozen=True, slots=True)
class BudgetView:
    """A PodDisruptionBudget without its status; `owner` is as in `owner_uid`.

    `managed`: it says that this operator made it. `selector` is a LabelSelector, None if it selects
    nothing; `fields` is the rest of the spec. `kept`: finalizers of others will keep it, or do.
    """

    name: str
    uid: str
    owner: str
    labels: Mapping[str, str]
    managed: bool
    selector: JSON | None
    fields: JSON
    deleted: bool
    kept: bool


def build_budget(name: str, namespace: str, uid: str, avs_address: str) -> JSON:
    """The budget of the Performer `namespace/name` (`uid`).

    A pod that is not Ready may be evicted: it is no loss, and a drain waits for nothing.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {
            "name": names.budget_name(name),
            "namespace": namespace,
            "labels": names.labels(name, avs_address),
            "ownerReferences": [owner_reference(name, uid)],
        },
        "spec": {
            "minAvailable": _MORE_THAN_SERVE,
            "selector": {"matchLabels": names.selector(name)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def view(budget: Mapping[str, Any]) -> BudgetView:
    """Trim a PodDisruptionBudget as the API returns it."""
    meta, spec = budget["metadata"], budget.get("spec") or {}
    labels = meta.get("labels") or {}
    return BudgetView(
        name=meta["name"],
        uid=meta.get("uid", ""),
        owner=owner_uid(meta),
        labels=names.OwnLabels(labels),
        managed=labels.get(names.MANAGED_BY_LABEL) == names.MANAGED_BY,
        selector=spec.get("selector"),
        fields={key: value for key, value in spec.items() if key != "selector"},
        deleted="deletionTimestamp" in meta,
        kept=bool(meta.get("finalizers")),
    )


def budget_drifts(observed: BudgetView, wanted: Mapping[str, Any]) -> tuple[Drift, ...]:
    """The fields in which a budget of the operator differs from the wanted one."""
    drifts = list(label_drifts(observed.labels, wanted["metadata"]["labels"]))
    if not observed.owner:
        drifts.append(owner_drift(wanted["metadata"]["ownerReferences"][0]["name"]))
    found, asked = {**observed.fields, "selector": observed.selector}, wanted["spec"]
    drifts.extend(
        Drift(("spec", key), words(found.get(key)), words(asked.get(key)))
        for key in sorted({*found, *asked})
        if found.get(key) != asked.get(key)
    )
    return tuple(drifts)


def selects_nothing(observed: BudgetView) -> tuple[JSON, tuple[Drift, ...]]:
    """A merge patch by which a budget has no say any more, and what it ends.

    A budget refuses evictions also while it is being deleted, and two that select a pod refuse any;
    one without a selector selects nothing. `getPodDisruptionBudgets` in
    https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/registry/core/pod/storage/eviction.go
    """
    found = Drift(("spec", "selector"), words(observed.selector), words(None))
    return {"spec": {"selector": None}}, (found,)


def budget_repair(observed: BudgetView, wanted: Mapping[str, Any]) -> JSON:
    """A merge patch that ends every drift."""
    metadata = {"labels": wanted["metadata"]["labels"]}
    if not observed.owner:
        metadata["ownerReferences"] = wanted["metadata"]["ownerReferences"]
    selector = _only(wanted["spec"]["selector"], observed.selector or {})
    spec = _only(wanted["spec"], observed.fields)
    return {"metadata": metadata, "spec": {**spec, "selector": selector}}


def _only(wanted: JSON, observed: Mapping[str, Any]) -> JSON:
    """A merge patch that leaves these fields and no other, two levels deep."""
    fields = dict.fromkeys(observed) | wanted
    return {
        key: dict.fromkeys(observed.get(key) or {}) | value if isinstance(value, dict) else value
        for key, value in fields.items()
    }
