"""Removes what a scenario has left in the cluster."""

import time
from collections.abc import Sequence
from contextlib import suppress

from clusters import wait_until
from hourglass_kube.types import JSON
from scenarios.api import Api, CallError

PATIENCE = 20.0
"""Seconds within which the operator must release a deleted Performer whose pods are gone."""


class StuckError(Exception):
    """The operator kept its finalizer on Performers that were to be removed."""


def remove(api: Api, made: Sequence[tuple[str, str, str]]) -> None:
    """Remove all Performers with what is theirs, and what was made (resource, namespace, name).

    Returns when all is gone, except for namespaces, which are then on their way. Performers that
    the operator does not release are removed by force. Errors: `StuckError` names them.
    """
    stuck = _remove_performers(api)
    for resource, namespace, name in reversed(made):
        _delete(api, resource, namespace, name)
    lasting = [key for key in made if key[0] != "namespaces"]

    def gone() -> bool:
        pods = _owned(api, "pods")
        for pod in pods:
            _release(api, pod)
        owned = pods or _owned(api, "services")
        return not owned and all(api.get(*key) is None for key in lasting)

    wait_until("what the scenario made is gone", gone)
    if stuck:
        raise StuckError(f"not released {PATIENCE:.0f} s after deletion: {', '.join(stuck)}")


def _remove_performers(api: Api) -> list[str]:
    began = time.monotonic()
    stuck = set()

    def removed() -> bool:
        performers = api.list("performers")
        for found in performers:
            meta = found["metadata"]
            if "deletionTimestamp" not in meta:
                _delete(api, "performers", meta["namespace"], meta["name"])
            elif time.monotonic() > began + PATIENCE:
                stuck.add(f"{meta['namespace']}/{meta['name']}")
                with suppress(CallError):
                    patch: JSON = {"metadata": {"finalizers": None}}
                    api.patch("performers", meta["namespace"], meta["name"], patch)
        for pod in _owned(api, "pods"):
            # Nobody is to wait for grace periods.
            _delete(api, "pods", pod["metadata"]["namespace"], pod["metadata"]["name"], 0)
        return not performers

    wait_until("the scenario's Performers are gone", removed)
    return sorted(stuck)


def _release(api: Api, pod: JSON) -> None:
    """Nobody is there to remove the finalizers that a scenario has set."""
    meta = pod["metadata"]
    if meta.get("finalizers"):
        with suppress(CallError):
            api.patch("pods", meta["namespace"], meta["name"], {"metadata": {"finalizers": None}})


def _owned(api: Api, resource: str) -> list[JSON]:
    """What belongs to Performers."""
    return [
        found
        for found in api.list(resource)
        if any(
            owner["kind"] == "Performer" for owner in found["metadata"].get("ownerReferences", ())
        )
    ]


def _delete(
    api: Api, resource: str, namespace: str, name: str, grace_period_seconds: int | None = None
) -> None:
    with suppress(CallError):
        api.delete(resource, namespace, name, grace_period_seconds)
