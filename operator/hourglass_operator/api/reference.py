"""`python -m hourglass_operator.api.reference` writes docs/crd.md, from the schema of the CRD."""

import json
import sys
from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_operator.api.types import GROUP, KIND, VERSION

_PAGE = """\
# Every field of a {kind}

Made from the schema of `{group}/{version}` by `make generate`; `kubectl explain performer
--recursive` says the same. What the fields are for, with examples:
[api-reference.md](api-reference.md). A field is optional unless it is required. Rules across fields
are checked by the API server, which names the one that is broken.

## spec

{spec}
## status

Written by the operator only.

{status}"""
_HEAD = "| field | type | rules | what it is |\n|---|---|---|---|\n"
_LIMITS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "maxLength": "at most {} characters",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} entries",
}


def page() -> str:
    """docs/crd.md."""
    (version,) = generate()["spec"]["versions"]
    properties = version["schema"]["openAPIV3Schema"]["properties"]
    spec, status = (_HEAD + "".join(_rows(properties[part])) for part in ("spec", "status"))
    return _PAGE.format(group=GROUP, version=VERSION, kind=KIND, spec=spec, status=status)


def _rows(node: JSON, path: str = "") -> Iterator[str]:
    required = node.get("required", ())
    for name, child in node.get("properties", {}).items():
        field = f"{path}.{name}" if path else name
        rules = ", ".join([*(["required"] if name in required else []), *_rules(child)])
        text = " ".join(child.get("description", "").split()).replace("|", "\\|")
        yield f"| `{field}` | {_type(child)} | {rules} | {text} |\n"
        yield from _rows(child, field)
        if "items" in child:
            yield from _rows(child["items"], f"{field}[]")


def _type(node: JSON) -> str:
    if node.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "items" in node:
        return f"list of {_type(node['items'])}s"
    if "additionalProperties" in node:
        return f"map to {_type(node['additionalProperties'])}s"
    return str(node.get("type", "any"))


def _rules(node: JSON) -> Iterator[str]:
    if "default" in node:
        yield f"default `{json.dumps(node['default'])}`"
    if "enum" in node:
        yield "one of " + ", ".join(f"`{value}`" for value in node["enum"])
    if "minLength" in node:
        yield "not empty"
    for keyword, text in _LIMITS.items():
        if keyword in node and not (keyword == "maxLength" and "enum" in node):
            yield text.format(f"{node[keyword]:,}")
    if keys := node.get("x-kubernetes-list-map-keys"):
        yield f"each {' and '.join(keys)} once"


if __name__ == "__main__":
    sys.stdout.write(page())
