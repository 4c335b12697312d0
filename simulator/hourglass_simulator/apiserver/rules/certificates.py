"""CertificateSigningRequests.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/certificates/validation/validation.go
"""

import base64
import re
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules import names, object_meta
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    FieldError,
    choice,
    duplicate,
    forbidden,
    invalid,
    one_of,
    required,
)

_USAGES = (
    *("any", "cert sign", "client auth", "code signing", "content commitment", "crl sign"),
    *("data encipherment", "decipher only", "digital signature", "email protection"),
    *("encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement"),
    *("key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime"),
    *("server auth", "signing", "timestamping"),
)
_LEGACY = "kubernetes.io/legacy-unknown"
_FINAL = ("Approved", "Denied", "Failed")
_STATUSES = ("False", "True", "Unknown")
_SHORTEST_SECONDS = 600
_BLOCK = re.compile(rb"-----BEGIN ([^-\n]+)-----\n(.*?)-----END \1-----\n?", re.DOTALL)


def created(found: JSON) -> Faults:
    """What is wrong with a new CertificateSigningRequest."""
    yield from _whole(found, None)


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed CertificateSigningRequest."""
    yield from _changed(new, old)


def status(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed status: a signer issues a certificate."""
    yield from _changed(new, old, issues=True)


def approval(new: JSON, old: JSON) -> Faults:
    """What is wrong with an approval."""
    yield from _changed(new, old, approves=True)


def _whole(found: JSON, old: JSON | None) -> Faults:
    yield from object_meta.created("certificatesigningrequests", found["metadata"])
    spec, path = found.get("spec") or {}, "spec"
    request = spec.get("request") or ""
    if why := _request_fault(request):
        yield invalid(f"{path}.request", request or None, why)
    usages = spec.get("usages") or []
    if not usages:
        yield required(f"{path}.usages")
    for index, usage in enumerate(usages):
        yield from one_of(f"{path}.usages[{index}]", usage, _USAGES)
    for index, usage in enumerate(usages):
        if usage in usages[:index]:
            yield duplicate(f"{path}.usages[{index}]", usage)
    signer = spec.get("signerName") or ""
    if signer == _LEGACY and old is None:
        why = "the legacy signerName is not allowed via this API version"
        yield invalid(f"{path}.signerName", signer, why)
    else:
        yield from names.signer_name(f"{path}.signerName", signer)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _SHORTEST_SECONDS:
        why = "may not specify a duration less than 600 seconds (10 minutes)"
        yield invalid(f"{path}.expirationSeconds", seconds, why)
    yield from _conditions("status.conditions", _conditions_of(found))
    certificate = _certificate(found)
    is_new = old is None or certificate != _certificate(old)
    if is_new and (why := _certificate_fault(certificate)):
        yield invalid("status.certificate", "<certificate data>", why)


def _changed(new: JSON, old: JSON, *, issues: bool = False, approves: bool = False) -> Faults:
    yield from _whole(new, old)
    path = "status.conditions"
    for kind in _FINAL:
        count, before = (len(_of_kind(each, kind)) for each in (new, old))
        if count < before:
            why = f'updates may not remove a condition of type "{kind}"'
            yield forbidden(path, why)
    for kind in () if approves else _FINAL[:2]:
        if len(_of_kind(new, kind)) > len(_of_kind(old, kind)):
            yield forbidden(path, f'updates may not add a condition of type "{kind}"')
    if _certificate(new) != _certificate(old):
        if not issues:
            yield forbidden("status.certificate", "updates may not set certificate content")
        elif _certificate(old):
            why = "updates may not modify existing certificate content"
            yield forbidden("status.certificate", why)
    yield from object_meta.updated(new["metadata"], old["metadata"])


def _conditions(path: str, conditions: Sequence[JSON]) -> Faults:
    seen: list[str] = []
    for index, condition in enumerate(conditions):
        where, kind = f"{path}[{index}]", condition.get("type") or ""
        if not kind:
            yield required(f"{where}.type")
        known = ("True",) if kind in _FINAL else _STATUSES
        yield from choice(f"{where}.status", condition.get("status"), known)
        other = {"Approved": "Denied", "Denied": "Approved"}.get(kind)
        if other in seen:
            yield _both(path, kind)
        if kind in seen:
            yield duplicate(f"{where}.type", kind)
        seen.append(kind)


def _both(path: str, kind: str) -> FieldError:
    if not gates.since(37):
        return invalid(path, kind, "Approved and Denied conditions are mutually exclusive")
    given = [f'conditions[{{"type": "{each}"}}]' for each in ("Approved", "Denied")]
    listed = ", ".join(f"`{each}`" for each in given)
    return invalid(path, f"{{{', '.join(given)}}}", f"must specify at most one of: {listed}")


def _conditions_of(found: JSON) -> Sequence[JSON]:
    given: Sequence[JSON] = (found.get("status") or {}).get("conditions") or []
    return given


def _of_kind(found: JSON, kind: str) -> list[JSON]:
    return [each for each in _conditions_of(found) if each.get("type") == kind]


def _certificate(found: JSON) -> str:
    return (found.get("status") or {}).get("certificate") or ""


def _blocks(text: str) -> list[tuple[str, bytes]]:
    """(type, block) of each block of PEM in a text in base64."""
    found = _BLOCK.finditer(base64.b64decode(text))
    return [(block[1].decode(), block[0]) for block in found]


def _request_fault(text: str) -> str:
    blocks = _blocks(text)
    if not blocks or blocks[0][0] not in ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"):
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        if not x509.load_pem_x509_csr(blocks[0][1]).is_signature_valid:
            return "crypto/rsa: verification error"
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        return "asn1: syntax error: truncated tag or length"
    return ""


def _certificate_fault(text: str) -> str:
    if not text:
        return ""
    blocks = _blocks(text)
    if not blocks:
        return "must contain at least one CERTIFICATE PEM block"
    for kind, block in blocks:
        if kind != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{kind}"'
        if b": " in block:
            return "no PEM block headers are permitted"
        try:
            x509.load_pem_x509_certificate(block)
        except ValueError:
            return "x509: malformed certificate"
    return ""
