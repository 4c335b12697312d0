"""What a label key and a label value may look like.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
"""

import re
from functools import lru_cache

_NAME_FORM = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE_FORM = f"({_NAME_FORM})?"
_LABEL_FORM = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_FORM = rf"{_LABEL_FORM}(\.{_LABEL_FORM})*"
_NAME, _VALUE, _SUBDOMAIN = map(re.compile, (_NAME_FORM, _VALUE_FORM, _SUBDOMAIN_FORM))
_NAME_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character"
)
_NAME_EXAMPLES = "e.g. 'MyName',  or 'my.name',  or '123-abc'"
_LONGEST = "must be no more than {} characters"


@lru_cache(maxsize=4096)
def key_faults(key: str) -> tuple[str, ...]:
    """What is wrong with a label key, in Kubernetes' words; empty if nothing is."""
    *prefixes, name = key.split("/")
    if len(prefixes) > 1:
        return (
            f"a qualified name {_NAME_RULE} ({_NAME_EXAMPLES}, regex used for validation is "
            f"'{_NAME_FORM}') with an optional DNS subdomain prefix and '/' (e.g. "
            "'example.com/MyName')",
        )
    faults = [f"prefix part {fault}" for prefix in prefixes for fault in _prefix_faults(prefix)]
    if not name:
        faults.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        faults.append(f"name part {_LONGEST.format(63)}")
    if not _NAME.fullmatch(name):
        faults.append(
            f"name part {_NAME_RULE} ({_NAME_EXAMPLES}, regex used for validation is "
            f"'{_NAME_FORM}')"
        )
    return tuple(faults)


@lru_cache(maxsize=4096)
def value_faults(value: str) -> tuple[str, ...]:
    """What is wrong with a label value, in Kubernetes' words; empty if nothing is."""
    faults = [_LONGEST.format(63)] if len(value.encode()) > 63 else []
    if not _VALUE.fullmatch(value):
        faults.append(
            f"a valid label must be an empty string or consist of alphanumeric characters, '-', "
            f"'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  "
            f"or 'my_value',  or '12345', regex used for validation is '{_VALUE_FORM}')"
        )
    return tuple(faults)


def _prefix_faults(prefix: str) -> list[str]:
    if not prefix:
        return ["must be non-empty"]
    faults = [_LONGEST.format(253)] if len(prefix.encode()) > 253 else []
    if not _SUBDOMAIN.fullmatch(prefix):
        faults.append(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character (e.g. "
            f"'example.com', regex used for validation is '{_SUBDOMAIN_FORM}')"
        )
    return faults
