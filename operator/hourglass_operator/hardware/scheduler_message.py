"""What the scheduler's message about an unschedulable pod says."""

import re


def insufficient(resource: str, message: str) -> int:
    """On how many nodes the scheduler finds too little of a resource; 0 if it does not say so."""
    found = re.search(rf"(\d+) Insufficient {re.escape(resource)}(?![\w./-]*\w)", message)
    return int(found[1]) if found else 0
