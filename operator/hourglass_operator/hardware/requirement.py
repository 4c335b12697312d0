"""What a Performer asks of a node's hardware, resolved through the catalogue."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hourglass_kube import quantity
from hourglass_kube.expression import Requirement as Expression
from hourglass_kube.node import NodeView
from hourglass_kube.podresources import is_extended
from hourglass_operator.api import Allocation, HardwareRequirements, PerformerSpec
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_operator.hardware.claim import RESOURCE_DOMAIN, DeviceClaim
from hourglass_operator.hardware.gpu import INSTANCE_TYPE, Gpu, Labels


@dataclass(frozen=True, slots=True)
class Alternative:
    """A label with one of its values, and what must hold beside it."""

    key: str
    values: tuple[str, ...]
    beside: tuple[Expression, ...] = ()

    def named(self, labels: Mapping[str, str]) -> bool:
        """Whether the label itself is there."""
        return labels.get(self.key) in self.values

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels qualifies."""
        if labels.get(self.key) not in self.values:
            return False
        return all(expression.matches(labels) for expression in self.beside)


@dataclass(frozen=True, slots=True)
class LabelChoice:
    """At least one of the alternatives must hold on the node.

    `what` names the hardware that they stand for, for a person. For messages alone: `kin` are
    labels that name such hardware, of whatever model; `resources` are what nodes with it offer.
    """

    what: str
    alternatives: tuple[Alternative, ...]
    kin: tuple[str, ...]
    resources: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels qualifies."""
        for alternative in self.alternatives:  # noqa: SIM110 - asked of every node
            if alternative.holds(labels):
                return True
        return False

    def named(self, labels: Mapping[str, str]) -> bool:
        """Whether a node bears a label of it, whatever other labels say beside that."""
        return any(alternative.named(labels) for alternative in self.alternatives)


@dataclass(frozen=True, slots=True)
class Device:
    """An extended resource and how much of it, in whole units; `what` is it for a person."""

    resource: str
    count: int
    what: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """All of it must hold; `text` says it for a person, `noun` is what such hardware is called.

    `others`: the same hardware under other resources: a pod asks for one of them. `conflict`: what
    of the spec contradicts itself, for a person. `claim`: the devices that a ResourceClaim asks
    for; they are counted among `devices`. `alternative`: the same the other way, by a device plugin
    or by a claim. `impossible`: why no pod can be made for it.
    """

    choices: tuple[LabelChoice, ...]
    custom_labels: tuple[tuple[str, str], ...]
    devices: tuple[Device, ...]
    text: str
    noun: str
    others: tuple["Requirement", ...] = ()
    conflict: str = ""
    gpu_type: str = ""
    tee_type: str = ""
    claim: DeviceClaim | None = None
    alternative: "Requirement | None" = None
    impossible: str = ""

    def __str__(self) -> str:
        return self.text

    def labelled(self, labels: Mapping[str, str]) -> bool:
        """Whether a node's labels satisfy it."""
        for choice in self.choices:
            if not choice.holds(labels):
                return False
        for key, value in self.custom_labels:  # noqa: SIM110 - asked of every node
            if labels.get(key) != value:
                return False
        return True

    def named(self, labels: Mapping[str, str]) -> bool:
        """Whether a node's labels name the hardware, whatever other labels say beside that."""
        custom = all(labels.get(key) == value for key, value in self.custom_labels)
        return custom and all(choice.named(labels) for choice in self.choices)

    def allocated(
        self,
        nodes: Iterable[NodeView],
        *,
        claiming: bool | None,
    ) -> "Requirement":
        """With a claim or without, as the pod is that was made for it (`claiming`; None: no pod).

        Before there is one, devices are claimed where nodes publish them so and no node's device
        plugin offers them. `nodes` as they are to the claim.
        """
        other = self.alternative
        if other is None:
            return self
        if claiming is None:
            forms = (self, *self.others)
            on = tuple(nodes)
            plugins = any(form.offered_by(node) for form in forms for node in on)
            claiming = not plugins and any(map(other.offered_by, on))
        return replace(other, alternative=replace(self, alternative=None)) if claiming else self

    @property
    def instead(self) -> tuple["Requirement", ...]:
        """What a pod could ask for as well."""
        other = self.alternative
        return (*self.others, *((other, *other.others) if other else ()))

    def suited(self, nodes: Iterable[NodeView], devices: Collection[str]) -> "Requirement":
        """The form that a pod asks for: with these devices if it exists, else that of the nodes.

        The first form counts where no node offers any.
        """
        forms = (self, *self.others)
        if len(forms) == 1:
            return self
        wanted = next((form for form in forms if form.asks_for(devices)), None)
        if wanted is None:
            wanted = next((form for form in forms if any(map(form.offered_by, nodes))), self)
        return replace(wanted, others=tuple(form for form in forms if form is not wanted))

    def asks_for(self, devices: Collection[str]) -> bool:
        """Whether a pod with these devices was made for it."""
        return bool(self.devices) and all(device.resource in devices for device in self.devices)

    def offered_by(self, node: NodeView) -> bool:
        """Whether a node has the labels, and says something of the devices."""
        return self.labelled(node.labels) and all(
            quantity.whole(node.allocatable.get(device.resource, "0")) for device in self.devices
        )


