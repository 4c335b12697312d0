"""Claims with admin access to devices are for namespaces with a label.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/resource/utils.go
"""

from collections.abc import Mapping, Sequence

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules.fault import Faults, forbidden

_LABEL = "resource.kubernetes.io/admin-access"


def faults(plural: str, new: JSON, old: JSON | None, labels: Mapping[str, str]) -> Faults:
    """What is wrong with a claim or a template of claims in a namespace with these labels."""
    if labels.get(_LABEL) == "true":
        return
    where = _where(plural, new, old)
    if where:
        why = f"admin access to devices requires the `{_LABEL}: true` label"
        yield forbidden(where, f"{why} on the containing namespace")


def _where(plural: str, new: JSON, old: JSON | None) -> str:
    """The first field that asks for it, or has been given it; empty when none does."""
    if old is None:
        spec = new.get("spec") or {}
        spec = spec.get("spec") or {} if plural == "resourceclaimtemplates" else spec
        requests = (spec.get("devices") or {}).get("requests") or ()
        asked = [(each.get("exactly") or {}) for each in requests]
        index = _first(asked)
        return "" if index is None else f"spec.devices.requests[{index}].adminAccess"
    index = _first(_results(new))
    if plural != "resourceclaims" or index is None or _first(_results(old)) is not None:
        return ""
    return f"status.allocation.devices.results[{index}].adminAccess"


def _results(claim: JSON) -> Sequence[JSON]:
    allocation = (claim.get("status") or {}).get("allocation") or {}
    found: Sequence[JSON] = (allocation.get("devices") or {}).get("results") or ()
    return found


def _first(entries: Sequence[JSON]) -> int | None:
    return next((index for index, each in enumerate(entries) if each.get("adminAccess")), None)
