"""The hardware catalogue: names of GPUs and TEEs, and the node labels by which they are found."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from hourglass_kube.expression import DOES_NOT_EXIST, NOT_IN
from hourglass_kube.expression import Requirement as Expression
from hourglass_operator.hardware.catalogue_file import (
    CatalogueFile,
    GpuClaimEntry,
    TeeEntry,
    VendorEntry,
    parse,
)
from hourglass_operator.hardware.claim import DeviceClaim
from hourglass_operator.hardware.gpu import (
    INSTANCE_TYPE,
    Asked,
    Gpu,
    Labels,
    part,
    part_of_key,
    slice_of_product,
)
from hourglass_operator.hardware.node_state import NodeStates

_SLICE = r"mig-(\d+c\.)?\d+g\.\d+gb(\.me(\.all)?)?(\.shared)?"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is known about hardware; names are looked up in any case, with '-', '_' or '.'."""

    plain_labels: tuple[str, ...]
    vendors: tuple[VendorEntry, ...]
    gpus: Mapping[str, Gpu]
    tees: Mapping[str, TeeEntry]
    gpu_domains: frozenset[str]
    """The domains under which device plugins of GPUs name their resources."""
    gpu_labels: tuple[str, ...]
    """The labels that name GPUs, of whatever model."""
    node_states: NodeStates

    @property
    def gpu_resource(self) -> str:
        """The resource of a GPU of any kind."""
        return self.vendors[0].resource

    def gpu(self, gpu_type: str) -> Gpu:
        """The GPU of this name, or the part of a GPU; for any other name, what it says itself."""
        found = self._listed(_key(gpu_type)) or self._resource(gpu_type) or self._unlisted(gpu_type)
        return self._plainly(found, gpu_type)

    def claim(self, gpu_type: str | None, count: int) -> DeviceClaim | None:
        """The claim that asks for so many of a GPU, or of any; None if none can be made.

        A name that is not listed is taken for that of the product. A share of a GPU is nothing that
        a claim asks for by its attributes.
        """
        listed = self._listed(_key(gpu_type)) if gpu_type else self._listed(_key("gpu"))
        part = part_of_key(_key(gpu_type)) if gpu_type and _key(gpu_type) not in self.gpus else None
        profile = _profile(gpu_type or "")
        whole = self._listed(part.whole) if part else listed
        name = whole.names[0] if whole and whole.names else gpu_type or ""
        claims = _vendor(name, self.vendors).claims
        if claims is None or (part and part.shared):
            return None
        asked = whole.asked if whole else Asked()
        equal, device_class = dict(claims.attributes), claims.device_class
        if part or profile:
            if claims.slices is None:
                return None
            device_class = claims.slices.device_class
            sliced = part.profile if part else profile
            equal = {**claims.slices.attributes, claims.slices.profile: sliced}
        if asked.architecture:
            equal["architecture"] = asked.architecture
        products = asked.products
        if whole is not None:
            products += tuple(whole.labels.get(claims.product_label or "", ()))
        elif gpu_type and not profile:
            products = (gpu_type,)
        some = products or asked.architecture or asked.memory or profile
        if gpu_type and not some and not (whole and whole.on_any_node):
            return None
        return DeviceClaim(
            device_class=device_class,
            driver=claims.driver,
            count=count,
            equal=tuple(equal.items()),
            product=claims.product,
            products=tuple(dict.fromkeys(products)),
            memory=asked.memory,
        )

    @property
    def claimed_attributes(self) -> frozenset[str]:
        """The attributes and capacities of devices that claims may ask for."""
        claims = [vendor.claims for vendor in self.vendors if vendor.claims]
        slices = [each.slices for each in claims if each.slices]
        named = {name for each in claims for name in each.attributes}
        named |= {name for each in slices for name in each.attributes}
        named |= {each.product for each in claims} | {each.profile for each in slices}
        return frozenset(named | {"architecture", "memory"})

    def knows_gpu(self, gpu_type: str) -> bool:
        """Whether this is a GPU of the catalogue, or a slice or share of one."""
        return bool(self._listed(_key(gpu_type)) or self._resource(gpu_type))

    def gpu_of_machine(self, machine_type: str) -> str:
        """The name of the GPU that machines of this type have; empty if that is not known."""
        having = (g for g in self.gpus.values() if machine_type in g.labels.get(INSTANCE_TYPE, ()))
        return next((gpu.names[0] for gpu in having), "")

    def knows_tee(self, tee_type: str) -> bool:
        """Whether this is a TEE of the catalogue."""
        return _key(tee_type) in self.tees

    def tee(self, tee_type: str) -> Labels:
        """The labels of a kind of TEE; one that is not listed is a label of NFD's form."""
        if _key(tee_type) not in self.tees:
            feature = tee_type.lower().replace("-", ".").replace("_", ".")
            return {f"feature.node.kubernetes.io/cpu-security.{feature}.enabled": ("true",)}
        names = [_key(tee_type)]
        for name in names:
            included = self.tees[name].includes if name in self.tees else []
            names += [key for key in map(_key, included) if key not in names]
        return _merged(_frozen(self.tees[name].labels) for name in names if name in self.tees)

    def any_tee(self) -> Labels:
        """The labels of any TEE in the catalogue."""
        return _merged(_frozen(entry.labels) for entry in self.tees.values())

    def tee_resources(self, tee_type: str | None) -> tuple[str, ...]:
        """What nodes with this TEE offer, or with any; for messages alone."""
        entries = [self.tees.get(_key(tee_type))] if tee_type else self.tees.values()
        return tuple(dict.fromkeys(r for entry in entries if entry for r in entry.resources))

    def _listed(self, key: str) -> Gpu | None:
        if key in self.gpus:
            return self.gpus[key]
        wanted = part_of_key(key)
        whole = self.gpus.get(wanted.whole) if wanted else None
        return part(whole, wanted) if whole and wanted else None

    def _resource(self, gpu_type: str) -> Gpu | None:
        """A slice named by its resource alone, such as mig-1g.5gb: of whichever GPU."""
        name = gpu_type.lower()
        if not re.fullmatch(_SLICE, name):
            return None
        return Gpu((), f"{self.gpu_resource.partition('/')[0]}/{name}", {}, on_any_node=True)

    def _plainly(self, gpu: Gpu, gpu_type: str) -> Gpu:
        """With the labels by which people name GPUs themselves."""
        if gpu.on_any_node:
            return gpu
        spellings = tuple(dict.fromkeys((gpu_type, gpu_type.lower(), *gpu.names)))
        plain = dict.fromkeys(self.plain_labels, spellings)
        other = self._plainly(gpu.other, gpu_type) if gpu.other else None
        return replace(gpu, labels=_merged([gpu.labels, plain]), other=other)

    def _unlisted(self, gpu_type: str) -> Gpu:
        vendor = _vendor(gpu_type, self.vendors)
        short = gpu_type.lower().removeprefix(vendor.prefix)
        labels = dict.fromkeys(vendor.labels, (gpu_type,))
        labels |= dict.fromkeys(vendor.short_labels, (short,))
        if part_of_key(_key(gpu_type)):
            return Gpu((), vendor.resource, labels, other=slice_of_product(gpu_type))
        return Gpu((), vendor.resource, labels, _beside(vendor))


