"""IP addresses and networks.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go
"""

import ipaddress
import re
from collections.abc import Sequence

from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules.fault import Faults, invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ADDRESS_RULE = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_NETWORK_RULE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def parsed(text: str) -> Address | None:
    """The address; leading zeros are allowed, as Go once did."""
    if re.fullmatch(r"\d+(\.\d+){3}", text):
        text = ".".join(str(int(part)) for part in text.split("."))
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if "%" in text else found


def parsed_network(text: str) -> Network | None:
    """The network; bits below its prefix are allowed."""
    address, slash, length = text.partition("/")
    found = parsed(address)
    if not slash or found is None or not re.fullmatch(r"\d+", length):
        return None
    try:
        return ipaddress.ip_network(f"{found}/{int(length)}", strict=False)
    except ValueError:
        return None


def address(field: str, value: str, before: Sequence[str] = ()) -> Faults:
    """An address in a field that is not strict."""
    if value in before:
        return
    found = parsed(value)
    if found is None:
        yield invalid(field, value, _ADDRESS_RULE)
    elif gates.enabled("StrictIPCIDRValidation"):
        yield from _strict(field, value, found)


def _strict(field: str, value: str, found: Address) -> Faults:
    if found.version == 4 and str(found) != value:
        yield invalid(field, value, "must not have leading 0s")
    elif isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        yield invalid(field, value, "must not be an IPv4-mapped IPv6 address")


def canonical_address(field: str, value: str) -> Faults:
    """An address in a field that is strict."""
    found = parsed(value)
    if found is None:
        yield invalid(field, value, _ADDRESS_RULE)
    elif wrong := list(_strict(field, value, found)):
        yield from wrong
    elif str(found) != value:
        yield invalid(field, value, f'must be in canonical form ("{found}")')


def network(field: str, value: str, before: Sequence[str] = ()) -> Faults:
    """A network in a field that is not strict."""
    if value in before:
        return
    found = parsed_network(value)
    if found is None:
        yield invalid(field, value, _NETWORK_RULE)
    elif gates.enabled("StrictIPCIDRValidation"):
        yield from _strict_network(field, value, found)


def canonical_network(field: str, value: str) -> Faults:
    """A network in a field that is strict."""
    found = parsed_network(value)
    if found is None:
        yield invalid(field, value, _NETWORK_RULE)
        return
    wrong = list(_strict_network(field, value, found))
    yield from wrong
    if not wrong and str(found) != value:
        yield invalid(field, value, f'must be in canonical form ("{found}")')


def _strict_network(field: str, value: str, found: Network) -> Faults:
    text, _, length = value.partition("/")
    host = parsed(text)
    if found.version == 4 and f"{host}/{int(length)}" != value:
        yield invalid(field, value, "must not have leading 0s in IP or prefix length")
    elif isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped is not None:
        yield invalid(field, value, "must not have an IPv4-mapped IPv6 address")
    elif host != found.network_address:
        yield invalid(field, value, "must not have bits set beyond the prefix length")


def endpoint(field: str, value: str) -> Faults:
    """An address that no endpoint may have."""
    found = parsed(value)
    if found is None:
        yield invalid(field, value, "must be a valid IP address")
        return
    if found.is_unspecified:
        yield invalid(field, value, f"may not be unspecified ({value})")
    if found.is_loopback:
        yield invalid(field, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if found.is_link_local:
        why = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        yield invalid(field, value, why)
    if _is_link_local_multicast(found):
        why = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        yield invalid(field, value, why)


def _is_link_local_multicast(found: Address) -> bool:
    if isinstance(found, ipaddress.IPv4Address):
        return found in ipaddress.ip_network("224.0.0.0/24")
    return found in ipaddress.ip_network("ff02::/16")


def is_dual_stack(values: Sequence[str]) -> bool:
    """Whether there are addresses, or networks, of both versions."""
    found = [parsed(value.partition("/")[0]) for value in values]
    return {each.version for each in found if each is not None} == {4, 6}


def is_sixth(value: str) -> bool:
    """Whether it is an address of version 6."""
    found = parsed(value)
    return found is not None and found.version == 6


def warnings(field: str, value: str) -> list[str]:
    """What is said of an address that is not written as it should be."""
    found = parsed(value)
    if found is None:
        return []
    mapped = isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None
    if mapped or (found.version == 4 and str(found) != value):
        shown = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else found
        return [
            f'{field}: non-standard IP address "{value}" will be considered invalid in a future'
            f' Kubernetes release: use "{shown}"'
        ]
    if str(found) != value:
        return [
            f'{field}: IPv6 address "{value}" should be in RFC 5952 canonical format ("{found}")'
        ]
    return []


def network_warnings(field: str, value: str) -> list[str]:
    """What is said of a network that is not written as it should be."""
    found = parsed_network(value)
    if found is None:
        return []
    address_text, _, length = value.partition("/")
    host = parsed(address_text)
    said = []
    if host is not None and host != found.network_address:
        said.append(
            f'{field}: CIDR value "{value}" is ambiguous in this context (should be "{found}" or'
            f' "{host}/{found.max_prefixlen}"?)'
        )
    if host is not None and host.version == 4 and f"{host}/{int(length)}" != value:
        said.append(
            f'{field}: non-standard CIDR value "{value}" will be considered invalid in a future'
            f' Kubernetes release: use "{found}"'
        )
    if not said and found.version == 6 and str(found) != value:
        said.append(
            f'{field}: IPv6 CIDR value "{value}" should be in RFC 5952 canonical format ("{found}")'
        )
    return said
