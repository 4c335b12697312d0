"""Who makes a request.

https://pkg.go.dev/k8s.io/apiserver/pkg/authentication/user
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hourglass_kube.types import JSON

MASTERS: Final = "system:masters"
"""The group that may do everything, whatever the roles say."""
AUTHENTICATED: Final = "system:authenticated"
UNAUTHENTICATED: Final = "system:unauthenticated"
ANONYMOUS: Final = "system:anonymous"
_ACCOUNT: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """A user as whom a request is authenticated, or who is impersonated."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def info(self) -> JSON:
        """An `authentication.k8s.io/v1` UserInfo."""
        found: JSON = {"username": self.name}
        if self.uid:
            found["uid"] = self.uid
        if self.groups:
            found["groups"] = list(self.groups)
        if self.extra:
            found["extra"] = {key: list(self.extra[key]) for key in sorted(self.extra)}
        return found


def admin(name: str) -> User:
    """A user who may do everything."""
    return User(name, (MASTERS, AUTHENTICATED))


def anonymous() -> User:
    """Whoever shows no credentials."""
    return User(ANONYMOUS, (UNAUTHENTICATED,))


def account_name(namespace: str, name: str) -> str:
    """As whom a ServiceAccount is known."""
    return f"{_ACCOUNT}{namespace}:{name}"


def account_of(user: str) -> tuple[str, str] | None:
    """(namespace, name) of the ServiceAccount that a user is; None when it is none."""
    parts = user.removeprefix(_ACCOUNT).split(":")
    if not user.startswith(_ACCOUNT) or len(parts) != 2 or not all(parts):
        return None
    return parts[0], parts[1]


def account_groups(namespace: str) -> tuple[str, ...]:
    """The groups of a namespace's ServiceAccounts, AUTHENTICATED not among them."""
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")


def named(name: str) -> User:
    """The user of this name: a ServiceAccount with the groups of one, anybody else an admin."""
    account = account_of(name)
    if account is None:
        return admin(name)
    return User(name, (*account_groups(account[0]), AUTHENTICATED))
