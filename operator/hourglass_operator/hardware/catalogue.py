"""The hardware catalogue: names of GPUs and TEEs, and the node labels that tell them."""

from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Labels = dict[str, list[str]]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=None)


class Vendor(_Entry):
    """For GPUs that no entry lists: which resource and label they have by the start of the name."""

    prefix: str
    resource: str = Field(min_length=1)
    product_label: str = Field(alias="productLabel", min_length=1)


class Gpu(_Entry):
    """A GPU model; any one of `labels` with any of its values tells it."""

    names: list[str] = Field(min_length=1)
    resource: str = Field(min_length=1)
    labels: Labels = Field(default_factory=dict)


class Tee(_Entry):
    """A kind of trusted execution environment; any one of `labels` tells it."""

    names: list[str] = Field(min_length=1)
    labels: Labels = Field(min_length=1)


class Catalogue(_Entry):
    """What is known about hardware; entries that come first go before later ones."""

    plain_labels: list[str] = Field(alias="plainLabels", default_factory=list)
    vendors: list[Vendor] = Field(default_factory=list)
    gpus: list[Gpu] = Field(default_factory=list)
    tees: list[Tee] = Field(default_factory=list)

    def gpu(self, gpu_type: str) -> Gpu:
        """The entry for a gpuType in any case; for one that is not listed, what its name tells."""
        wanted = gpu_type.lower()
        for gpu in self.gpus:
            if wanted in (name.lower() for name in gpu.names):
                return self._with_plain_labels(gpu, gpu_type)
        vendor = next(v for v in self.vendors if wanted.startswith(v.prefix))
        own = Gpu(
            names=[gpu_type],
            resource=vendor.resource,
            labels={
                vendor.product_label: [gpu_type],
                "cloud.google.com/gke-accelerator": [gpu_type],
                "eks.amazonaws.com/instance-gpu-name": [gpu_type],
                "karpenter.k8s.aws/instance-gpu-name": [gpu_type],
            },
        )
        return self._with_plain_labels(own, gpu_type)

    def tee(self, tee_type: str) -> Tee:
        """The entry for a teeType in any case; one that is not listed is a label of NFD's form."""
        wanted = tee_type.lower()
        for tee in self.tees:
            if wanted in (name.lower() for name in tee.names):
                return tee
        label = f"feature.node.kubernetes.io/cpu-security.{wanted.replace('-', '.')}.enabled"
        return Tee(names=[tee_type], labels={label: ["true"]})

    def any_tee(self) -> Tee:
        """What is told by the labels of any TEE in the catalogue."""
        labels = {key: values for tee in self.tees for key, values in tee.labels.items()}
        return Tee(names=["any"], labels=labels)

    def _with_plain_labels(self, gpu: Gpu, gpu_type: str) -> Gpu:
        spellings = list(dict.fromkeys([gpu_type, *gpu.names]))
        plain = dict.fromkeys(self.plain_labels, spellings)
        return Gpu(names=gpu.names, resource=gpu.resource, labels={**gpu.labels, **plain})


def load(extension: str | None = None) -> Catalogue:
    """The built-in catalogue, preceded by the entries of an extension (YAML of the same form).

    Raises ValueError naming the field, what was found and what is expected.
    """
    built_in = _parse(resources.files(__package__).joinpath("catalogue.yaml").read_text())
    if extension is None:
        return built_in
    try:
        own = _parse(extension)
    except yaml.YAMLError as error:
        raise ValueError(f"hardware catalogue: not YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ValueError(
            f"hardware catalogue: {field}: {first['msg']}, found {first['input']!r:.80}"
        ) from None
    return Catalogue(
        plainLabels=[*own.plain_labels, *built_in.plain_labels],
        vendors=[*own.vendors, *built_in.vendors],
        gpus=[*own.gpus, *built_in.gpus],
        tees=[*own.tees, *built_in.tees],
    )


def _parse(text: str) -> Catalogue:
    document: Any = yaml.safe_load(text)
    return Catalogue.model_validate({} if document is None else document)
