"""How many mutating calls and lists an operator makes, from the API server's audit log.

https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

MOST_CALLS = 6
"""A Performer, from create to Running."""
FEWEST_CALLS = 3
"""Its finalizer, its pod and its Service: where fewer are found, the log is not understood."""
APART = ("leases", "selfsubjectaccessreviews")
"""The operator's Lease and its questions about permissions do not depend on Performers."""


@dataclass
class Calls:
    """Mutating calls and lists."""

    made: Counter[str] = field(default_factory=Counter)
    """By verb and resource, such as `patch performers/status`; `…: 409` for one refused with it."""
    lists: Counter[str] = field(default_factory=Counter)
    """By resource; a list in parts counts once a part."""
    apart: int = 0
    """Those on `APART`: an operator that leads is never without."""

    def __str__(self) -> str:
        made = ", ".join(f"{count} {call}" for call, count in sorted(self.made.items()))
        lists = ", ".join(f"{count} {name}" for name, count in sorted(self.lists.items()))
        apart = f"apart: {self.apart} on {' and '.join(APART)}"
        return f"{made or 'none'}; lists: {lists or 'none'}; {apart}"


class Audit:
    """The mutating calls and lists of a user as they come into the audit log."""

    def __init__(self, log: Path, user: str) -> None:
        self._log = log.open()
        self._user = user
        self._unfinished = ""

    def count(self) -> Calls:
        """Those since the last count."""
        found = Calls()
        for line in self._log:
            self._unfinished += line
            if not line.endswith("\n"):
                break
            event, self._unfinished = json.loads(self._unfinished), ""
            if event["user"]["username"] != self._user:
                continue
            what = event["objectRef"]
            if event["verb"] == "list":
                found.lists[what["resource"]] += 1
            elif what["resource"] in APART:
                found.apart += 1
            else:
                resource = "/".join(filter(None, (what["resource"], what.get("subresource"))))
                code = event.get("responseStatus", {}).get("code", 200)
                refused = f": {code}" if code >= 400 else ""
                found.made[f"{event['verb']} {resource}{refused}"] += 1
        return found
