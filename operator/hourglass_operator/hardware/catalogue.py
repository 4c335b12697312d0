"""The hardware catalogue: names of GPUs and TEEs, and the node labels by which they are found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from hourglass_operator.hardware.catalogue_file import CatalogueFile, TeeEntry, VendorEntry, parse

Labels = Mapping[str, tuple[str, ...]]
"""Any one of these labels, with any one of its values, says that a node has the hardware."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU model: the resource of its device plugin, and the labels of its nodes."""

    names: tuple[str, ...]
    resource: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is known about hardware; names are looked up in any case, with '-', '_' or '.'."""

    plain_labels: tuple[str, ...]
    vendors: tuple[VendorEntry, ...]
    gpus: Mapping[str, Gpu]
    tees: Mapping[str, TeeEntry]
    gpu_domains: frozenset[str]
    """The domains under which device plugins of GPUs name their resources."""

    @property
    def gpu_resource(self) -> str:
        """The resource of a GPU of any kind."""
        return self.vendors[0].resource

    def gpu(self, gpu_type: str) -> Gpu:
        """The GPU of this name; for one that is not listed, what its name says."""
        listed = self.gpus.get(_key(gpu_type))
        gpu = listed or self._unlisted(gpu_type)
        spellings = tuple(dict.fromkeys((gpu_type, gpu_type.lower(), *gpu.names)))
        plain = dict.fromkeys(self.plain_labels, spellings)
        return Gpu(gpu.names, gpu.resource, _merged([gpu.labels, plain]))

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

    def _unlisted(self, gpu_type: str) -> Gpu:
        vendor = _vendor(gpu_type, self.vendors)
        short = gpu_type.lower().removeprefix(vendor.prefix)
        labels = dict.fromkeys(vendor.labels, (gpu_type,))
        return Gpu((), vendor.resource, {**labels, **dict.fromkeys(vendor.short_labels, (short,))})


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
    return _extended(Catalogue((), (), {}, {}, frozenset()), parse(text))


@cache
def _built_in() -> Catalogue:
    return read(resources.files(__package__).joinpath("catalogue.yaml").read_text("utf-8"))


def _extended(known: Catalogue, more: CatalogueFile) -> Catalogue:
    vendors = (*known.vendors, *more.vendors)
    gpus, tees = dict(known.gpus), dict(known.tees)
    for entry in more.gpus:
        before = gpus.get(_key(entry.names[0]))
        own = before.resource if before else _vendor(entry.names[0], vendors).resource
        labels = _merged([_frozen(entry.labels), *([before.labels] if before else ())])
        names = tuple(dict.fromkeys((*entry.names, *(before.names if before else ()))))
        gpu = Gpu(names, entry.resource or own, labels)
        gpus.update({_key(name): gpu for name in names})
    for tee in more.tees:
        merged = _added(tees.get(_key(tee.names[0])), tee)
        tees.update({_key(name): merged for name in merged.names})
    plain = tuple(dict.fromkeys((*more.plain_labels, *known.plain_labels)))
    named = (*(vendor.resource for vendor in vendors), *(gpu.resource for gpu in gpus.values()))
    domains = frozenset(resource.partition("/")[0] for resource in named)
    return Catalogue(plain, vendors, gpus, tees, domains)


def _added(before: TeeEntry | None, more: TeeEntry) -> TeeEntry:
    if before is None:
        return more
    labels = _merged([_frozen(more.labels), _frozen(before.labels)])
    return TeeEntry(
        names=[*more.names, *before.names],
        includes=[*more.includes, *before.includes],
        labels={key: list(values) for key, values in labels.items()},
    )


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
