"""What the scheduler's message about an unschedulable pod says."""

import re

from hourglass_operator.hardware.claim import RESOURCE_DOMAIN


def insufficient(resource: str, message: str) -> int:
    """On how many nodes the scheduler finds too little of a resource; 0 if it does not say so.

    Of what is claimed it says only that not all claims can be allocated.
    """
    if resource.startswith(RESOURCE_DOMAIN):
        claims = re.search(r"(\d+) cannot allocate all claims", message)
        return int(claims[1]) if claims else 0
    found = re.search(rf"(\d+) Insufficient {re.escape(resource)}(?![\w./-]*\w)", message)
    return int(found[1]) if found else 0
