"""PodCertificateRequests.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/certificates/validation/validation.go
"""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import labels, names, object_meta
from hourglass_simulator.apiserver.rules.fault import (
    OMITTED,
    Faults,
    each,
    immutable,
    invalid,
    not_supported,
    required,
    too_long,
)
from hourglass_simulator.apiserver.rules.go_text import printed
from hourglass_simulator.apiserver.schema_error import Verbatim

_KINDS = ("Issued", "Denied", "Failed")
_LONGEST_UID, _LONGEST_REQUEST, _LONGEST_CHAIN = 128, 10 * 1024, 100 * 1024
_SHORTEST_SECONDS, _DAY_SECONDS = 60 * 60, 24 * 60 * 60
_RSA_BITS = (3072, 4096)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_GO_CURVES = {"secp224r1": "P-224"}
_MARGIN = timedelta(minutes=10)
_BLOCK = re.compile(r"-----BEGIN ([^-\n]+)-----\n.*?-----END \1-----\n?", re.DOTALL)
_REQUEST, _CHAIN = "spec.stubPKCS10Request", "status.certificateChain"


def created(found: JSON) -> Faults:
    """What is wrong with a new PodCertificateRequest."""
    spec = found.get("spec") or {}
    yield from object_meta.created("podcertificaterequests", found["metadata"])
    signer = spec.get("signerName") or ""
    yield from names.signer_name("spec.signerName", signer)
    for key in spec.get("unverifiedUserAnnotations") or ():
        yield from _annotation("spec.unverifiedUserAnnotations", key.lower())
    for whom in ("pod", "serviceAccount", "node"):
        name, uid = (spec.get(f"{whom}{what}") or "" for what in ("Name", "UID"))
        yield from each(f"spec.{whom}Name", name, names.dns_subdomain(name))
        if not uid:
            yield invalid(f"spec.{whom}UID", uid, "must not be empty")
        if len(uid) > _LONGEST_UID:
            yield too_long(f"spec.{whom}UID", _LONGEST_UID)
    seconds = spec["maxExpirationSeconds"]
    host = signer.partition("/")[0]
    is_own = host == "kubernetes.io" or host.endswith(".kubernetes.io")
    longest = _DAY_SECONDS if is_own else 91 * _DAY_SECONDS
    if not _SHORTEST_SECONDS <= seconds <= longest:
        why = f"must be in the range [{_SHORTEST_SECONDS}, {longest}]"
        yield invalid("spec.maxExpirationSeconds", seconds, why)
    if request := base64.b64decode(spec.get("stubPKCS10Request") or ""):
        yield from _request(request)
    else:
        ways = "(stubPKCS10Request) or (pkixPublicKey, proofOfPossession)"
        yield invalid("spec", OMITTED, f"exactly one of {ways} must be set")


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed PodCertificateRequest."""
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from immutable("spec", new.get("spec"), old.get("spec"), _printed)


def status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status: a signer issues, denies or fails, once.

    Whether the certificate begins now is not looked at.
    """
    if faults := list(object_meta.updated(new["metadata"], old["metadata"])):
        yield from faults
        return
    now, before = (found.get("status") or {} for found in (new, old))
    conditions = now.get("conditions") or []
    if faults := list(_conditions("status.conditions", conditions)):
        yield from faults
        return
    kind, decided = _kind(now), _kind(before)
    rest = {name: value for name, value in now.items() if name != "conditions"}
    if decided:
        if now != before:
            why = "immutable after PodCertificateRequest is issued, denied, or failed"
            yield invalid("status", OMITTED, why)
    elif kind in ("Denied", "Failed"):
        if rest:
            why = "non-condition status fields must be empty when denying or failing the"
            yield invalid("status", OMITTED, f"{why} PodCertificateRequest")
    elif kind == "Issued":
        yield from _issued(old.get("spec") or {}, now)
    elif now != before:
        why = 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"'
        yield invalid("status", OMITTED, why)


def _printed(spec: JSON) -> Verbatim:
    return printed("certificates.PodCertificateRequestSpec", spec)


def _annotation(field: str, key: str) -> Faults:
    if not key:
        yield required(field)
    elif why := names.qualified_name(key):
        yield from each(field, key, why)
    elif "/" not in key:
        yield invalid(field, key, 'must be a domain-prefixed key (such as "acme.io/foo")')


def _request(request: bytes) -> Faults:
    if len(request) > _LONGEST_REQUEST:
        yield too_long(_REQUEST, _LONGEST_REQUEST)
        return
    try:
        found = x509.load_der_x509_csr(request)
        key = found.public_key()
    except (ValueError, UnsupportedAlgorithm):
        yield invalid(_REQUEST, OMITTED, "must be a valid PKCS#10 CSR")
        return
    if faults := list(_weak(key)):
        yield from faults
    elif not found.is_signature_valid:
        yield invalid(_REQUEST, OMITTED, "invalid signature")


