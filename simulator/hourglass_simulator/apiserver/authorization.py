"""What is asked of an authorizer, and what it answers.

https://pkg.go.dev/k8s.io/apiserver/pkg/authorization/authorizer
"""

from dataclasses import dataclass
from typing import Protocol

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.users import MASTERS, User


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a user wants to do; `path` is set for what is no resource, and then nothing else."""

    user: User
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def whole_resource(self) -> str:
        """`pods/log`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a user may, and why (may be empty)."""

    allowed: bool
    reason: str = ""


class Authorizer(Protocol):
    """Decides who may do what."""

    def decide(self, asked: Attributes) -> Decision:
        """Whether a user may."""

    def rules(self, user: User, namespace: str) -> tuple[list[JSON], str]:
        """The RBAC rules that a user has in a namespace, and what was not found on the way."""


class AlwaysAllow:
    """`--authorization-mode=AlwaysAllow`."""

    def decide(self, asked: Attributes) -> Decision:  # noqa: ARG002
        """Everybody may."""
        return Decision(True)

    def rules(self, user: User, namespace: str) -> tuple[list[JSON], str]:  # noqa: ARG002
        """Everything."""
        everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
        return [everything, {"nonResourceURLs": ["*"], "verbs": ["*"]}], ""


def is_master(user: User) -> bool:
    """A user whom no authorizer is asked about."""
    return MASTERS in user.groups
