"""What is wrong with a text that is a name of some kind; empty if nothing is.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from hourglass_kube import label
from hourglass_simulator.apiserver import gates
from hourglass_simulator.apiserver.rules.fault import Faults, Messages, each, invalid, required

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_UNDERSCORED = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_UNDERSCORED_SUBDOMAIN = rf"{_UNDERSCORED}(\.{_UNDERSCORED})*"
_DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_PERCENT = "[0-9]+%"
_HEADER = "[-A-Za-z0-9]+"
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_URL_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253
_PORT_NAME_LENGTH = 15


def _rule(text: str, form: str, *examples: str) -> str:
    if not examples:
        return f"{text} (regex used for validation is '{form}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{form}')"


def _longest(length: int) -> str:
    return f"must be no more than {length} characters"


@lru_cache(maxsize=4096)
def _form(value: str, form: str, length: int, rule: str) -> tuple[str, ...]:
    found = [_longest(length)] if len(value.encode()) > length else []
    if not re.fullmatch(form, value):
        found.append(rule)
    return tuple(found)


_LABEL_RULE = _rule(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must"
    " start and end with an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
_SUBDOMAIN_RULE = _rule(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.',"
    " and must start and end with an alphanumeric character",
    _SUBDOMAIN,
    "example.com",
)
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_WILDCARD_RULE = _rule(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which"
    " must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric"
    " character",
    _WILDCARD,
    "*.example.com",
)
_UNDERSCORED_RULE = _rule(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or"
    " '.', and must start and end with an alphanumeric character",
    _UNDERSCORED_SUBDOMAIN,
    "example.com",
)
_DNS_1035_RULE = _rule(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character",
    _DNS_1035,
    "my-name",
    "abc-123",
)
_CONFIG_KEY_RULE = _rule(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY,
    "key.name",
    "KEY_NAME",
    "key-name",
)
_PERCENT_RULE = _rule(
    "a valid percent string must be a numeric string followed by an ending '%'",
    _PERCENT,
    "1%",
    "93%",
)
_HEADER_RULE = _rule(
    "a valid HTTP header must consist of alphanumeric characters or '-'", _HEADER, "X-Header-Name"
)
_VARIABLE_RULE = (
    "a valid environment variable name must consist only of printable ASCII characters other than"
    " '='"
)


_REASON_RULE = _rule(
    "a condition reason must start with alphabetic character, optionally followed by a string of"
    " alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
    _REASON,
    "my_name",
    "MY_NAME",
    "MyName",
    "ReasonA,ReasonB",
    "ReasonA:ReasonB",
)


def dns_label(value: str) -> Messages:
    """A label of RFC 1123."""
    found = list(_form(value, _LABEL, LABEL_LENGTH, _LABEL_RULE))
    if _LABEL_RULE in found and re.fullmatch(_SUBDOMAIN, value):
        found[-1] = "must not contain dots"
    return found


def dns_subdomain(value: str) -> Messages:
    """A subdomain of RFC 1123."""
    return list(_form(value, _SUBDOMAIN, SUBDOMAIN_LENGTH, _SUBDOMAIN_RULE))


def wildcard_subdomain(value: str) -> Messages:
    """A subdomain of RFC 1123 after `*.`."""
    return list(_form(value, _WILDCARD, SUBDOMAIN_LENGTH, _WILDCARD_RULE))


def underscored_subdomain(value: str) -> Messages:
    """A subdomain of RFC 1123 that may have underscores."""
    return list(_form(value, _UNDERSCORED_SUBDOMAIN, SUBDOMAIN_LENGTH, _UNDERSCORED_RULE))


def dns_1035_label(value: str) -> Messages:
    """A label of RFC 1035."""
    return list(_form(value, _DNS_1035, LABEL_LENGTH, _DNS_1035_RULE))


def qualified_name(value: str) -> Messages:
    """A name that may have the prefix of a domain."""
    return _in_words_of_version(label.key_faults(value))


def label_value(value: str) -> Messages:
    """A value of a label."""
    return _in_words_of_version(label.value_faults(value))


_LENGTH = re.compile(r"(must be no more than \d+) characters")


def _in_words_of_version(messages: Iterable[str]) -> Messages:
    """https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/apimachinery/pkg/api/validate/content/kube.go"""
    if not gates.since(37):
        return list(messages)
    return [
        _LENGTH.sub(r"\1 bytes", each).replace("a qualified name must", "a valid label key must")
        for each in messages
    ]


def config_key(value: str) -> Messages:
    """A key of a ConfigMap or a Secret."""
    found = list(_form(value, _CONFIG_KEY, SUBDOMAIN_LENGTH, _CONFIG_KEY_RULE))
    if value in (".", ".."):
        found.append(f"must not be '{value}'")
    elif value.startswith(".."):
        found.append("must not start with '..'")
    return found


def variable(value: str) -> Messages:
    """A name of an environment variable."""
    found = [] if value else ["environment variable name must be non-empty"]
    if any(not " " <= char <= "~" or char == "=" for char in value):
        found.append(_VARIABLE_RULE)
    return found


def port_name(value: str) -> Messages:
    """A name of a port: https://www.rfc-editor.org/rfc/rfc6335."""
    checks = (
        (len(value) > _PORT_NAME_LENGTH, _longest(_PORT_NAME_LENGTH)),
        (
            not re.fullmatch("[-a-z0-9]+", value),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (not re.search("[a-z]", value), "must contain at least one letter (a-z)"),
        ("--" in value, "must not contain consecutive hyphens"),
        (value[:1] == "-" or value[-1:] == "-", "must not begin or end with a hyphen"),
    )
    return [message for wrong, message in checks if wrong]


def percent(value: str) -> Messages:
    """A number of percent."""
    return [] if re.fullmatch(_PERCENT, value) else [_PERCENT_RULE]


def condition_reason(value: str) -> Messages:
    """A reason of a condition."""
    return [] if re.fullmatch(_REASON, value) else [_REASON_RULE]


def header(value: str) -> Messages:
    """A name of a header of HTTP."""
    return [] if re.fullmatch(_HEADER, value) else [_HEADER_RULE]


def path_segment(value: str) -> Messages:
    """A name that must fit into the path of a URL."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def fully_qualified_name(field: str, value: str) -> Faults:
    """A domain with at least three segments."""
    if not value:
        yield required(field)
    elif found := dns_subdomain(value):
        yield invalid(field, value, ",".join(found))
    elif value.count(".") < 2:
        why = "should be a domain with at least three segments separated by dots"
        yield invalid(field, value, why)


def fully_qualified_domain(field: str, value: str) -> Faults:
    """A domain with at least two segments."""
    name = value.removesuffix(".")
    if not value:
        yield required(field)
    elif found := dns_subdomain(name):
        yield invalid(field, name, ",".join(found))
    elif "." not in name:
        why = "should be a domain with at least two segments separated by dots"
        yield invalid(field, name, why)
    else:
        for part in name.split("."):
            if found := dns_label(part):
                yield invalid(field, part, ",".join(found))
                return


def domain_prefixed_path(field: str, value: str) -> Faults:
    """`acme.io/foo`."""
    host, _, path = value.partition("/")
    if not value:
        yield required(field)
    elif not host or not path:
        why = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield invalid(field, value, why)
    else:
        yield from each(field, host, dns_subdomain(host))
        if not re.fullmatch(_URL_PATH, path):
            yield invalid(field, path, _rule("Invalid path", _URL_PATH))


def signer_name(field: str, value: str) -> Faults:
    """`example.com/signer-name`."""
    domain, _, path = value.partition("/")
    if not value:
        yield required(field)
        return
    if value.count("/") != 1:
        why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield invalid(field, value, why)
        return
    for part in domain.split("."):
        if found := dns_label(part):
            yield from each(field, domain, (f'validating label "{part}": {f}' for f in found))
            break
    if "." not in domain:
        yield invalid(
            field, domain, "should be a domain with at least two segments separated by dots"
        )
    for part in path.split("."):
        if found := dns_subdomain(part):
            yield from each(field, path, (f'validating label "{part}": {f}' for f in found))
            break