def _weak(key: object) -> Faults:
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, _CURVES):
            named = _GO_CURVES.get(key.curve.name, key.curve.name)
            why = "elliptic public keys must use curve P256, P384, or P521"
            yield invalid(_REQUEST, f"curve {named}", why)
    elif isinstance(key, rsa.RSAPublicKey):
        if key.key_size not in _RSA_BITS:
            why = "RSA keys must have modulus size 3072 or 4096"
            yield invalid(_REQUEST, f"{key.key_size}-bit modulus", why)
    elif not isinstance(key, ed25519.Ed25519PublicKey):
        why = "unknown public key type; supported types are Ed25519, ECDSA, and RSA"
        yield invalid(_REQUEST, OMITTED, why)


def _conditions(path: str, conditions: Sequence[JSON]) -> Faults:
    """At most one, and that is true."""
    known = 0
    for index, condition in enumerate(conditions):
        kind, state = condition.get("type") or "", condition.get("status") or ""
        if kind not in _KINDS:
            yield not_supported(f"{path}.[{index}].type", kind, _KINDS)
            continue
        known += 1
        if known > 1:
            why = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
            yield invalid(f"{path}.[{index}].type", kind, why)
        if state != "True":
            yield not_supported(f"{path}.[{index}].status", state, ["True"])
    yield from labels.conditions(path, list(conditions))


def _kind(of: JSON) -> str:
    """What has been decided; empty where nothing has."""
    true = {c.get("type") for c in of.get("conditions") or () if c.get("status") == "True"}
    return next((kind for kind in _KINDS if kind in true), "")


def _issued(spec: JSON, now: JSON) -> Faults:
    chain = now.get("certificateChain") or ""
    if len(chain) > _LONGEST_CHAIN:
        yield too_long(_CHAIN, _LONGEST_CHAIN)
        return
    blocks = list(_BLOCK.finditer(chain))
    if not blocks:
        yield invalid(
            _CHAIN, chain, "issued certificate chain must contain at least one certificate"
        )
        return
    if blocks[0][1] != "CERTIFICATE":
        why = "issued certificate chain must consist entirely of CERTIFICATE PEM blocks"
        yield invalid(_CHAIN, chain, why)
        return
    if (leaf := _certificate(blocks[0][0])) is None:
        yield invalid(_CHAIN, chain, "leaf certificate does not parse as valid X.509")
        return
    request = x509.load_der_x509_csr(base64.b64decode(spec["stubPKCS10Request"]))
    if _der(leaf.public_key()) != _der(request.public_key()):
        why = "leaf certificate was not issued to the requested public key"
        yield invalid(_CHAIN, chain, why)
        return
    if faults := list(_times(spec, now, leaf)):
        yield from faults
        return
    for block in blocks[1:]:
        if block[1] != "CERTIFICATE":
            why = "issued certificate chain must consist entirely of CERTFICATE PEM blocks"
            yield invalid(_CHAIN, chain, why)
            return
        if _certificate(block[0]) is None:
            yield invalid(_CHAIN, chain, "intermediate certificate does not parse as valid X.509")
            return


def _certificate(text: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        return None


def _der(key: PublicKeyTypes) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)


def _times(spec: JSON, now: JSON, leaf: x509.Certificate) -> Faults:
    """The status has the times of the certificate, and when it is to be refreshed."""
    consistent = "must be present and consistent with the issued certificate"
    between = "must be present and in the range [notbefore+10min, notafter-10min]"
    wanted = {"notBefore": consistent, "notAfter": consistent, "beginRefreshAt": between}
    if missing := [field for field in wanted if not now.get(field)]:
        for field in missing:
            yield required(f"status.{field}", wanted[field])
        return
    begins, ends, refresh = (datetime.fromisoformat(now[field]) for field in wanted)
    first, last = (
        each_time.replace(tzinfo=UTC)
        for each_time in (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    )
    for field, said, true in (("notBefore", begins, first), ("notAfter", ends, last)):
        if said != true:
            name = field[:1].upper() + field[1:]
            why = f"must be set to the {name} time encoded in the leaf certificate"
            yield invalid(f"status.{field}", now[field], why)
            return
    lifetime, most = last - first, spec["maxExpirationSeconds"]
    if lifetime < timedelta(hours=1):
        yield invalid(_CHAIN, _duration(lifetime), "leaf certificate lifetime must be >= 1 hour")
    elif lifetime > timedelta(seconds=most):
        why = f"leaf certificate lifetime must be <= spec.maxExpirationSeconds ({most})"
        yield invalid(_CHAIN, _duration(lifetime), why)
    elif refresh < begins + _MARGIN:
        why = "must be at least 10 minutes after status.notBefore"
        yield invalid("status.beginRefreshAt", now["beginRefreshAt"], why)
    elif refresh > ends - _MARGIN:
        why = "must be at least 10 minutes before status.notAfter"
        yield invalid("status.beginRefreshAt", now["beginRefreshAt"], why)


def _duration(lifetime: timedelta) -> str:
    """As Go prints it."""
    minutes, seconds = divmod(int(lifetime.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}s" if hours else f"{minutes}m{seconds}s"
