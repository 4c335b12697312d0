"""A Performer as the API server shows it, and changes of it."""

from enum import StrEnum
from typing import NamedTuple, Self

from pydantic import Field, ValidationError

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND, VERSION, Condition, PerformerSpec, PerformerStatus
from hourglass_operator.api.types import Model
from hourglass_operator.client.errors import UnreadableError


class Metadata(Model):
    """The part of ObjectMeta that executors use; times are RFC 3339.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
    """

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class Performer(Model):
    """A Performer at one moment; it does not change by itself."""

    metadata: Metadata
    spec: PerformerSpec
    status: PerformerStatus = Field(default_factory=PerformerStatus)

    @classmethod
    def from_json(cls, body: JSON) -> Self:
        """Raises UnreadableError for an object that these types do not describe."""
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            name = (body.get("metadata") or {}).get("name", "?")
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise UnreadableError(
                f"Performer {name}: {field}: {first['msg']}; "
                "is this client of another version than the CustomResourceDefinition?"
            ) from None

    @property
    def name(self) -> str:
        """metadata.name."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """metadata.namespace."""
        return self.metadata.namespace

    @property
    def ready(self) -> bool:
        """Whether a client is answered at the endpoint."""
        return self.status.ready is True

    def condition(self, type_: str) -> Condition | None:
        """The condition of a type, such as Ready or Progressing; None while it is not there."""
        return next((c for c in self.status.conditions if c.type == type_), None)


def manifest(
    name: str, namespace: str, spec: PerformerSpec, labels: dict[str, str] | None = None
) -> JSON:
    """The object to create; fields of the spec that say what their defaults say are left out."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {
            "name": name,
            "namespace": namespace,
            **({"labels": labels} if labels else {}),
        },
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }


class ChangeType(StrEnum):
    """What happened to a Performer."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Change(NamedTuple):
    """A change and the Performer after it; after DELETED, as it was last."""

    type: ChangeType
    performer: Performer
