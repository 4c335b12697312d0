"""Who wrote when, from the API server's audit log; who might, from the Lease in the same log.

https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_MUTATING = frozenset({"create", "update", "patch", "delete"})
_QUESTIONS = "selfsubjectaccessreviews"
"""Created to be answered; nothing is stored."""


@dataclass(frozen=True)
class Call:
    """A mutating call that the API server has answered."""

    user: str
    verb: str
    resource: str
    name: str
    code: int
    received: datetime
    answered: datetime


@dataclass(frozen=True)
class Term:
    """The time in which one user held the Lease; `end` is None for the last one."""

    user: str
    begin: datetime
    end: datetime | None


def calls(audit_log: Path, users: Iterable[str], since: datetime) -> list[Call]:
    """The mutating calls of these users, in the order in which they were received."""
    wanted = set(users)
    found = []
    for line in audit_log.read_text().splitlines():
        event = json.loads(line)
        received = datetime.fromisoformat(event["requestReceivedTimestamp"])
        if event["user"]["username"] not in wanted or received < since:
            continue
        target = event["objectRef"]
        changes = event["verb"] in _MUTATING and target["resource"] != _QUESTIONS
        if changes and event["stage"] == "ResponseComplete":
            found.append(
                Call(
                    event["user"]["username"],
                    event["verb"],
                    target["resource"],
                    target.get("name", ""),
                    event["responseStatus"]["code"],
                    received,
                    datetime.fromisoformat(event["stageTimestamp"]),
                )
            )
    return sorted(found, key=lambda call: call.received)


def terms(found: Iterable[Call]) -> list[Term]:
    """Who held the Lease when: from the answer that gave it to the call that gave it to another."""
    changes: list[Call] = []
    for call in found:
        taken = call.resource == "leases" and call.code < 300
        if taken and (not changes or changes[-1].user != call.user):
            changes.append(call)
    ends = [*(call.received for call in changes[1:]), None]
    return [Term(call.user, call.answered, end) for call, end in zip(changes, ends, strict=True)]


def stray(found: Iterable[Call], held: Iterable[Term]) -> list[Call]:
    """Calls, other than on Leases, that did not fall into a term of their user as a whole."""
    all_terms = list(held)
    return [
        call
        for call in found
        if call.resource != "leases"
        and not any(
            term.user == call.user
            and term.begin <= call.received
            and (term.end is None or call.answered <= term.end)
            for term in all_terms
        )
    ]
