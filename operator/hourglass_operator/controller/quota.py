"""What the refusal of a pod by a ResourceQuota says, and whether the end of others would help.

The text is that of the admission plugin:
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from hourglass_kube import quantity
from hourglass_kube.podresources import CPU
from hourglass_operator.controller.pod_view import PodView

_REFUSAL = re.compile(r"exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)$")
_REQUESTS = "requests."


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The quota, and for each of its entries that is short: requested, used, limited."""

    quota: str
    entries: Mapping[str, tuple[Decimal, Decimal, Decimal]]


def exceeded(message: str) -> Exceeded | None:
    """What a refusal says; None if it speaks of no quota, or in other words."""
    found = _REFUSAL.search(message)
    if found is None:
        return None
    try:
        requested, used, limited = (_amounts(text) for text in found.groups()[1:])
        entries = {name: (requested[name], used[name], limited[name]) for name in requested}
    except (KeyError, ValueError):
        return None
    return Exceeded(found[1], entries)


def helps(refused: Exceeded, ends: Iterable[PodView]) -> bool | None:
    """Whether the quota has room for the new pod once these have ended; None if not known.

    Known is what a ResourceQuota counts of a pod. Which scopes a quota has, and whether there is
    another one, the refusal does not say: one that counts less than they hold does not count them.
    """
    held: dict[str, int] = {}
    for pod in ends:
        for name, count in pod.quota_usage:
            held[name] = held.get(name, 0) + count
    enough = True
    for name, (requested, used, limited) in refused.entries.items():
        freed = _amount(name, held.get(name, 0))
        if not freed or used < freed:
            return None
        enough = enough and used - freed + requested <= limited
    return enough


def _amount(name: str, count: int) -> Decimal:
    return Decimal(count) / 1000 if name.rpartition(".")[2] == CPU else Decimal(count)


def _amounts(text: str) -> dict[str, Decimal]:
    pairs = (entry.partition("=") for entry in text.split(","))
    return {name: quantity.parse(amount) for name, _, amount in pairs}
