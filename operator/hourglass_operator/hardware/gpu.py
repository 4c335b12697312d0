"""A GPU model, its slices (MIG) and its shares (time-slicing, MPS): resources and labels.

A slice or a share is not the GPU. NVIDIA's device plugin and feature discovery name them thus:

- MIG strategy "mixed": resource nvidia.com/mig-1g.5gb, label nvidia.com/mig-1g.5gb.product;
- MIG strategy "single": resource nvidia.com/gpu, nvidia.com/gpu.product ends in -MIG-1g.5gb;
- sharing: nvidia.com/gpu.product ends in -SHARED; with renameByDefault the resource does, in
  .shared, and the label does not.

https://github.com/NVIDIA/k8s-device-plugin/blob/main/docs/gpu-feature-discovery/README.md

GKE has labels for both, and nvidia.com/gpu as the resource.
https://cloud.google.com/kubernetes-engine/docs/concepts/timesharing-gpus
https://cloud.google.com/kubernetes-engine/docs/how-to/gpus-multi
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hourglass_kube.expression import DOES_NOT_EXIST, EXISTS, IN
from hourglass_kube.expression import Requirement as Expression
from hourglass_kube.label import value_faults

Labels = Mapping[str, tuple[str, ...]]
"""Any one of these labels, with any one of its values, says that a node has the hardware."""

INSTANCE_TYPE = "node.kubernetes.io/instance-type"
"""Every node of a cloud bears it: it names hardware only where it is listed."""

_PRODUCT = "nvidia.com/gpu.product"
_GKE = "cloud.google.com/gke-accelerator"
_GKE_PARTITION = "cloud.google.com/gke-gpu-partition-size"
_GKE_SHARING = "cloud.google.com/gke-gpu-sharing-strategy"
_SHARING = "nvidia.com/gpu.sharing-strategy"
_SHARED = ("time-slicing", "mps")

_PROFILE = r"(?P<compute>\d+c-)?(?P<gpu>\d+g)-(?P<memory>\d+gb)(?P<media>-me|-me-all)?"
_PART_KEY = re.compile(rf"(?P<whole>.+?)(?:-mig-{_PROFILE})?(?P<shared>-shared)?")
_PART_VALUE = re.compile(r"(?P<whole>.+?)(?:-MIG-(?P<profile>[\w.+]+?))?(?P<shared>-SHARED)?")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a claim asks of a GPU's attributes beside its products; empty: nothing."""

    products: tuple[str, ...] = ()
    architecture: str = ""
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU model: the resource of its device plugin, and the labels of its nodes.

    `beside`: what must hold besides a label. `on_any_node`: no label is needed, whichever node
    offers the resource will do. `other`: the same under another resource. `asked`: of the devices
    of a driver for Dynamic Resource Allocation.
    """

    names: tuple[str, ...]
    resource: str
    labels: Labels
    beside: Mapping[str, tuple[Expression, ...]] = field(default_factory=dict)
    on_any_node: bool = False
    other: "Gpu | None" = None
    asked: Asked = Asked()

    def forms(self) -> Iterator["Gpu"]:
        """This one, and the same under other resources."""
        form: Gpu | None = self
        while form:
            yield form
            form = form.other


@dataclass(frozen=True, slots=True)
class Part:
    """The name of a slice or share, taken apart; `profile` is empty without MIG."""

    whole: str
    profile: str
    shared: bool

    def name(self, gpu_type: str) -> str:
        """The gpuType of such a part of another GPU."""
        sliced = f"-mig-{self.profile}" if self.profile else ""
        return f"{gpu_type}{sliced}{'-shared' if self.shared else ''}"


def part_of_key(key: str) -> Part | None:
    """A slice or share by the key of a gpuType, such as a100-mig-1g-5gb; None if it is neither."""
    found = _PART_KEY.fullmatch(key)
    if not found or not (found["gpu"] or found["shared"]):
        return None
    profile = ""
    if found["gpu"]:
        compute = (found["compute"] or "").replace("-", ".")
        media = (found["media"] or "").replace("-me-all", ".me.all").replace("-me", ".me")
        profile = f"{compute}{found['gpu']}.{found['memory']}{media}"
    return Part(found["whole"], profile, bool(found["shared"]))


def part_of_label(key: str, value: str) -> Part | None:
    """A slice or share by the value of a product label; None if it is neither."""
    found = _PART_VALUE.fullmatch(value) if key == _PRODUCT else None
    if not found or not (found["profile"] or found["shared"]):
        return None
    return Part(found["whole"], found["profile"] or "", bool(found["shared"]))


def part_beside(key: str, labels: Mapping[str, str]) -> Part | None:
    """The slice or share that other labels of a node name, beside the label `key`."""
    if key == _GKE:
        return Part("", labels.get(_GKE_PARTITION, ""), _GKE_SHARING in labels)
    if labels.get(_SHARING) in _SHARED:
        return Part("", "", shared=True)
    return part_of_label(_PRODUCT, labels.get(_PRODUCT, ""))


def part(whole: Gpu, wanted: Part) -> Gpu | None:
    """A slice or share of a GPU under all its resources; None if the GPU is not NVIDIA's."""
    if _PRODUCT not in whole.labels:
        return None
    forms = _slices(whole, wanted.profile) if wanted.profile else [whole]
    if wanted.shared:
        forms = [share for form in forms for share in _shares(form)]
    chained: Gpu | None = None
    for form in reversed(forms):
        chained = replace(form, other=chained)
    return chained


