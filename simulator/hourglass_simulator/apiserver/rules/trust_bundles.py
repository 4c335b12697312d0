"""ClusterTrustBundles.

https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/certificates/validation/validation.go
"""

import re
from collections.abc import Iterable

from cryptography import x509

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import names, object_meta
from hourglass_simulator.apiserver.rules.fault import Faults, immutable, invalid

_BLOCK = re.compile(r"-----BEGIN ([^-\n]+)-----\n(.*?)-----END \1-----\n?", re.DOTALL)
_BUNDLE = "spec.trustBundle"


def created(found: JSON) -> Faults:
    """What is wrong with a new ClusterTrustBundle."""
    yield from _whole(found)
    yield from _bundle_faults(_bundle(found))


def updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed ClusterTrustBundle."""
    yield from _whole(new)
    if _bundle(new) != _bundle(old):
        yield from _bundle_faults(_bundle(new))
    yield from object_meta.updated(new["metadata"], old["metadata"])
    yield from immutable("spec.signerName", _signer(new), _signer(old))


def _whole(found: JSON) -> Faults:
    meta, signer = found["metadata"], _signer(found)
    for why in _name_faults(meta["name"], signer):
        yield invalid("metadata.name", meta["name"], why)
    yield from object_meta.created("clustertrustbundles", meta)
    if signer:
        yield from names.signer_name("spec.signerName", signer)


def _name_faults(name: str, signer: str) -> Iterable[str]:
    if not signer:
        if ":" in name:
            return ['ClusterTrustBundle without signer name must not have ":" in its name']
        return names.dns_subdomain(name)
    prefix = signer.replace("/", ":") + ":"
    if not name.startswith(prefix):
        return [f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"]
    return names.dns_subdomain(name.removeprefix(prefix))


def _bundle_faults(bundle: str) -> Faults:
    found: list[str] = []
    faults: list[str] = []
    for index, block in enumerate(_BLOCK.finditer(bundle)):
        if why := _block_fault(block[1], block[2], block[0]):
            faults.append(f"entry {index} {why}")
        found.append(block[0].strip())
    if not faults and not found:
        faults = ["at least one trust anchor must be provided"]
    elif not faults:
        for each in dict.fromkeys(found):
            places = [index for index, other in enumerate(found) if other == each]
            if len(places) > 1:
                faults.append(f"duplicate trust anchor (indices {_go_list(places)})")
    yield from (invalid(_BUNDLE, "<value omitted>", fault) for fault in faults)


def _block_fault(kind: str, content: str, block: str) -> str:
    if kind != "CERTIFICATE":
        return f"has bad block type: {kind}"
    if ":" in content:
        return "has PEM block headers"
    try:
        constraints = x509.load_pem_x509_certificate(block.encode()).extensions
        is_authority = constraints.get_extension_for_class(x509.BasicConstraints).value.ca
    except ValueError:
        return "does not parse as X.509"
    except x509.ExtensionNotFound:
        is_authority = False
    return "" if is_authority else "does not have the CA bit set"


def _go_list(numbers: list[int]) -> str:
    return f"[{' '.join(map(str, numbers))}]"


def _signer(found: JSON) -> str:
    return (found.get("spec") or {}).get("signerName") or ""


def _bundle(found: JSON) -> str:
    return (found.get("spec") or {}).get("trustBundle") or ""