def load(extension: str | None = None) -> Catalogue:
    """The built-in catalogue, with what an extension (YAML of the same form) adds.

    An entry whose first name is known adds names and labels to that entry, and its resource goes
    before the known one. Raises ValueError naming the field, what is expected and what was found.
    """
    if extension is None:
        return _built_in()
    return _extended(_built_in(), parse(extension))


def read(text: str) -> Catalogue:
    """A catalogue of one file alone, which must name a vendor; raises ValueError as `load` does."""
    return _extended(Catalogue((), (), {}, {}, frozenset(), (), NodeStates(())), parse(text))


@cache
def _built_in() -> Catalogue:
    files = resources.files(__package__)
    hardware = read(files.joinpath("catalogue.yaml").read_text("utf-8"))
    return _extended(hardware, parse(files.joinpath("node_states.yaml").read_text("utf-8")))


def _extended(known: Catalogue, more: CatalogueFile) -> Catalogue:
    vendors = (*known.vendors, *more.vendors)
    gpus, tees = dict(known.gpus), dict(known.tees)
    for entry in more.gpus:
        before = replace(known, vendors=vendors, gpus=gpus)._listed(_key(entry.names[0]))
        vendor = _vendor(entry.names[0], vendors)
        if before is None:
            before = Gpu((), vendor.resource, {}, _beside(vendor))
        gpu = replace(
            before,
            names=tuple(dict.fromkeys((*entry.names, *before.names))),
            resource=entry.resource or before.resource,
            labels=_merged([_frozen(entry.labels), before.labels]),
            on_any_node=entry.on_any_node or before.on_any_node,
            asked=_asked(before.asked, entry.claim),
        )
        gpus.update({_key(name): gpu for name in gpu.names})
    for tee in more.tees:
        merged = _added(tees.get(_key(tee.names[0])), tee)
        tees.update({_key(name): merged for name in merged.names})
    plain = tuple(dict.fromkeys((*more.plain_labels, *known.plain_labels)))
    named = (*(vendor.resource for vendor in vendors), *(gpu.resource for gpu in gpus.values()))
    domains = frozenset(resource.partition("/")[0] for resource in named)
    of_vendors = (key for v in vendors for key in (*v.labels, *v.short_labels))
    keys = (*of_vendors, *(key for gpu in gpus.values() for key in gpu.labels), *plain)
    labels = tuple(key for key in dict.fromkeys(keys) if key != INSTANCE_TYPE)
    states = NodeStates((*more.node_states, *known.node_states.entries))
    return Catalogue(plain, vendors, gpus, tees, domains, labels, states)


