"""What hardware a cluster has, by the names that Performers ask for it by, and what is free."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.text import Text

from hourglass_kube import podresources, quantity
from hourglass_kube.node import NodeView, view
from hourglass_kube.types import JSON
from hourglass_operator.api import HardwareRequirements, PerformerSpec
from hourglass_operator.console.terminal import styled
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.requirement import Requirement, requirement
from hourglass_operator.plugin.columns import columns

_ENDED = ("Succeeded", "Failed")
_ANYBODY = "0x" + "0" * 40


@dataclass(frozen=True, slots=True)
class Offer:
    """What one node has of one kind.

    `types`: every gpuType or teeType (`kind`: GPU or TEE) that finds it, none if no label names it.
    `total` and `used` count devices of `resource`; a TEE has none, and any number of pods may use
    it. `state`: why the node takes no pods now; empty if it does.
    """

    node: str
    kind: str
    types: tuple[str, ...]
    resource: str
    total: int
    used: int
    state: str

    @property
    def free(self) -> int:
        """Devices that nobody uses; more may be in use than there are, when some are ill."""
        return max(0, self.total - self.used)

    def to_json(self) -> JSON:
        """For programs."""
        return {**asdict(self), "types": list(self.types), "free": self.free}


def offers(nodes: Iterable[JSON], pods: Iterable[JSON], catalogue: Catalogue) -> list[Offer]:
    """What Nodes offer and Pods use, sorted by node; both as the API server lists them."""
    used = _used(pods)
    gpus, tees = _gpus(catalogue), _tees(catalogue)
    found = []
    for node in sorted(map(view, nodes), key=lambda node: node.name):
        state = _state(node)
        of_node = used.get(node.name, {})
        for resource in _resources(node, catalogue):
            total = quantity.whole(node.allocatable[resource])
            names = _types(node, resource, gpus, catalogue)
            taken = of_node.get(resource, 0)
            found.append(Offer(node.name, "GPU", names, resource, total, taken, state))
        kinds = tuple(name for name, needed in tees if needed.offered_by(node))
        if kinds:
            found.append(Offer(node.name, "TEE", kinds, "", 0, 0, state))
    return found


def listed(catalogue: Catalogue) -> list[JSON]:
    """The names that the catalogue knows, with all their spellings."""
    gpus = {gpu.names: gpu.resource for gpu in catalogue.gpus.values()}
    tees = {tuple(tee.names) for tee in catalogue.tees.values()}
    return [
        *({"kind": "GPU", "names": list(each), "resource": gpus[each]} for each in sorted(gpus)),
        *({"kind": "TEE", "names": list(each), "resource": ""} for each in sorted(tees)),
    ]


def table(found: Sequence[Offer]) -> Iterator[Text]:
    """For people, a line each; nothing is cut."""
    rows = [_cells("NODE", "KIND", "TYPE", "RESOURCE", "TOTAL", "USED", "FREE")]
    notes = ["STATE"]
    for each in found:
        counts = (each.total, each.used, each.free) if each.resource else ("", "", "")
        name = ", ".join(each.types) or "no label names it"
        rows.append(_cells(each.node, each.kind, name, each.resource, *map(str, counts)))
        notes.append(each.state)
    return columns(rows, notes, None)


def table_of_names(found: Sequence[JSON]) -> Iterator[Text]:
    """The catalogue for people, a line for each kind of hardware."""
    rows = [_cells("KIND", "TYPE", "RESOURCE")]
    rows += [_cells(each["kind"], each["names"][0], each["resource"]) for each in found]
    notes = ["ALSO", *(", ".join(each["names"][1:]) for each in found)]
    return columns(rows, notes, None)


def _cells(*texts: str) -> list[Text]:
    return [styled(text) for text in texts]


def _used(pods: Iterable[JSON]) -> dict[str, dict[str, int]]:
    """Extended resources that pods hold, by node."""
    used: dict[str, dict[str, int]] = {}
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if not node or (pod.get("status") or {}).get("phase") in _ENDED:
            continue
        of_node = used.setdefault(node, {})
        for resource, count in podresources.requests(pod["spec"]).items():
            of_node[resource] = of_node.get(resource, 0) + count
    return used


def _resources(node: NodeView, catalogue: Catalogue) -> list[str]:
    """Of GPUs and of parts of them; also those of which every device is ill."""
    named = {gpu.resource for gpu in catalogue.gpus.values()}
    return sorted(
        resource
        for resource in node.allocatable
        if resource in named or resource.partition("/")[0] in catalogue.gpu_domains
    )


def _types(
    node: NodeView, resource: str, gpus: Sequence[tuple[str, Requirement]], catalogue: Catalogue
) -> tuple[str, ...]:
    """The names of the catalogue, else what a label says, else what the resource is."""
    found = tuple(name for name, needed in gpus if _finds(needed, node, resource))
    if found:
        return found
    said = [node.labels[label] for label in catalogue.gpu_labels if label in node.labels]
    for name in (*said, resource.partition("/")[2]):
        needed = _needed_gpu(name, catalogue)
        if needed is not None and _finds(needed, node, resource):
            return (name,)
    return ()


def _finds(needed: Requirement, node: NodeView, resource: str) -> bool:
    return any(
        form.labelled(node.labels) and any(each.resource == resource for each in form.devices)
        for form in (needed, *needed.others)
    )


def _gpus(catalogue: Catalogue) -> list[tuple[str, Requirement]]:
    """Of those that a label names; the others say nothing of what a node has."""
    names = dict.fromkeys(gpu.names[0] for gpu in catalogue.gpus.values() if not gpu.on_any_node)
    found = [(name, _needed_gpu(name, catalogue)) for name in names]
    return [(name, needed) for name, needed in found if needed is not None]


def _tees(catalogue: Catalogue) -> list[tuple[str, Requirement]]:
    names = dict.fromkeys(tee.names[0] for tee in catalogue.tees.values())
    found = [(name, _needed_tee(name, catalogue)) for name in names]
    return [(name, needed) for name, needed in found if needed is not None]


def _needed(hardware: HardwareRequirements, catalogue: Catalogue) -> Requirement | None:
    spec = PerformerSpec(avs_address=_ANYBODY, image="any", hardware_requirements=hardware)
    return requirement(spec, catalogue)


def _needed_gpu(name: str, catalogue: Catalogue) -> Requirement | None:
    return _needed(HardwareRequirements(gpu_type=name, gpu_count=1), catalogue)


def _needed_tee(name: str, catalogue: Catalogue) -> Requirement | None:
    return _needed(HardwareRequirements(tee_type=name), catalogue)


def _state(node: NodeView) -> str:
    if not node.ready:
        return "not ready"
    return "cordoned" if node.unschedulable else ""
