"""Certificates of a cluster of one's own: of its authority, its server, and a client.

https://kubernetes.io/docs/setup/best-practices/certificates/
"""

import base64
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hourglass_simulator.apiserver.users import AUTHENTICATED, User

_DAYS = 365
_UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
"""Of the part of a name that is the user's uid.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key as PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("kubernetes")
        builder = _builder(self._name, self._name, self._key.public_key())
        basic = x509.BasicConstraints(ca=True, path_length=None)
        made = builder.add_extension(basic, critical=True).sign(self._key, hashes.SHA256())
        self.certificate = made.public_bytes(serialization.Encoding.PEM)

    def server(self, address: str, names: Sequence[str] = ("localhost", "kubernetes")) -> Pair:
        """For a server at an address and under names."""
        alternatives = [x509.IPAddress(ip_address(address)), *map(x509.DNSName, names)]
        return self._signed(_name("kube-apiserver"), ExtendedKeyUsageOID.SERVER_AUTH, alternatives)

    def client(self, user: str, groups: Sequence[str]) -> Pair:
        """By which a user is known."""
        return self._signed(_name(user, groups, uid=user), ExtendedKeyUsageOID.CLIENT_AUTH, [])

    def context(self, server: Pair) -> ssl.SSLContext:
        """For a server that asks clients for a certificate and does without one."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_verify_locations(cadata=self.certificate.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "server.pem"
            file.touch(mode=0o600)
            file.write_bytes(server.certificate + server.key)
            context.load_cert_chain(file)
        return context

    def _signed(
        self, name: x509.Name, usage: x509.ObjectIdentifier, names: list[x509.GeneralName]
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, self._name, key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = builder.sign(self._key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return Pair(made.public_bytes(serialization.Encoding.PEM), private)


def user_of(peer: dict[str, Any] | None) -> User | None:
    """Whom a certificate (as `ssl` shows it) is for: its common name, organizations and uid."""
    if not peer:
        return None
    subject = [pair for each in peer.get("subject", ()) for pair in each]
    names = [value for key, value in subject if key == "commonName"]
    groups = [value for key, value in subject if key == "organizationName"]
    uid = next((value for key, value in subject if key == _UID.dotted_string), "")
    return User(names[0], (*groups, AUTHENTICATED), uid) if names else None


def base64_of(data: bytes) -> str:
    """As kubeconfigs have it."""
    return base64.b64encode(data).decode()


def _name(common: str, organizations: Sequence[str] = (), uid: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations]
    if uid:
        parts.append(x509.NameAttribute(_UID, uid))
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=_DAYS))
    )