def slice_of_product(product: str) -> Gpu | None:
    """A slice named as its product label is, where it is a resource of its own."""
    named = part_of_label(_PRODUCT, product)
    if named is None or not named.profile:
        return None
    resource = f"nvidia.com/mig-{named.profile}"
    return Gpu((), resource, {f"{resource}.product": (product,)})


def _slices(whole: Gpu, profile: str) -> list[Gpu]:
    products = _ending(whole.labels[_PRODUCT], f"-MIG-{profile}")
    mixed = Gpu((), f"nvidia.com/mig-{profile}", {f"nvidia.com/mig-{profile}.product": products})
    single: dict[str, tuple[str, ...]] = {_PRODUCT: products}
    if _GKE in whole.labels:
        single[_GKE] = whole.labels[_GKE]
    size = Expression(_GKE_PARTITION, IN, (profile,))
    beside = {_GKE: (size, Expression(_GKE_SHARING, DOES_NOT_EXIST))}
    return [mixed, Gpu((), whole.resource, single, beside)]


def _shares(gpu: Gpu) -> list[Gpu]:
    same: dict[str, tuple[str, ...]] = {}
    renamed: dict[str, tuple[str, ...]] = {}
    beside_same: dict[str, tuple[Expression, ...]] = {}
    beside_renamed: dict[str, tuple[Expression, ...]] = {}
    for key, values in gpu.labels.items():
        if key == _GKE:
            others = [e for e in gpu.beside.get(key, ()) if e.key != _GKE_SHARING]
            same[key] = values
            beside_same[key] = (*others, Expression(_GKE_SHARING, EXISTS))
        elif key.endswith(".product"):
            strategy = key.removesuffix(".product") + ".sharing-strategy"
            same[key] = _ending(values, "-SHARED")
            renamed[key] = values
            beside_renamed[key] = (Expression(strategy, IN, _SHARED),)
        elif key != INSTANCE_TYPE:
            same[key] = renamed[key] = values
            beside_same[key] = beside_renamed[key] = (Expression(_SHARING, IN, _SHARED),)
    return [
        Gpu((), gpu.resource, same, beside_same),
        Gpu((), f"{gpu.resource}.shared", renamed, beside_renamed),
    ]


def _ending(values: tuple[str, ...], suffix: str) -> tuple[str, ...]:
    return tuple(v + suffix for v in values if not value_faults(v + suffix))
