"""The formats that CEL knows by name.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library
"""

import re
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from hourglass_kube import label
from hourglass_simulator.apiserver.cel_messages import own, text_of
from hourglass_simulator.apiserver.schema_formats import has_format

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must"
    " start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for"
    f" validation is '{_LABEL}')"
)
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
    " '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used"
    f" for validation is '{_SUBDOMAIN}')"
)
_LABEL_1035_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123',"
    f" regex used for validation is '{_LABEL_1035}')"
)


def _name(pattern: str, longest: int, rule: str, *, prefix: bool = False) -> Any:
    def check(text: str) -> list[str]:
        if prefix and len(text) > 1 and text.endswith("-"):
            text = text[:-2] + "a"
        long = [f"must be no more than {longest} bytes"] if len(text) > longest else []
        return long if re.fullmatch(pattern, text) else [*long, rule]

    return check


def _formatted(name: str, rule: str) -> Callable[[str], list[str]]:
    return lambda text: [] if has_format(text, name) else [rule]


def _qualified(text: str) -> list[str]:
    return list(label.key_faults(text))


def _label_value(text: str) -> list[str]:
    return list(label.value_faults(text))


KNOWN: dict[str, Callable[[str], list[str]]] = {
    "dns1123Label": _name(_LABEL, 63, _LABEL_RULE),
    "dns1123LabelPrefix": _name(_LABEL, 63, _LABEL_RULE, prefix=True),
    "dns1123Subdomain": _name(_SUBDOMAIN, 253, _SUBDOMAIN_RULE),
    "dns1123SubdomainPrefix": _name(_SUBDOMAIN, 253, _SUBDOMAIN_RULE, prefix=True),
    "dns1035Label": _name(_LABEL_1035, 63, _LABEL_1035_RULE),
    "dns1035LabelPrefix": _name(_LABEL_1035, 63, _LABEL_1035_RULE, prefix=True),
    "qualifiedName": _qualified,
    "labelValue": _label_value,
    "uri": _formatted("uri", "invalid URI for request"),
    "uuid": _formatted("uuid", "does not match the UUID format"),
    "byte": _formatted("byte", "invalid base64"),
    "date": _formatted("date", "invalid date"),
    "datetime": _formatted("datetime", "invalid datetime"),
}


def faults(form: Message, text: str) -> list[list[str]]:
    """What is wrong with a text, as the one item of a list; nothing is in it if nothing is."""
    found = KNOWN[text_of(form)](text)
    return [found] if found else []


def named(name: str) -> list[Message]:
    """The format of a name, or nothing."""
    return [own("Format", name)] if name in KNOWN else []
