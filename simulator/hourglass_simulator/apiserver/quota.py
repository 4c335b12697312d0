"""ResourceQuota: what an object may add to what is used, and the new state of what is used.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from hourglass_kube import quantity
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.pod_quantities import difference, total
from hourglass_simulator.apiserver.quota_usage import (
    Usage,
    evaluator,
    is_terminating,
    missing,
    scopes,
)
from hourglass_simulator.apiserver.resources import Resource


class Charged(NamedTuple):
    """A quota and what is used of it with the object."""

    quota: JSON
    used: Usage


class QuotaError(Exception):
    """Why an object is refused."""


def charge(
    quotas: Iterable[JSON], resource: Resource, new: JSON, old: JSON | None
) -> list[Charged]:
    """The quotas of which a created or (with `old`) changed object uses more than before.

    Raises QuotaError when it is more than is left.
    """
    own = evaluator(resource)
    if old is not None and not _counts_again(resource, new, old, updates=own.updates):
        return []
    interesting = list(_concerned(quotas, resource, new))
    charged = []
    for quota in interesting:
        asked = own.usage(new)
        if negative := sorted(name for name, amount in asked.items() if _value(amount) < 0):
            raise QuotaError(f"quota usage is negative for resource(s): {','.join(negative)}")
        if old is not None and all(own.in_scope(scope, old) for scope in scopes(quota)):
            before = own.usage(old)
            asked = {name: difference(v, before.get(name, "0")) for name, v in asked.items()}
        hard, used = quota["status"]["hard"], quota["status"].get("used") or {}
        asked = {name: v for name, v in asked.items() if _value(v) and name in hard}
        if not asked:
            continue
        after = {name: total(used.get(name, "0"), amount) for name, amount in asked.items()}
        over = sorted(name for name in asked if _value(after[name]) > _value(hard[name]))
        if over:
            parts = (("requested", asked), ("used", used), ("limited", hard))
            listed = ", ".join(
                f"{title}: " + ",".join(f"{n}={amounts[n]}" for n in over if n in amounts)
                for title, amounts in parts
            )
            raise QuotaError(f"exceeded quota: {quota['metadata']['name']}, {listed}")
        charged.append(Charged(quota, {**used, **after}))
    return charged


def _counts_again(resource: Resource, new: JSON, old: JSON, *, updates: bool) -> bool:
    if resource.qualified == "pods":
        return is_terminating(new) != is_terminating(old)
    return updates


def _concerned(quotas: Iterable[JSON], resource: Resource, obj: JSON) -> Iterator[JSON]:
    own = evaluator(resource)
    for quota in quotas:
        status, name = quota.get("status") or {}, quota["metadata"]["name"]
        counted = sorted(each for each in status.get("hard") or {} if own.concerns(each))
        if not counted or not all(own.in_scope(scope, obj) for scope in scopes(quota)):
            continue
        if resource.qualified == "pods" and (said := missing(counted, obj)):
            raise QuotaError(f"failed quota: {name}: must specify {said}")
        if any(each not in (status.get("used") or {}) for each in counted):
            why = f"status unknown for quota: {name}, resources: {','.join(counted)}"
            raise QuotaError(why)
        yield quota


def _value(amount: str) -> Decimal:
    return quantity.parse(amount)
