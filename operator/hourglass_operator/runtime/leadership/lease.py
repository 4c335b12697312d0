"""Leader election by Lease: what to do next, and how long a leader may write.

As client-go's leaderelection does it
(https://pkg.go.dev/k8s.io/client-go/tools/leaderelection): a Lease has run out when it has not
changed for its duration by this process's own clock, so that clocks need not agree.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from hourglass_kube import time
from hourglass_kube.types import JSON


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who wants to lead, and by which rules; times are seconds."""

    identity: str
    name: str
    namespace: str
    duration: float
    renew_deadline: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the Lease: its spec as last seen, and since when (monotonic seconds)."""

    spec: JSON | None = None
    since: float = 0.0

    def update(self, spec: JSON, now: float) -> "Seen":
        """The Lease was seen with this spec."""
        return self if spec == self.spec else replace(self, spec=spec, since=now)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A write on the Lease to try, or none (`verb` is None) while another one holds it."""

    verb: Literal["create", "update"] | None = None
    body: JSON | None = None


def attempt(
    candidate: Candidate, lease: JSON | None, seen: Seen, now: float, wall: float
) -> Attempt:
    """What to write on a Lease that was read as `lease` (None: there is none).

    `now` is monotonic and `wall` is the time of day, both in seconds.
    """
    if lease is None:
        return Attempt("create", _body(candidate, None, wall))
    spec = lease.get("spec") or {}
    holder = spec.get("holderIdentity") or ""
    duration = spec.get("leaseDurationSeconds") or candidate.duration
    if holder not in ("", candidate.identity) and now < seen.since + duration:
        return Attempt()
    return Attempt("update", _body(candidate, lease, wall))


def released(candidate: Candidate, lease: JSON, wall: float) -> Attempt:
    """Give the Lease up, so that others need not wait until it runs out."""
    spec = lease.get("spec") or {}
    if spec.get("holderIdentity") != candidate.identity:
        return Attempt()
    freed = {**spec, "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _micro(wall)}
    return Attempt("update", {**lease, "spec": freed})


def leads_until(candidate: Candidate, sent: float) -> float:
    """Until when (monotonic) a leader may write whose renewal was sent at `sent`.

    Others count the Lease's duration from a moment after `sent`; the renew deadline is shorter.
    """
    return sent + candidate.renew_deadline


def _body(candidate: Candidate, lease: JSON | None, wall: float) -> JSON:
    before: JSON = (lease or {}).get("spec") or {}
    spec: JSON = {
        "holderIdentity": candidate.identity,
        "leaseDurationSeconds": max(1, math.ceil(candidate.duration)),
        "acquireTime": _micro(wall),
        "renewTime": _micro(wall),
        "leaseTransitions": before.get("leaseTransitions") or 0,
    }
    if before.get("holderIdentity") == candidate.identity:
        spec["acquireTime"] = before.get("acquireTime")
    elif lease is not None:
        spec["leaseTransitions"] += 1
    metadata = {"name": candidate.name, "namespace": candidate.namespace}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        **(lease or {}),
        "metadata": (lease or {}).get("metadata") or metadata,
        "spec": spec,
    }


def _micro(wall: float) -> str:
    """metav1.MicroTime."""
    return time.from_seconds(wall).removesuffix("Z") + f".{int(wall % 1 * 1e6):06d}Z"
