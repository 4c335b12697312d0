"""What a real API server makes at its start, roles and flow schemas apart.

The Service `kubernetes` and its endpoints, and API services: nothing is done by them here.
"""

import json

from hourglass_simulator.apiserver.server import APIServer


def make(api: APIServer, *, managed_fields: bool) -> None:
    """Make what is not there; without `managed_fields` nobody is said to own its fields."""
    now = api.clock.timestamp()
    for plural, objects in api.version.objects.items():
        known = {_key(obj["metadata"]) for obj in api.list(plural).items}
        for obj in objects:
            if _key(obj["metadata"]) not in known:
                made = json.loads(json.dumps(obj).replace("<time>", now))
                if not managed_fields:
                    made["metadata"].pop("managedFields", None)
                api.restore(plural, made)


def _key(meta: dict[str, str]) -> tuple[str, str]:
    return meta.get("namespace", ""), meta["name"]
