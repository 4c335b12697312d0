"""Bodies in YAML, which are JSON after all: https://pkg.go.dev/sigs.k8s.io/yaml#YAMLToJSON."""

import re
from base64 import b64decode
from typing import Any

import yaml

_NODES = 400_000
"""What a document may have after its aliases are written out, as Go's decoder has a bound."""


class YAMLError(ValueError):
    """With the text of Go's decoder where there is one for it."""


class _Loader(yaml.CSafeLoader):
    """Times are text in JSON and so they are here."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in known if not tag.endswith(":timestamp")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor(
    "tag:yaml.org,2002:binary",
    lambda loader, node: _binary(loader, node),
)
_Loader.add_multi_constructor("", lambda loader, _, node: _untagged(loader, node))


def load(data: bytes) -> Any:
    """The first document as JSON has it."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise YAMLError("yaml: invalid leading UTF-8 octet") from None
    if re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text):
        raise YAMLError("yaml: control characters are not allowed")
    try:
        value = next(yaml.load_all(text, _Loader), None)
        return _Conversion().json(value)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise YAMLError(f"yaml: {where}{error.problem}") from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        if isinstance(error, YAMLError):
            raise
        raise YAMLError(f"yaml: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise YAMLError("yaml: exceeded max depth of 10000") from None


class _Conversion:
    """Of one document."""

    def __init__(self) -> None:
        self._nodes = 0
        self._above: set[int] = set()

    def json(self, value: Any) -> Any:
        """The value with text for the keys of its maps."""
        self._nodes += 1
        if self._nodes > _NODES:
            raise YAMLError("yaml: document contains excessive aliasing")
        if isinstance(value, float) and value - value != 0:
            shown = "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
            raise YAMLError(f"json: unsupported value: {shown}")
        if not isinstance(value, dict | list | set):
            return value
        if id(value) in self._above:
            raise YAMLError("yaml: anchor value contains itself")
        self._above.add(id(value))
        if isinstance(value, list):
            result: Any = [self.json(each) for each in value]
        else:
            pairs = value.items() if isinstance(value, dict) else ((each, None) for each in value)
            result = {_key(name): self.json(each) for name, each in pairs}
        self._above.discard(id(value))
        return result


def _key(name: Any) -> str:
    if isinstance(name, bool):
        return "true" if name else "false"
    if isinstance(name, tuple | None):
        raise YAMLError(f"yaml: invalid map key: {name}")
    return str(name)


def _binary(loader: Any, node: yaml.Node) -> str:
    return b64decode(loader.construct_scalar(node)).decode(errors="replace")


def _untagged(loader: Any, node: yaml.Node) -> Any:
    """What has a tag that nobody knows is what it is without it."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)
