"""Kubernetes objects in a scenario: written inline, or in a file beside it."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema, model_serializer
from pydantic_core import PydanticCustomError

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.document import UnreadableError, read
from hourglass_simulator.scenario.strict import Strict


class ManifestSource(Strict):
    """The objects of one item: a file may hold several, an inline one is alone."""

    file: str = ""
    """As written in the scenario; empty if inline."""
    objects: tuple[JSON, ...]

    @model_serializer
    def _serialize(self) -> str | JSON:
        return self.file or self.objects[0]


def _read(value: object, info: ValidationInfo) -> ManifestSource:
    if isinstance(value, ManifestSource):
        return value
    if isinstance(value, dict):
        _check(value, "")
        return ManifestSource(objects=(value,))
    if not isinstance(value, str):
        raise _wrong(f"{value!r} is neither the name of a manifest file nor an object")
    directory = Path((info.context or {}).get("directory", "."))
    try:
        documents = read(directory / value, shown=value)
    except UnreadableError as error:
        raise _wrong("; ".join(str(problem) for problem in error.problems)) from None
    objects = [document.value for document in documents if document.value is not None]
    if not objects:
        raise _wrong(f"{value} holds no object")
    for found in objects:
        _check(found, f"{value}: ")
    return ManifestSource(file=value, objects=tuple(objects))


def _check(found: object, where: str) -> None:
    if not isinstance(found, dict):
        raise _wrong(f"{where}expected an object with apiVersion, kind and metadata")
    for key in ("apiVersion", "kind"):
        if not isinstance(found.get(key), str):
            raise _wrong(f"{where}an object needs {key} (a text)")
    metadata = found.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str):
        raise _wrong(f"{where}an object needs metadata.name (a text)")


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("expected", "{text}", {"text": text})


Manifest = Annotated[
    ManifestSource, BeforeValidator(_read), WithJsonSchema({"type": ["string", "object"]})
]
