"""The functions that Kubernetes adds to CEL.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cel-libraries
https://github.com/kubernetes/kubernetes/tree/v1.34.4/staging/src/k8s.io/apiserver/pkg/cel/library
"""

import itertools
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from cel_expr_python import cel  # type: ignore[import-untyped]
from google.protobuf.message import Message

from hourglass_kube import quantity
from hourglass_simulator.apiserver import cel_formats
from hourglass_simulator.apiserver.cel_messages import own, text_of, type_name
from hourglass_simulator.apiserver.cel_source import (
    ANY_OBJECT,
    FAULTS,
    FORMATS,
    FROM_PAIRS,
    MERGED,
    PAIRS,
    ROOT_OBJECT,
    SORTED_BY,
)
from hourglass_simulator.apiserver.schema_formats import has_format

_QUANTITY = re.compile(
    r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?", re.ASCII
)
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)
_Type = cel.Type
_KINDS = ("Quantity", "IP", "CIDR", "URL", "Semver", "Format")


# Quantities


def _amount(value: Message) -> Fraction:
    return Fraction(text_of(value))


def _is_quantity(text: str) -> bool:
    return _QUANTITY.fullmatch(text) is not None


def _quantity(text: str) -> Message:
    if not _is_quantity(text):
        form = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
        raise ValueError(f"quantities must match the regular expression '{form}'")
    return _exact(Fraction(quantity.parse(text)))


def _exact(amount: Fraction) -> Message:
    return own("Quantity", str(amount))


def _whole(value: Message) -> int:
    amount = _amount(value)
    if amount.denominator != 1 or not -(2**63) <= amount < 2**63:
        raise ValueError("cannot convert value to integer")
    return int(amount)


