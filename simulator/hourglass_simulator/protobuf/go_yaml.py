"""YAML as gnostic's library writes it.

https://github.com/yaml/go-yaml/blob/v3.0.4/emitterc.go
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml


def dump(value: Any) -> str:
    """A value of JSON as a document."""
    text: str = yaml.dump(value, Dumper=_Dumper, **_STYLE)
    # PyYAML ends a document that could go on.
    return text.removesuffix("...\n") if text.endswith("\n...\n") else text


class _Dumper(yaml.SafeDumper):
    """Indents and quotes as it does."""

    def ignore_aliases(self, _: Any) -> bool:
        """Always."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """By the dash in a list, else to the next stop."""
        before, in_list = self.indent, self.sequence_context
        super().increase_indent(flow, indentless=False)
        if before is not None:
            stop = _STYLE["indent"]
            self.indent = before + len("- ") if in_list else (before + stop) // stop * stop

    def text(self, value: str) -> yaml.ScalarNode:
        """A text; between double quotes where it would be read as something else."""
        tag = self.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
        style = "|" if "\n" in value else None if tag == _TEXT else '"'
        return self.represent_scalar(_TEXT, value, style)


_TEXT = "tag:yaml.org,2002:str"
_TYPES = {
    "bool": "true|True|TRUE|false|False|FALSE",
    "null": "~|null|Null|NULL|",
    "int": "[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)",
    "float": r"[-+]?((\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))"
    r"|\.(nan|NaN|NAN)",
    "timestamp": r"\d{4}-\d\d?-\d\d?([Tt\s].*)?",
    "merge": "<<",
}
"""What a text can be taken for: `yes` for nothing else, but for PyYAML."""
_STYLE: Mapping[str, Any] = {
    "indent": 4,
    "sort_keys": False,
    "allow_unicode": True,
    "width": float("inf"),
    "default_flow_style": False,
}
_Dumper.add_representer(str, _Dumper.text)
_Dumper.yaml_implicit_resolvers = {}
for _name, _pattern in _TYPES.items():
    _Dumper.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(f"(?:{_pattern})$"), None
    )
