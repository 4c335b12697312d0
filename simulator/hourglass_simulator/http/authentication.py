"""As whom a request is made: by token, by client certificate, or as somebody else.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from hourglass_simulator.apiserver.account_tokens import ISSUER, AccountTokens, InvalidTokenError
from hourglass_simulator.apiserver.authorization import Attributes, Authorizer
from hourglass_simulator.apiserver.errors import APIError
from hourglass_simulator.apiserver.users import (
    ANONYMOUS,
    AUTHENTICATED,
    UNAUTHENTICATED,
    User,
    account_groups,
    account_of,
    admin,
    anonymous,
)
from hourglass_simulator.http.access import forbidden

Headers = Mapping[str, Sequence[str]]
"""By name in lower case."""
_EXTRA = "impersonate-extra-"
_USER, _GROUP, _UID = "impersonate-user", "impersonate-group", "impersonate-uid"


class TokenResult(NamedTuple):
    """Whose a token is (None: nobody's), for which audiences, or what is wrong with it."""

    user: User | None
    audiences: Sequence[str] = ()
    error: str = ""


class ImpersonationError(Exception):
    """Headers that impersonate, but nobody."""


class Authenticator:
    """Knows tokens of its own and those of ServiceAccounts.

    `names`: any other token is taken for the name of an admin, and so is no token at all.
    """

    def __init__(self, accounts: AccountTokens, *, names: bool) -> None:
        self.names = names
        self.tokens: dict[str, User] = {}
        self._accounts = accounts

    def user(self, headers: Headers, certificate: User | None) -> User:
        """The user of a request; 401 for a token that nobody knows."""
        if certificate is not None:
            return certificate
        scheme, _, token = next(iter(headers.get("authorization", ())), "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return admin("admin") if self.names else anonymous()
        found = self.of_token(token, (ISSUER,))
        if found.user is None:
            raise APIError(401, "Unauthorized", "Unauthorized")
        return found.user

    def of_token(self, token: str, audiences: Sequence[str]) -> TokenResult:
        """Whose a token is."""
        if token in self.tokens:
            meant = [each for each in audiences if each == ISSUER]
            return TokenResult(self.tokens[token], meant)
        try:
            return TokenResult(*self._accounts.user(token, audiences))
        except InvalidTokenError as error:
            return TokenResult(None, error=f"[invalid bearer token, {error}]")
        except ValueError:
            if self.names and token.count(".") != 2:
                return TokenResult(admin(token), audiences)
            return TokenResult(None, error="invalid bearer token")


def impersonated(user: User, headers: Headers, authorizer: Authorizer) -> User:
    """The user whom the headers name, or `user` when they name none.

    403 when he may not be impersonated; ImpersonationError for groups without a user.
    https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
    """
    name = next(iter(headers.get(_USER, ())), "")
    groups = list(headers.get(_GROUP, ()))
    uid = next(iter(headers.get(_UID, ())), "")
    extra = {
        unquote(header.removeprefix(_EXTRA)): tuple(values)
        for header, values in headers.items()
        if header.startswith(_EXTRA)
    }
    if not name:
        if groups or extra or uid:
            raise ImpersonationError(_listed(groups, extra, uid))
        return user
    account = account_of(name)
    if account is not None:
        asked = [Attributes(user, "impersonate", "", "serviceaccounts", "", *account)]
    else:
        asked = [Attributes(user, "impersonate", "", "users", name=name)]
    asked += [Attributes(user, "impersonate", "", "groups", name=group) for group in groups]
    own = "authentication.k8s.io"
    for key, values in extra.items():
        asked += [
            Attributes(user, "impersonate", own, "userextras", key, name=value) for value in values
        ]
    if uid:
        asked.append(Attributes(user, "impersonate", own, "uids", name=uid))
    for each in asked:
        decision = authorizer.decide(each)
        if not decision.allowed:
            raise forbidden(each, decision.reason)
    if account is not None and not groups:
        groups = list(account_groups(account[0]))
    usual = UNAUTHENTICATED if name == ANONYMOUS else AUTHENTICATED
    known = (usual,) if name == ANONYMOUS else (AUTHENTICATED, UNAUTHENTICATED)
    if not any(group in known for group in groups):
        groups.append(usual)
    return User(name, tuple(groups), uid, extra)


def _listed(groups: Sequence[str], extra: Mapping[str, Sequence[str]], uid: str) -> str:
    """Go's `%v` of the object references that stand for what is impersonated."""
    version = "authentication.k8s.io/v1"
    references = [f"{{Group  {group}    }}" for group in groups]
    for key, values in extra.items():
        references += [f"{{UserExtra  {value}  {version}  {key}}}" for value in values]
    if uid:
        references.append(f"{{UID  {uid}  {version}  }}")
    return f"requested [{' '.join(references)}] without impersonating a user"