def _compare(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


# Addresses


def _ip(text: str) -> IPv4Address | IPv6Address:
    try:
        address = ip_address(text)
    except ValueError:
        why = f'ParseAddr("{text}"): unable to parse IP'
        what = f'IP Address "{text}" parse error during conversion from string'
        raise ValueError(f"{what}: {why}") from None
    if isinstance(address, IPv6Address) and (address.scope_id or address.ipv4_mapped):
        raise ValueError(f"IP address {text!r} is not allowed")
    return address


def _is_ip(text: str) -> bool:
    try:
        _ip(text)
    except ValueError:
        return False
    return True


def _is_cidr(text: str) -> bool:
    try:
        _cidr(text)
    except ValueError:
        return False
    return True


def _cidr(text: str) -> tuple[IPv4Address | IPv6Address, int]:
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal():
        raise ValueError(f'network address parse error during conversion from string: "{text}"')
    ip_network(f"{address}/{length}", strict=False)
    return _ip(address), int(length)


def _network(text: str) -> Any:
    return ip_network(text, strict=False)


def _is_known(known: bool) -> bool:
    """As on the real server, a text that is no address is an argument of a wrong type."""
    if not known:
        raise ValueError("no such overload")
    return True


def _contains(network: str, address: str) -> bool:
    return _ip(address) in _network(network)


def _contains_network(network: str, other: str) -> bool:
    outer, inner = _network(network), _network(other)
    return bool(outer.version == inner.version and inner.subnet_of(outer))


def _masked(value: Message) -> Message:
    return own("CIDR", str(_network(text_of(value))))


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return not (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or address.is_link_local
        or str(address) == "255.255.255.255"
    )


# URLs


def _is_url(text: str) -> bool:
    return has_format(text, "uri")


def _url(text: str) -> Message:
    if not _is_url(text):
        raise ValueError(f'URL parse error during conversion from string: parse "{text}"')
    return own("URL", text)


def _netloc(value: Message) -> str:
    return urlsplit(text_of(value)).netloc.rpartition("@")[2]


def _hostname(value: Message) -> str:
    host = _netloc(value)
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if re.search(r":\d*$", host) else host


def _port(value: Message) -> str:
    found = re.search(r":(\d+)$", _netloc(value))
    return found[1] if found else ""


# Versions


def _semver(text: str) -> Message:
    if _SEMVER.fullmatch(text) is None:
        raise ValueError("No Major.Minor.Patch elements found")
    return own("Semver", text)


def _normalized(text: str) -> str:
    """https://pkg.go.dev/github.com/blang/semver/v4#ParseTolerant"""
    text = text.strip().removeprefix("v")
    core, rest = re.match(r"([0-9.]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    parts = [part.lstrip("0") or "0" for part in core.split(".") if core]
    return ".".join([*parts, "0", "0"][: max(3, len(parts))]) + rest


def _precedence(value: Message) -> tuple[Any, ...]:
    found = _SEMVER.fullmatch(text_of(value))
    assert found is not None
    core = tuple(int(part) for part in found.group(1, 2, 3))
    if found[4] is None:
        return (*core, 1, ())
    before = tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in found[4].split(".")
    )
    return (*core, 0, before)


# Lists


def _plain(value: Any) -> Any:
    return value.plain_value() if isinstance(value, cel.Value) else value


def _items(values: Any) -> list[Any]:
    return [_plain(value) for value in values]


def _is_sorted(values: Any) -> bool:
    items = _items(values)
    return all(a <= b for a, b in itertools.pairwise(items))


def _first_of(pick: Callable[[list[Any]], Any], name: str) -> Callable[[Any], Any]:
    def result(values: Any) -> Any:
        items = _items(values)
        if not items:
            raise ValueError(f"{name} called on empty list")
        return pick(items)

    return result


def _index(values: Any, wanted: Any) -> int:
    items = _items(values)
    return items.index(_plain(wanted)) if _plain(wanted) in items else -1


def _last_index(values: Any, wanted: Any) -> int:
    items = _items(values)[::-1]
    return len(items) - 1 - items.index(_plain(wanted)) if _plain(wanted) in items else -1


def _distinct(values: Any) -> list[Any]:
    found: list[Any] = []
    for item in _items(values):
        if item not in found:
            found.append(item)
    return found


def _flatten(values: Any, depth: int = 1) -> list[Any]:
    found: list[Any] = []
    for item in _items(values):
        found += _flatten(item, depth - 1) if isinstance(item, list) and depth > 0 else [item]
    return found


def _slice(values: Any, start: int, end: int) -> list[Any]:
    items = _items(values)
    if start < 0 or end < 0:
        raise ValueError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise ValueError(
            f"cannot slice({start}, {end}), start index must be less than or equal to end index"
        )
    if len(items) < end:
        raise ValueError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def _sorted_by(pairs: Any) -> list[Any]:
    found = sorted(map(_items, _items(pairs)), key=lambda pair: pair[0])
    return [item for _, item in found]


def _within(values: Any, others: Any) -> bool:
    items = _items(values)
    return all(other in items for other in _items(others))


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [match[0] for match in re.finditer(pattern, text)]
    return found if limit < 0 else found[:limit]


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""


def _escaped_key(text: str) -> str:
    """A key as a step of a JSON pointer."""
    return text.replace("~", "~0").replace("/", "~1")


# Comprehensions of two variables


def _pairs(values: Any) -> list[dict[str, Any]]:
    found = _plain(values)
    pairs = found.items() if isinstance(found, dict) else enumerate(found)
    return [{"k": _plain(key), "v": value} for key, value in pairs]


def _map_of_pairs(pairs: Any) -> dict[Any, Any]:
    return {_plain(key): value for key, value in map(_items, _items(pairs))}


def _merged(maps: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for each in _items(maps):
        for key, value in each.items():
            if _plain(key) in found:
                raise ValueError(f"insert failed: key {_plain(key)} already exists")
            found[_plain(key)] = value
    return found


class Overload(NamedTuple):
    """A function as it is declared, with what it does.

    `run` is called with plain values, messages, and lists of `cel.Value`."""

    name: str
    key: str
    params: tuple[cel.Type, ...]
    result: cel.Type
    run: Callable[..., Any]
    member: bool


LISTS_SINCE = 35
"""The minor version that has the functions of `list_overloads` first in new expressions.

They came with the one before, which must be able to read what this one has stored.
https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/cel/environment/base.go
"""


def list_overloads() -> Iterator[Overload]:
    """https://pkg.go.dev/github.com/google/cel-go/ext#Lists"""
    whole, anything = _Type.INT, _Type.List(_Type.DYN)
    for name, key, params, run in (
        ("distinct", "list_distinct", [anything], _distinct),
        ("flatten", "list_flatten", [anything], _flatten),
        ("flatten", "list_flatten_int", [anything, whole], _flatten),
        ("reverse", "list_reverse", [anything], lambda v: _items(v)[::-1]),
        ("slice", "list_slice", [anything, whole, whole], _slice),
        ("sort", "list_sort", [anything], lambda v: sorted(_items(v))),
    ):
        yield Overload(name, key, tuple(params), anything, run, member=True)
    numbers = _Type.List(whole)
    yield Overload(
        "lists.range", "lists_range", (whole,), numbers, lambda n: list(range(n)), member=False
    )


def overloads() -> Iterator[Overload]:
    """All declarations; the ids of overloads are those of Kubernetes, as costs depend on them."""
    text, whole, truth, double = _Type.STRING, _Type.INT, _Type.BOOL, _Type.DOUBLE
    dyn, texts, anything = _Type.DYN, _Type.List(_Type.STRING), _Type.List(_Type.DYN)
    kinds = {name: _Type(type_name(name)) for name in _KINDS}
    amount, address, network, url = kinds["Quantity"], kinds["IP"], kinds["CIDR"], kinds["URL"]
    version, form = kinds["Semver"], kinds["Format"]
    found: list[Overload] = []

    def call(name: str, key: str, params: Any, result: Any, run: Any) -> None:
        found.append(Overload(name, key, tuple(params), result, run, member=False))

    def method(name: str, key: str, params: Any, result: Any, run: Any) -> None:
        found.append(Overload(name, key, tuple(params), result, run, member=True))

    call("quantity", "string_to_quantity", [text], amount, _quantity)
    call("isQuantity", "is_quantity_string", [text], truth, _is_quantity)
    call("sign", "quantity_sign", [amount], whole, lambda q: _compare(_amount(q), 0))
    pair = [amount, amount]
    method(
        "isGreaterThan",
        "quantity_is_greater_than",
        pair,
        truth,
        lambda a, b: _amount(a) > _amount(b),
    )
    method("isLessThan", "quantity_is_less_than", pair, truth, lambda a, b: _amount(a) < _amount(b))
    method(
        "compareTo",
        "quantity_compare_to",
        pair,
        whole,
        lambda a, b: _compare(_amount(a), _amount(b)),
    )
    method(
        "asApproximateFloat", "quantity_get_float", [amount], double, lambda q: float(_amount(q))
    )
    method("asInteger", "quantity_get_int", [amount], whole, _whole)
    method(
        "isInteger", "quantity_is_integer", [amount], truth, lambda q: _amount(q).denominator == 1
    )
    method("add", "quantity_add", pair, amount, lambda a, b: _exact(_amount(a) + _amount(b)))
    method("add", "quantity_add_int", [amount, whole], amount, lambda a, b: _exact(_amount(a) + b))
    method("sub", "quantity_sub", pair, amount, lambda a, b: _exact(_amount(a) - _amount(b)))
    method("sub", "quantity_sub_int", [amount, whole], amount, lambda a, b: _exact(_amount(a) - b))

    call("ip", "string_to_ip", [text], address, lambda t: own("IP", str(_ip(t))))
    call("string", "ip_to_string", [address], text, text_of)
    call("isIP", "is_ip", [text], truth, _is_ip)
    call("ip.isCanonical", "ip_is_canonical", [text], truth, lambda t: str(_ip(t)) == t)

    method("family", "ip_family", [address], whole, lambda a: _ip(text_of(a)).version)
    for name, key, asked in (
        ("isUnspecified", "ip_is_unspecified", lambda a: a.is_unspecified),
        ("isLoopback", "ip_is_loopback", lambda a: a.is_loopback),
        (
            "isLinkLocalMulticast",
            "ip_is_link_local_multicast",
            lambda a: (
                a in (ip_network("224.0.0.0/24") if a.version == 4 else ip_network("ff02::/16"))
            ),
        ),
        ("isLinkLocalUnicast", "ip_is_link_local_unicast", lambda a: a.is_link_local),
        ("isGlobalUnicast", "ip_is_global_unicast", _is_global),
    ):
        method(name, key, [address], truth, lambda a, asked=asked: bool(asked(_ip(text_of(a)))))

    def new_cidr(t: str) -> Message:
        found, length = _cidr(t)
        return own("CIDR", f"{found}/{length}")

    call("cidr", "string_to_cidr", [text], network, new_cidr)
    call("string", "cidr_to_string", [network], text, text_of)
    call("isCIDR", "is_cidr", [text], truth, _is_cidr)

    method(
        "containsIP",
        "cidr_contains_ip_string",
        [network, text],
        truth,
        lambda n, t: _is_known(_is_ip(t)) and _contains(text_of(n), t),
    )
    method(
        "containsIP",
        "cidr_contains_ip_ip",
        [network, address],
        truth,
        lambda n, a: _contains(text_of(n), text_of(a)),
    )
    method(
        "containsCIDR",
        "cidr_contains_cidr_string",
        [network, text],
        truth,
        lambda n, t: _is_known(_is_cidr(t)) and _contains_network(text_of(n), t),
    )
    method(
        "containsCIDR",
        "cidr_contains_cidr",
        [network, network],
        truth,
        lambda n, o: _contains_network(text_of(n), text_of(o)),
    )
    method("ip", "cidr_ip", [network], address, lambda n: own("IP", text_of(n).partition("/")[0]))
    method(
        "prefixLength",
        "cidr_prefix_length",
        [network],
        whole,
        lambda n: int(text_of(n).partition("/")[2]),
    )
    method("masked", "cidr_masked", [network], network, _masked)

    call("url", "string_to_url", [text], url, _url)
    call("isURL", "is_url_string", [text], truth, _is_url)
    method("getScheme", "url_get_scheme", [url], text, lambda u: urlsplit(text_of(u)).scheme)
    method("getHost", "url_get_host", [url], text, _netloc)
    method("getHostname", "url_get_hostname", [url], text, _hostname)
    method("getPort", "url_get_port", [url], text, _port)
    method(
        "getEscapedPath", "url_get_escaped_path", [url], text, lambda u: urlsplit(text_of(u)).path
    )
    query = _Type.Map(text, texts)
    method(
        "getQuery",
        "url_get_query",
        [url],
        query,
        lambda u: parse_qs(urlsplit(text_of(u)).query, True),
    )

    call("semver", "string_to_semver", [text], version, _semver)
    call(
        "semver",
        "string_bool_to_semver",
        [text, truth],
        version,
        lambda t, n: _semver(_normalized(t) if n else t),
    )
    call("isSemver", "is_semver_string", [text], truth, lambda t: _SEMVER.fullmatch(t) is not None)
    call(
        "isSemver",
        "is_semver_string_bool",
        [text, truth],
        truth,
        lambda t, n: _SEMVER.fullmatch(_normalized(t) if n else t) is not None,
    )
    both = [version, version]
    method(
        "isGreaterThan",
        "semver_is_greater_than",
        both,
        truth,
        lambda a, b: _precedence(a) > _precedence(b),
    )
    method(
        "isLessThan",
        "semver_is_less_than",
        both,
        truth,
        lambda a, b: _precedence(a) < _precedence(b),
    )
    method(
        "compareTo",
        "semver_compare_to",
        both,
        whole,
        lambda a, b: _compare(_precedence(a), _precedence(b)),
    )
    for index, part in enumerate(("major", "minor", "patch")):
        method(part, f"semver_{part}", [version], whole, lambda v, i=index: _precedence(v)[i])

    for name in cel_formats.KNOWN:
        call(f"format.{name}", f"format.{name}", [], form, lambda n=name: own("Format", n))

    listed_texts = _Type.List(texts)
    method(FAULTS, "faults", [form, text], listed_texts, cel_formats.faults)
    call(FORMATS, "formats", [text], _Type.List(form), cel_formats.named)

    numbers = (
        ("int", whole),
        ("double", double),
        ("string", text),
        ("bool", truth),
        ("duration", _Type.DURATION),
        ("timestamp", _Type.TIMESTAMP),
        ("bytes", _Type.BYTES),
    )
    method("isSorted", "list_dyn_is_sorted_bool", [anything], truth, _is_sorted)
    for name, kind in numbers:
        listed = _Type.List(kind)
        if name in ("int", "double"):
            method("sum", f"list_{name}_sum_{name}", [listed], kind, lambda v: sum(_items(v)))
        method("min", f"list_{name}_min_{name}", [listed], kind, _first_of(min, "min"))
        method("max", f"list_{name}_max_{name}", [listed], kind, _first_of(max, "max"))
    method("indexOf", "list_a_index_of_int", [anything, dyn], whole, _index)
    method("lastIndexOf", "list_a_last_index_of_int", [anything, dyn], whole, _last_index)
    method("find", "string_find_string", [text, text], text, _find)
    method("findAll", "string_find_all_string", [text, text], texts, _find_all)
    method("findAll", "string_find_all_string_int", [text, text, whole], texts, _find_all)
    either = _Type.Map(text, dyn)
    method(PAIRS, "pairs", [dyn], _Type.List(either), _pairs)
    method(FROM_PAIRS, "map_of_pairs", [anything], _Type.Map(dyn, dyn), _map_of_pairs)
    method(MERGED, "merged", [anything], _Type.Map(dyn, dyn), _merged)
    call(ROOT_OBJECT, "root_object", [either], _Type(type_name("Object")), lambda m: m)
    call(ANY_OBJECT, "any_object", [either], dyn, lambda m: m)
    call("jsonpatch.escapeKey", "string_jsonpatch_escapeKey_string", [text], text, _escaped_key)
    method(SORTED_BY, "sorted_by", [anything], anything, _sorted_by)
    lists = [anything, anything]
    call("sets.contains", "list_sets_contains_list", lists, truth, _within)
    call(
        "sets.equivalent",
        "list_sets_equivalent_list",
        lists,
        truth,
        lambda a, b: _within(a, b) and _within(b, a),
    )
    call(
        "sets.intersects",
        "list_sets_intersects_list",
        lists,
        truth,
        lambda a, b: any(x in _items(b) for x in _items(a)),
    )
    yield from found
