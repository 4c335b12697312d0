"""A write that is to be admitted.

https://pkg.go.dev/k8s.io/apiserver/pkg/admission#Attributes
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.errors import APIError, forbidden
from hourglass_simulator.apiserver.resources import Resource
from hourglass_simulator.apiserver.users import User

CREATE: Final = "CREATE"
UPDATE: Final = "UPDATE"
"""A patch is one too."""
DELETE: Final = "DELETE"


class Write(NamedTuple):
    """`new` is None for a deletion, `old` for a creation.

    `warnings` are given to the client whatever becomes of it. `shown` is how refusals name it as
    long as its name is not generated.
    """

    operation: str
    resource: Resource
    subresource: str
    new: JSON | None
    old: JSON | None
    user: User
    dry_run: bool
    warnings: list[str]
    options: Mapping[str, Any]
    shown: str = ""

    @property
    def obj(self) -> JSON:
        """What is written, or what is deleted."""
        found = self.new if self.new is not None else self.old
        assert found is not None
        return found

    @property
    def namespace(self) -> str:
        """Empty for what is in none; of a namespace it is its own name."""
        meta: JSON = self.obj["metadata"]
        if self.resource.qualified == "namespaces":
            return str(meta["name"])
        return str(meta.get("namespace", ""))

    @property
    def name(self) -> str:
        """Of the object."""
        return str(self.obj["metadata"].get("name", ""))

    def on(self, *resources: str, operations: Sequence[str] = (CREATE, UPDATE)) -> bool:
        """Whether it writes an object of one of the resources, and no subresource."""
        known = self.resource.qualified in resources and self.operation in operations
        return known and not self.subresource

    def with_new(self, obj: JSON) -> "Write":
        """The same with another object."""
        # `_replace` takes three times as long, and every write passes here.
        return self if obj is self.new else Write._make((*self[:3], obj, *self[4:]))

    def refused(self, why: str) -> APIError:
        """403."""
        return forbidden(self.resource, self.shown or self.name, why)
