"""What a Performer asks of a node's hardware, resolved through the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass

from hourglass_operator.api import PerformerSpec
from hourglass_operator.hardware.catalogue import Catalogue, Gpu
from hourglass_operator.kube import quantity

_DEFAULT_DEVICE = "nvidia.com/gpu"


@dataclass(frozen=True, slots=True)
class LabelChoice:
    """At least one of the labels, with at least one of its values, must be on the node."""

    what: str
    alternatives: tuple[tuple[str, tuple[str, ...]], ...]

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels qualifies."""
        return any(labels.get(key) in values for key, values in self.alternatives)


@dataclass(frozen=True, slots=True)
class Requirement:
    """All of it must hold.

    `devices` are extended resources with their count; `noun` is what such a thing is called.
    """

    choices: tuple[LabelChoice, ...]
    custom_labels: tuple[tuple[str, str], ...]
    devices: tuple[tuple[str, int], ...]
    text: str
    noun: str

    def __str__(self) -> str:
        return self.text

    def labelled(self, labels: Mapping[str, str]) -> bool:
        """Whether a node's labels satisfy it."""
        return all(choice.holds(labels) for choice in self.choices) and all(
            labels.get(key) == value for key, value in self.custom_labels
        )


def requirement(spec: PerformerSpec, catalogue: Catalogue) -> Requirement | None:
    """What `hardwareRequirements` ask for; None if nothing.

    A gpuType without gpuCount asks for one device. A teeType without teeRequired asks for that TEE:
    nobody names one to do without it.
    """
    hardware = spec.hardware_requirements
    choices: list[LabelChoice] = []
    words: list[str] = []
    nouns: list[str] = []
    devices: dict[str, int] = {}
    gpu = catalogue.gpu(hardware.gpu_type) if hardware.gpu_type else None
    if gpu or hardware.gpu_count:
        named = _named_devices(spec, gpu)
        count = 1 if hardware.gpu_count is None else hardware.gpu_count
        wanted = {gpu.resource if gpu else _DEFAULT_DEVICE: count} if count else {}
        devices = named or wanted
        amount = sum(devices.values())
        what = hardware.gpu_type or "GPU"
        words.append(f"{amount} × {what}" if amount else what)
        nouns.append("GPU")
        if gpu and hardware.gpu_type:
            choices.append(_choice(hardware.gpu_type, gpu.labels))
    if hardware.tee_type or hardware.tee_required:
        tee = catalogue.tee(hardware.tee_type) if hardware.tee_type else catalogue.any_tee()
        what = f"TEE {hardware.tee_type}" if hardware.tee_type else "a TEE"
        choices.append(_choice(what, tee.labels))
        words.append(what)
        nouns.append("TEE")
    custom = tuple(sorted(hardware.custom_labels.items()))
    if custom:
        words.append("nodes labelled " + ", ".join(f"{key}={value}" for key, value in custom))
        nouns.append("labels")
    if not words:
        return None
    return Requirement(
        choices=tuple(choices),
        custom_labels=custom,
        devices=tuple(sorted(devices.items())),
        text=" and ".join(words),
        noun=" or ".join(nouns),
    )


def _choice(what: str, labels: Mapping[str, list[str]]) -> LabelChoice:
    return LabelChoice(what, tuple((key, tuple(values)) for key, values in labels.items()))


def _named_devices(spec: PerformerSpec, gpu: Gpu | None) -> dict[str, int]:
    """Device resources of the GPU's vendor (MIG slices among them) that `resources` names."""
    domain = (gpu.resource if gpu else _DEFAULT_DEVICE).partition("/")[0]
    named: dict[str, int] = {}
    for kind in ("requests", "limits"):
        for resource, count in (spec.resources.get(kind) or {}).items():
            if resource.partition("/")[0] == domain:
                named[resource] = quantity.whole(count)
    return named