_NO_GPU: Mapping[str, None] = {"gpu_type": None, "gpu_count": None}

ANY_NODE = Requirement((), (), (), "a node", "node")
"""What a pod needs that asks for no hardware."""


def requirement(spec: PerformerSpec, catalogue: Catalogue) -> Requirement | None:
    """What a spec asks of the hardware; None if nothing.

    - A gpuType without gpuCount asks for one device; with gpuCount 0 for the node alone.
    - Devices that `resources` names go before gpuCount, and are hardware also without gpuType.
    - A GPU by a ResourceClaim is chosen by what its driver says of it, whatever labels say.
    - A teeType without teeRequired asks for that TEE: an absent teeRequired and `false` are the
      same to Kubernetes, and nobody names a TEE to do without it.
    """
    hardware = spec.hardware_requirements
    named = dict(_extended_resources(spec))
    gpus = tuple(catalogue.gpu(hardware.gpu_type).forms()) if hardware.gpu_type else ()
    gpus = tuple(gpu for gpu in gpus if gpu.resource in named) or gpus
    first, *others = [_form(hardware, named, gpu, catalogue) for gpu in gpus or (None,)]
    if not (first.choices or first.custom_labels or first.devices):
        return None
    conflict = _conflict(hardware, named, gpus, catalogue)
    plugin = replace(first, others=tuple(others), conflict=conflict)
    if hardware.allocation is Allocation.DEVICE_PLUGIN:
        return plugin
    by_claim = _claimed(hardware, named, gpus, catalogue)
    if hardware.allocation is Allocation.AUTO:
        return plugin if isinstance(by_claim, str) else replace(plugin, alternative=by_claim)
    return replace(plugin, impossible=by_claim) if isinstance(by_claim, str) else by_claim


def _claimed(
    hardware: HardwareRequirements,
    named: Mapping[str, str],
    gpus: Sequence[Gpu],
    catalogue: Catalogue,
) -> "Requirement | str":
    """The GPUs by a claim, or why none can be made."""
    gpu_type, count = hardware.gpu_type, _count(hardware)
    if not count:
        return "hardwareRequirements.allocation ResourceClaim needs a gpuType or a gpuCount"
    if of_gpu := _of_gpu(named, gpus[0] if gpus else None, catalogue):
        return (
            f"spec.resources asks a device plugin for {' and '.join(of_gpu)}, and"
            " hardwareRequirements.allocation is ResourceClaim"
        )
    claim = catalogue.claim(gpu_type, count)
    if claim is None:
        return f"the hardware catalogue does not say how {gpu_type} is claimed"
    what = f"{count} × {gpu_type or 'GPU'}"
    without = _form(hardware.model_copy(update=_NO_GPU), named, None, catalogue)
    devices = (Device(claim.resource, count, what), *without.devices)
    return replace(
        without,
        devices=devices,
        text=_text(list(without.choices), without.custom_labels, devices),
        noun=_noun(hardware, without.custom_labels, devices, catalogue),
        gpu_type=gpu_type or "",
        claim=claim,
    )


