"""What a Performer asks of a node's hardware, resolved through the catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hourglass_kube import quantity
from hourglass_kube.podresources import is_extended
from hourglass_operator.api import HardwareRequirements, PerformerSpec
from hourglass_operator.hardware.catalogue import Catalogue, Gpu


@dataclass(frozen=True, slots=True)
class LabelChoice:
    """At least one of the labels, with at least one of its values, must be on the node.

    `what` names the hardware that they stand for, for a person.
    """

    what: str
    alternatives: tuple[tuple[str, tuple[str, ...]], ...]

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels qualifies."""
        for key, values in self.alternatives:  # noqa: SIM110 - asked of every node
            if labels.get(key) in values:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Device:
    """An extended resource and how much of it, in whole units; `what` is it for a person."""

    resource: str
    count: int
    what: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """All of it must hold; `text` says it for a person, `noun` is what such hardware is called."""

    choices: tuple[LabelChoice, ...]
    custom_labels: tuple[tuple[str, str], ...]
    devices: tuple[Device, ...]
    text: str
    noun: str

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


def requirement(spec: PerformerSpec, catalogue: Catalogue) -> Requirement | None:
    """What a spec asks of the hardware; None if nothing.

    - A gpuType without gpuCount asks for one device; with gpuCount 0 for the node alone.
    - Devices that `resources` names go before gpuCount, and are hardware also without gpuType.
    - A teeType without teeRequired asks for that TEE: an absent teeRequired and `false` are the
      same to Kubernetes, and nobody names a TEE to do without it.
    """
    hardware = spec.hardware_requirements
    named = dict(_extended_resources(spec))
    gpu = catalogue.gpu(hardware.gpu_type) if hardware.gpu_type else None
    devices = tuple(_devices(hardware, named, gpu, catalogue))
    choices = []
    if gpu and hardware.gpu_type:
        choices.append(LabelChoice(hardware.gpu_type, tuple(gpu.labels.items())))
    if hardware.tee_type:
        labels = catalogue.tee(hardware.tee_type)
        choices.append(LabelChoice(f"TEE {hardware.tee_type}", tuple(labels.items())))
    elif hardware.tee_required:
        choices.append(LabelChoice("a TEE", tuple(catalogue.any_tee().items())))
    custom = tuple(sorted(hardware.custom_labels.items()))
    if not (choices or custom or devices):
        return None
    return Requirement(
        choices=tuple(choices),
        custom_labels=custom,
        devices=devices,
        text=_text(choices, custom, devices),
        noun=_noun(hardware, custom, devices, catalogue),
    )


def _extended_resources(spec: PerformerSpec) -> Iterator[tuple[str, str]]:
    for kind in ("requests", "limits"):
        for resource, amount in sorted((spec.resources.get(kind) or {}).items()):
            if is_extended(resource):
                yield resource, str(amount)


def _devices(
    hardware: HardwareRequirements, named: Mapping[str, str], gpu: Gpu | None, catalogue: Catalogue
) -> Iterator[Device]:
    domains = {gpu.resource.partition("/")[0]} if gpu else catalogue.gpu_domains
    gpu_type = hardware.gpu_type
    of_gpu = [resource for resource in named if resource.partition("/")[0] in domains]
    wanted = hardware.gpu_count
    if wanted is None:
        wanted = 1 if gpu else 0
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
    if hardware.gpu_type or gpus:
        nouns.append("GPU")
    if hardware.tee_type or hardware.tee_required:
        nouns.append("TEE")
    if custom:
        nouns.append("label")
    if len(gpus) < len(devices):
        nouns.append("device")
    return nouns[0] if len(nouns) == 1 else "hardware"
