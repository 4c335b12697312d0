"""Compares what exists in a namespace with what should: nothing lost, twice or stuck."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_operator.resources import names


@dataclass(frozen=True)
class NamespaceState:
    """All Performers, pods and Services of a namespace at about one moment."""

    performers: Sequence[JSON]
    pods: Sequence[JSON]
    services: Sequence[JSON]


def problems(state: NamespaceState, wanted: Mapping[str, str]) -> list[str]:
    """What keeps the namespace from being as wanted (name → image), a line each.

    As wanted means: exactly these Performers, each Running and Ready with this image, its status
    of the latest spec; one pod each, Ready and of that template; one Service each; nothing else.
    """
    return [*_of_performers(state.performers, wanted), *_of_children(state)]


def _of_performers(performers: Sequence[JSON], wanted: Mapping[str, str]) -> Iterator[str]:
    found = {each["metadata"]["name"]: each for each in performers}
    for name in sorted(wanted.keys() - found.keys()):
        yield f"{name}: is lost"
    for name, performer in sorted(found.items()):
        meta, status = performer["metadata"], performer.get("status", {})
        if name not in wanted:
            yield f"{name}: exists, {'stuck' if 'deletionTimestamp' in meta else 'not deleted'}"
            continue
        if performer["spec"]["image"] != wanted[name]:
            yield f"{name}: has image {performer['spec']['image']}, not {wanted[name]}"
        if status.get("phase") != "Running" or not status.get("ready"):
            yield f"{name}: {status.get('phase')}, ready: {status.get('ready')}"
        if status.get("observedGeneration") != meta["generation"]:
            yield f"{name}: status of generation {status.get('observedGeneration')}"
        if status.get("servingTemplateHash") != status.get("templateHash"):
            yield f"{name}: another template serves"
        if names.FINALIZER not in meta.get("finalizers", ()):
            yield f"{name}: has no finalizer"


def _of_children(state: NamespaceState) -> Iterator[str]:
    owners = {each["metadata"]["uid"]: each for each in state.performers}
    pods: Counter[str] = Counter()
    services: Counter[str] = Counter()
    for pod in state.pods:
        name, uid = pod["metadata"]["name"], _owner(pod)
        pods[uid] += 1
        if uid not in owners:
            yield f"pod {name}: nobody's"
        elif pod["spec"]["containers"][0]["image"] != owners[uid]["spec"]["image"]:
            yield f"pod {name}: of an old template"
        elif "deletionTimestamp" in pod["metadata"] or not _ready(pod):
            yield f"pod {name}: not Ready"
    for service in state.services:
        services[_owner(service)] += 1
        if _owner(service) not in owners:
            yield f"service {service['metadata']['name']}: nobody's"
    for uid, performer in owners.items():
        if (pods[uid], services[uid]) != (1, 1):
            name = performer["metadata"]["name"]
            yield f"{name}: {pods[uid]} pods, {services[uid]} Services"


def _owner(child: JSON) -> str:
    references = child["metadata"].get("ownerReferences", ())
    return next((each["uid"] for each in references if each.get("controller")), "")


def ready_condition(obj: JSON) -> JSON:
    """The Ready condition of a Performer or a pod; empty if it has none yet."""
    conditions = obj.get("status", {}).get("conditions", ())
    return next((each for each in conditions if each["type"] == "Ready"), {})


def _ready(pod: JSON) -> bool:
    return bool(ready_condition(pod).get("status") == "True")