def _form(
    hardware: HardwareRequirements, named: Mapping[str, str], gpu: Gpu | None, catalogue: Catalogue
) -> Requirement:
    devices = tuple(_devices(hardware, named, gpu, catalogue))
    choices = []
    if gpu and hardware.gpu_type and not gpu.on_any_node:
        labels = _alternatives(gpu.labels, gpu.beside)
        choices.append(LabelChoice(hardware.gpu_type, labels, catalogue.gpu_labels))
    if hardware.tee_type or hardware.tee_required:
        tee = hardware.tee_type
        known = catalogue.tee(tee) if tee else catalogue.any_tee()
        kin = tuple(key for key in known if key != INSTANCE_TYPE)
        labels, what = _alternatives(known, {}), f"TEE {tee}" if tee else "a TEE"
        choices.append(LabelChoice(what, labels, kin, catalogue.tee_resources(tee)))
    custom = tuple(sorted(hardware.custom_labels.items()))
    return Requirement(
        choices=tuple(choices),
        custom_labels=custom,
        devices=devices,
        text=_text(choices, custom, devices),
        noun=_noun(hardware, custom, devices, catalogue),
        gpu_type=hardware.gpu_type or "",
        tee_type=hardware.tee_type or "",
    )


def _alternatives(
    labels: Labels, beside: Mapping[str, tuple[Expression, ...]]
) -> tuple[Alternative, ...]:
    return tuple(Alternative(key, values, beside.get(key, ())) for key, values in labels.items())


def _conflict(
    hardware: HardwareRequirements,
    named: Mapping[str, str],
    gpus: Sequence[Gpu],
    catalogue: Catalogue,
) -> str:
    """That gpuCount and resources disagree; resources count."""
    wanted = hardware.gpu_count
    asked = _of_gpu(named, gpus[0] if gpus else None, catalogue)
    if wanted is None or not asked or wanted == sum(quantity.whole(named[r]) for r in asked):
        return ""
    listed = " and ".join(f"{named[resource]} {resource}" for resource in asked)
    return (
        f"spec.hardwareRequirements.gpuCount is {wanted}, but spec.resources asks for {listed}: "
        "spec.resources counts, and gpuCount says nothing"
    )


def _extended_resources(spec: PerformerSpec) -> Iterator[tuple[str, str]]:
    for kind in ("requests", "limits"):
        for resource, amount in sorted((spec.resources.get(kind) or {}).items()):
            if is_extended(resource):
                yield resource, str(amount)


def _devices(
    hardware: HardwareRequirements, named: Mapping[str, str], gpu: Gpu | None, catalogue: Catalogue
) -> Iterator[Device]:
    gpu_type = hardware.gpu_type
    of_gpu = _of_gpu(named, gpu, catalogue)
    wanted = _count(hardware)
    if wanted and not of_gpu:
        resource = gpu.resource if gpu else catalogue.gpu_resource
        yield Device(resource, wanted, f"{wanted} × {gpu_type or 'GPU'}")
    for resource, amount in named.items():
        count = quantity.whole(amount)
        if not count:
            continue
        if gpu and resource == gpu.resource:
            yield Device(resource, count, f"{count} × {gpu_type}")
        elif amount.isdecimal():
            yield Device(resource, count, f"{count} × {resource}")
        else:
            yield Device(resource, count, f"{amount} of {resource}")


def _count(hardware: HardwareRequirements) -> int:
    """How many GPUs are asked for by their type or count."""
    if hardware.gpu_count is None:
        return 1 if hardware.gpu_type else 0
    return hardware.gpu_count


def _of_gpu(named: Iterable[str], gpu: Gpu | None, catalogue: Catalogue) -> list[str]:
    """Those of the resources that are GPUs of this vendor, or of any."""
    domains = {gpu.resource.partition("/")[0]} if gpu else catalogue.gpu_domains
    return [resource for resource in named if resource.partition("/")[0] in domains]


def _text(
    choices: list[LabelChoice],
    custom: tuple[tuple[str, str], ...],
    devices: tuple[Device, ...],
) -> str:
    counted = [device.what for device in devices]
    others = [c.what for c in choices if not any(what.endswith(f"× {c.what}") for what in counted)]
    labels = ", ".join(f"{key}={value}" for key, value in custom)
    bare = [f"a node labelled {labels}"] if custom else []
    return " and ".join([*counted, *others, *bare])


def _noun(
    hardware: HardwareRequirements,
    custom: tuple[tuple[str, str], ...],
    devices: tuple[Device, ...],
    catalogue: Catalogue,
) -> str:
    gpus = [d for d in devices if d.resource.partition("/")[0] in catalogue.gpu_domains]
    nouns = []
    if hardware.gpu_type or hardware.gpu_count or gpus:
        nouns.append("GPU")
    if hardware.tee_type or hardware.tee_required:
        nouns.append("TEE")
    if custom:
        nouns.append("label")
    if any(d not in gpus and not d.resource.startswith(RESOURCE_DOMAIN) for d in devices):
        nouns.append("device")
    return nouns[0] if len(nouns) == 1 else "hardware"
