"""How a scenario ends: every Performer is as its spec asks, and nothing is left of those gone."""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.expect import (
    Mismatch,
    mismatches,
    performer_key,
    performer_mismatches,
    subject_of,
)
from hourglass_simulator.scenario.expectation import PerformerIs, Settles
from hourglass_simulator.scenario.history import DEPENDENTS, History, Key, is_over, key_of

_SETTLED = PerformerIs.model_validate(
    {
        "phase": "Running",
        "ready": True,
        "conditions": {
            "Available": "True",
            "Progressing": "False",
            "Degraded": "False",
            "Ready": "True",
        },
        "pods": 1,
        "services": 1,
        "serving": True,
    }
)


def settles_mismatches(settles: Settles, history: History, namespace: str) -> list[Mismatch]:
    """Everything that keeps a scenario from having settled; empty if it has."""
    named = named_performers(settles, namespace)
    found = mismatches(settles, history, namespace)
    for performer in history.objects("performers"):
        if key_of(performer) not in named:
            found += unsettled(performer, history)
    for resource in DEPENDENTS:
        for obj in history.objects(resource):
            found += _left(resource, obj, history)
    return found


def named_performers(settles: Settles, namespace: str) -> frozenset[Key]:
    """The Performers that may end in another way than their specs ask for."""
    return frozenset(performer_key(name, namespace) for name in settles.performers)


def unsettled(performer: JSON, history: History) -> Iterator[Mismatch]:
    """How a Performer differs from what its spec asks for; nothing if it does not."""
    key = key_of(performer)
    status = performer.get("status", {})
    subject = subject_of(key)
    if "deletionTimestamp" in performer["metadata"]:
        yield Mismatch(subject, "it is gone", f"phase {status.get('phase')}")
        return
    yield from performer_mismatches(_SETTLED, key, history)
    generation = performer["metadata"].get("generation")
    observed = status.get("observedGeneration")
    if observed != generation:
        yield Mismatch(subject, f"observedGeneration {generation}", str(observed))
    wanted, serving = status.get("templateHash"), status.get("servingTemplateHash")
    if wanted != serving:
        yield Mismatch(subject, f"pods of template {wanted} serve", str(serving))


def left_of(key: Key, history: History) -> Iterator[Mismatch]:
    """What is left of a Performer that is gone."""
    for resource, obj in history.dependents(key):
        yield from _left(resource, obj, history)


def _left(resource: str, obj: JSON, history: History) -> Iterator[Mismatch]:
    if is_over(obj):
        return
    for owner in obj["metadata"].get("ownerReferences", []):
        key = obj["metadata"].get("namespace", ""), owner["name"]
        if owner["kind"] != "Performer":
            continue
        performer = history.get("performers", key)
        if performer is None or performer["metadata"]["uid"] != owner["uid"]:
            left = f"{resource[:-1]} {obj['metadata']['name']} is left"
            yield Mismatch(subject_of(key), "nothing is left of it", left)