def _asked(before: Asked, more: GpuClaimEntry) -> Asked:
    return Asked(
        products=tuple(dict.fromkeys((*more.products, *before.products))),
        architecture=more.architecture or before.architecture,
        memory=more.memory or before.memory,
    )


def _added(before: TeeEntry | None, more: TeeEntry) -> TeeEntry:
    if before is None:
        return more
    labels = _merged([_frozen(more.labels), _frozen(before.labels)])
    return TeeEntry(
        names=[*more.names, *before.names],
        includes=[*more.includes, *before.includes],
        labels={key: list(values) for key, values in labels.items()},
        resources=[*more.resources, *before.resources],
    )


def _beside(vendor: VendorEntry) -> dict[str, tuple[Expression, ...]]:
    """By label: what the labels beside it must not say of a whole GPU."""
    return {
        label: tuple(
            Expression(key, NOT_IN if values else DOES_NOT_EXIST, tuple(values))
            for key, values in parts.labels.items()
        )
        for parts in vendor.parts
        for label in parts.beside
    }


def _profile(gpu_type: str) -> str:
    """The profile of a slice that is named by its resource alone, such as mig-1g.5gb."""
    name = gpu_type.lower()
    sliced = re.fullmatch(_SLICE, name) and not name.endswith(".shared")
    return name.removeprefix("mig-") if sliced else ""


def _key(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _vendor(gpu_type: str, vendors: tuple[VendorEntry, ...]) -> VendorEntry:
    fitting = [v for v in vendors if gpu_type.lower().startswith(v.prefix.lower())]
    return max(fitting, key=lambda vendor: len(vendor.prefix), default=vendors[0])


def _frozen(labels: Mapping[str, list[str]]) -> Labels:
    return {key: tuple(values) for key, values in labels.items()}


def _merged(several: Iterable[Labels]) -> Labels:
    merged: dict[str, tuple[str, ...]] = {}
    for labels in several:
        for key, values in labels.items():
            merged[key] = tuple(dict.fromkeys((*merged.get(key, ()), *values)))
    return merged
