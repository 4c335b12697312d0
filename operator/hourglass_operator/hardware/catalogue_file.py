"""The form of a catalogue file, and what is said about one that does not have it."""

from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from hourglass_kube import quantity
from hourglass_kube.label import key_faults, value_faults
from hourglass_kube.loader import SafeLoader
from hourglass_kube.podresources import is_extended


def _label_key(key: str) -> str:
    if faults := key_faults(key):
        raise ValueError(f"not a label key: {faults[0]}")
    return key


def _label_value(value: str) -> str:
    if not value or value_faults(value):
        raise ValueError("not a label value: at most 63 letters, digits, '-', '_' or '.'")
    return value


def _extended_resource(resource: str) -> str:
    if not is_extended(resource) or key_faults(resource):
        raise ValueError("not an extended resource such as example.com/gpu")
    return resource


def _quantity(text: str) -> str:
    quantity.parse(text)
    return text


def _taint_key(key: str) -> str:
    if faults := key_faults(key.replace("*", "x")):
        raise ValueError(f"not a taint key (* stands for any characters): {faults[0]}")
    if not key.strip("*/"):
        raise ValueError("not a taint key: it would stand for every taint")
    return key


Name = Annotated[str, Field(min_length=1, max_length=63)]
Names = Annotated[list[Name], Field(min_length=1)]
LabelKey = Annotated[str, AfterValidator(_label_key)]
TaintKey = Annotated[str, AfterValidator(_taint_key)]
LabelValue = Annotated[str, AfterValidator(_label_value)]
LabelValues = Annotated[list[LabelValue], Field(min_length=1)]
Labels = dict[LabelKey, LabelValues]
Resource = Annotated[str, AfterValidator(_extended_resource)]
Attribute = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,31}$")]
Quantity = Annotated[str, AfterValidator(_quantity)]
Driver = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=63)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class PartsEntry(_Entry):
    """Labels that say, beside others, that a node does not offer whole GPUs; [] is any value."""

    beside: Annotated[list[LabelKey], Field(min_length=1)]
    labels: dict[LabelKey, list[LabelValue]]


class SlicesEntry(_Entry):
    """How slices of GPUs are claimed: the attribute `profile` says which."""

    device_class: Driver
    attributes: dict[Attribute, Name] = Field(default_factory=dict)
    profile: Attribute


class ClaimsEntry(_Entry):
    """How GPUs are claimed: the DeviceClass and what its driver's attributes say.

    `product` names the model, as the node label `product_label` does; '-', '_' and ' ' are alike.
    `attributes` are what whole GPUs have.
    """

    device_class: Driver
    driver: Driver
    product: Attribute
    product_label: LabelKey | None = None
    attributes: dict[Attribute, Name] = Field(default_factory=dict)
    slices: SlicesEntry | None = None


class VendorEntry(_Entry):
    """What a GPU has whose name starts with `prefix`."""

    prefix: Name
    resource: Resource
    labels: list[LabelKey] = Field(default_factory=list)
    short_labels: list[LabelKey] = Field(default_factory=list)
    parts: list[PartsEntry] = Field(default_factory=list)
    claims: ClaimsEntry | None = None


class GpuClaimEntry(_Entry):
    """What a claim asks of the driver's attributes, beside the products of the product label."""

    products: list[Name] = Field(default_factory=list)
    architecture: Name | None = None
    memory: Quantity | None = None


class GpuEntry(_Entry):
    """A GPU model."""

    names: Names
    resource: Resource | None = None
    on_any_node: bool = False
    labels: Labels = Field(default_factory=dict)
    claim: GpuClaimEntry = Field(default_factory=GpuClaimEntry)


class TeeEntry(_Entry):
    """A kind of trusted execution environment."""

    names: Names
    includes: list[Name] = Field(default_factory=list)
    labels: Labels = Field(default_factory=dict)
    resources: list[Resource] = Field(default_factory=list)


class NodeStateEntry(_Entry):
    """A state of nodes that passes by itself, and what shows it; taint keys may hold a `*`.

    `leaving`: pods will have to leave such a node soon.
    """

    state: Name
    source: Name | None = None
    leaving: bool = False
    taints: list[TaintKey] = Field(default_factory=list)
    conditions: dict[Name, LabelValue] = Field(default_factory=dict)
    labels: Labels = Field(default_factory=dict)


class CatalogueFile(_Entry):
    """A catalogue file; every part may be absent."""

    plain_labels: list[LabelKey] = Field(default_factory=list)
    vendors: list[VendorEntry] = Field(default_factory=list)
    gpus: list[GpuEntry] = Field(default_factory=list)
    tees: list[TeeEntry] = Field(default_factory=list)
    node_states: list[NodeStateEntry] = Field(default_factory=list)


def parse(text: str) -> CatalogueFile:
    """A catalogue file from YAML.

    Raises ValueError naming the place, what is expected and what was found.
    """
    try:
        document: Any = yaml.load(text, Loader=SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"hardware catalogue: not YAML: {error}") from None
    try:
        return CatalogueFile.model_validate({} if document is None else document)
    except ValidationError as error:
        raise ValueError(f"hardware catalogue: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place, found = _place(first["loc"]), first["input"]
    if first["type"] == "extra_forbidden":
        return f"{place}: unknown field"
    expected = first["msg"].removeprefix("Value error, ")
    hint = " (write it in quotes)" if first["type"] == "string_type" else ""
    return f"{place}: {expected}{hint}, found {found!r:.80}"


def _place(location: tuple[str | int, ...]) -> str:
    place = ""
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
        elif part != "[key]":
            place += f".{part}" if place else part
    return place or "the document"
