"""CertificateSigningRequests: who asked, who approved, and the certificate.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/certificates/certificates/strategy.go
"""

from collections.abc import Sequence
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.generic import GenericStrategy
from hourglass_simulator.apiserver.strategy import kept
from hourglass_simulator.apiserver.users import User

_REQUESTER = ("username", "uid", "groups", "extra")


class CertificateRequestStrategy(GenericStrategy):
    """Its spec never changes; it is approved and issued through subresources."""

    def update(self, new: JSON, old: JSON, subresource: str) -> JSON:
        """Only what the subresource is for."""
        new = kept(new, "spec", old)
        if not subresource:
            return kept(new, "status", old)
        status, before = new.get("status") or {}, old.get("status") or {}
        conditions = status.get("conditions") or []
        if subresource == "approval":
            changed = {**before, "conditions": conditions}
        else:
            changed = {**status, "conditions": _decided(conditions, before.get("conditions") or [])}
        if not changed["conditions"]:
            del changed["conditions"]
        return {**new, "status": changed}

    def noted(self, obj: JSON, old: JSON | None, user: User, timestamp: str) -> JSON:
        """A new one with who asks; conditions with the time of their change."""
        if old is None:
            spec = {k: v for k, v in (obj.get("spec") or {}).items() if k not in _REQUESTER}
            return {**obj, "spec": {**spec, **user.info()}, "status": {}}
        status = obj.get("status") or {}
        before = (old.get("status") or {}).get("conditions") or []
        if not status.get("conditions"):
            return obj
        conditions = [_timed(each, before, timestamp) for each in status["conditions"]]
        return {**obj, "status": {**status, "conditions": conditions}}


def _decided(conditions: list[JSON], before: Sequence[JSON]) -> list[JSON]:
    """Conditions with the decisions as they were; it is an error when they are more or fewer."""
    for kind in ("Approved", "Denied"):
        old = [each for each in before if each.get("type") == kind]
        places = [index for index, each in enumerate(conditions) if each.get("type") == kind]
        if len(old) == len(places):
            by_place: dict[int, Any] = dict(zip(places, old, strict=True))
            conditions = [by_place.get(index, each) for index, each in enumerate(conditions)]
    return conditions


def _timed(condition: JSON, before: Sequence[JSON], timestamp: str) -> JSON:
    same = (
        each["lastTransitionTime"]
        for each in before
        if (each.get("type"), each.get("status"))
        == (condition.get("type"), condition.get("status"))
        and each.get("lastTransitionTime")
    )
    since = condition.get("lastTransitionTime") or next(same, timestamp)
    updated = condition.get("lastUpdateTime") or timestamp
    return {**condition, "lastUpdateTime": updated, "lastTransitionTime": since}
