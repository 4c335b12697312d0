"""Tokens of ServiceAccounts: signed, bound to their account, and good for a while.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/serviceaccount/claims.go
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.users import (
    AUTHENTICATED,
    User,
    account_groups,
    account_name,
)

ISSUER: Final = "https://kubernetes.default.svc"
"""Also the audience of tokens that name none."""
_ALGORITHM = "RS256"
_INVALIDATED = "service account token has been invalidated"


class InvalidTokenError(Exception):
    """A token of this issuer that is not, or no longer, good."""


class AccountTokens:
    """Issues tokens and says whose they are; `now` is the Unix time."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def _key_id(self) -> str:
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return _base64url(hashlib.sha256(public).digest())

    def issue(
        self,
        account: JSON,
        seconds: int,
        audiences: Sequence[str],
        identifier: str,
        bound: JSON | None,
    ) -> str:
        """A token; `bound` is the Pod, Secret or Node without which it is good no more."""
        now, meta = int(self._now()), account["metadata"]
        own: JSON = {
            "namespace": meta["namespace"],
            "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
        }
        if bound is not None:
            own[bound["kind"].lower()] = _reference(bound)
            node = bound["spec"].get("nodeName") if bound["kind"] == "Pod" else None
            if node:
                found = self._find("nodes", "", node)
                own["node"] = _reference(found) if found else {"name": node}
        claims = {
            "aud": list(audiences),
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": identifier,
            "kubernetes.io": own,
            "nbf": now,
            "sub": account_name(meta["namespace"], meta["name"]),
        }
        headers = {"kid": self._key_id, "typ": None}
        return jwt.encode(claims, self._key, _ALGORITHM, headers=headers)

    def user(self, token: str, audiences: Sequence[str] = (ISSUER,)) -> tuple[User, list[str]]:
        """Whose token it is, and those of the audiences that it is meant for.

        Raises InvalidTokenError, ValueError when it is no token of this issuer.
        """
        try:
            claims: JSON = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=[_ALGORITHM],
                issuer=ISSUER,
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                },
            )
        except jwt.PyJWTError as error:
            raise ValueError(str(error)) from None
        meant = [each for each in audiences if each in claims["aud"]]
        if not meant:
            listed = " ".join(f'"{each}"' for each in claims["aud"])
            why = f"invalid bearer token: token audiences [{listed}] is invalid for the target"
            raise InvalidTokenError(f"{why} audiences {list(audiences)}")
        if self._now() > claims["exp"] + _LEEWAY_SECONDS:
            raise InvalidTokenError("service account token has expired")
        return self._user(claims), meant

    def _user(self, claims: JSON) -> User:
        own = claims["kubernetes.io"]
        namespace, account = own["namespace"], own["serviceaccount"]
        found = self._find("serviceaccounts", namespace, account["name"])
        if found is None:
            raise InvalidTokenError(f'serviceaccount "{account["name"]}" not found')
        if found["metadata"]["uid"] != account["uid"]:
            uid = found["metadata"]["uid"]
            why = f"service account UID ({uid}) does not match claim ({account['uid']})"
            raise InvalidTokenError(why)
        extra = {"authentication.kubernetes.io/credential-id": (f"JTI={claims['jti']}",)}
        for kind in ("pod", "secret", "node"):
            reference = own.get(kind)
            if reference is None:
                continue
            if not (kind == "node" and "pod" in own):
                below = "" if kind == "node" else namespace
                there: Any = self._find(f"{kind}s", below, reference["name"])
                if there is None or there["metadata"]["uid"] != reference["uid"]:
                    raise InvalidTokenError(_INVALIDATED)
            if kind != "secret":
                extra[f"authentication.kubernetes.io/{kind}-name"] = (reference["name"],)
                if "uid" in reference:
                    extra[f"authentication.kubernetes.io/{kind}-uid"] = (reference["uid"],)
        groups = (*account_groups(namespace), AUTHENTICATED)
        return User(account_name(namespace, account["name"]), groups, account["uid"], extra)

    def _find(self, plural: str, namespace: str, name: str) -> JSON | None:
        table = self._store.table(plural)
        return None if table is None else table.find(namespace, name)


_LEEWAY_SECONDS = 60


def _reference(obj: JSON) -> JSON:
    return {"name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"]}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
