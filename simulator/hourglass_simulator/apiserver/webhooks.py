"""Admission webhooks: what others change in every matching write of anybody, or refuse.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, patches
from hourglass_simulator.apiserver.write import CREATE


@dataclass(frozen=True, eq=False)
class MutatingWebhook:
    """Patches the objects of one resource whose name matches a shell pattern."""

    resource: str
    """Plural."""
    operations: frozenset[str]
    """CREATE, UPDATE or both."""
    name: str
    patch: Any
    """A list is a JSON patch, a mapping a strategic merge patch."""

    def matches(self, operation: str, resource: str, name: str) -> bool:
        """It is called for such a write."""
        called = resource == self.resource and operation in self.operations
        return called and fnmatchcase(name, self.name)

    def mutated(self, obj: JSON) -> JSON:
        """The patched object; 500 when the patch does not apply, as with `failurePolicy: Fail`."""
        content_type = patches.JSON_PATCH if isinstance(self.patch, list) else patches.STRATEGIC
        try:
            return patches.apply(obj, self.patch, content_type)
        except errors.APIError as error:
            raise errors.internal(error.message) from None


@dataclass(frozen=True, eq=False)
class RefusingWebhook:
    """Denies the creation of the objects of one resource whose name matches a shell pattern."""

    resource: str
    """Plural."""
    name: str
    message: str

    def matches(self, operation: str, resource: str, name: str) -> bool:
        """It is called for such a write."""
        return resource == self.resource and operation == CREATE and fnmatchcase(name, self.name)

    def mutated(self, _: JSON) -> JSON:
        """Raises 403, as admission libraries answer it."""
        raise errors.denied("policy.example.com", self.message)


Webhook = MutatingWebhook | RefusingWebhook


class Webhooks:
    """Those that are registered, in the order in which they are called."""

    def __init__(self) -> None:
        self.registered: list[Webhook] = []

    def mutated(self, operation: str, resource: str, obj: JSON) -> JSON:
        """What is to be stored instead of `obj`, whose `metadata.name` is known."""
        for webhook in self.registered:
            if webhook.matches(operation, resource, obj["metadata"]["name"]):
                obj = webhook.mutated(obj)
        return obj
