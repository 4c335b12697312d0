"""docs/faults.md: `python -m hourglass_simulator.faults.reference` prints it."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from hourglass_simulator.faults import REGISTRY
from hourglass_simulator.faults.target import FaultType
from hourglass_simulator.scenario import duration

_HEAD = """\
# Faults

What a scenario can inject with `fault:` and end with `heal:`. Generated from
`simulator/hourglass_simulator/faults` by `make generate`.

```yaml
steps:
- at: 30s
  fault: {node-lost: {node: gpu-1}}
- after: 2m
  heal: node-lost
```

Faults can be combined, several of one kind too, and end in any order: a node that two faults
keep away is back when both are healed. What is random in a fault depends on the run's seed alone.
A fault of something that is not there, such as a node that nobody has added, fails its step.
Durations are written `500ms`, `30s`, `5m` or `1h30m`.
"""


def markdown() -> str:
    """The page about all faults: a list of them, then a section each."""
    lines = [_HEAD, "| fault | what happens |", "|---|---|"]
    lines += [f"| [`{name}`](#{name}) | {fault.doc} |" for name, fault in REGISTRY.items()]
    for fault in REGISTRY.values():
        lines += ["", *_section(fault)]
    return "\n".join([*lines, ""])


def example(fault: FaultType[Any]) -> str:
    """What a step that injects the fault may look like, in YAML."""
    if not fault.example:
        return f"fault: {fault.name}"
    return f"fault: {{{fault.name}: {_yaml(fault.example)}}}"


def _section(fault: FaultType[Any]) -> Iterator[str]:
    yield from (f"## {fault.name}", "", fault.doc, "", "```yaml", example(fault), "```", "")
    yield "| parameter | takes | default | meaning |"
    yield "|---|---|---|---|"
    schema = fault.parameters.model_json_schema()
    for name, field in schema["properties"].items():
        required = name in schema.get("required", ())
        default = "required" if required else _default(field)
        yield f"| `{name}` | {_takes(field)} | {default} | {field['description']} |"


def _takes(field: dict[str, Any]) -> str:
    kind = next((option for option in field.get("anyOf", ()) if option["type"] != "null"), field)
    if kind["type"] == ["object", "array"]:
        return "a mapping or a list"
    if kind["type"] == ["string", "number"]:
        return "a quantity"
    if kind.get("additionalProperties") is True:
        return "a mapping"
    if kind["type"] == "object":
        return f"a mapping to {_takes(kind['additionalProperties'])}"
    if kind["type"] == "array":
        return f"one or several of {_takes(kind['items'])}"
    if "enum" in kind:
        return ", ".join(f"`{option}`" for option in kind["enum"])
    if "pattern" in kind:
        return "a duration"
    types = {"boolean": "`true`, `false`", "integer": "a whole number", "string": "text"}
    return types.get(kind["type"], "a number up to 1")


def _default(field: dict[str, Any]) -> str:
    default = field["default"]
    if default is None:
        return ""
    if isinstance(default, list):
        return ", ".join(f"`{item}`" for item in default)
    return f"`{duration.text(default) if 'pattern' in field else _yaml(default)}`"


def _yaml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_yaml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    plain = isinstance(value, str) and re.fullmatch(r"[\w./-]+", value)
    return str(value) if plain else json.dumps(value)


if __name__ == "__main__":
    sys.stdout.write(markdown())
