"""The body of a server-side apply, which is YAML.

https://pkg.go.dev/sigs.k8s.io/yaml
"""

import json
import re
from typing import Any

import yaml

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors
from hourglass_simulator.kubernetes.version import Version

APPLY = "application/apply-patch+yaml"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Times are text in JSON and so they are here; notes the keys that come more than once."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.repeated: list[str] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    line = key.start_mark.line + 1
                    self.repeated.append(f'line {line}: key "{key.value}" already set in map')
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in known if not tag.endswith(":timestamp")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parsed(body: bytes, version: Version) -> tuple[JSON, list[str]]:
    """The object, and what is said of keys that come more than once; 400 when it is none."""
    named = _named(version)
    text = body.decode(errors="replace")
    if (value := _of_json(text)) is not None:
        return value, []
    loader = _Loader(text)
    try:
        value = loader.get_single_data()
    except yaml.YAMLError as error:
        if version.minor >= 37 and not text.startswith("{"):
            raise errors.bad_request(f"error encoding patch: yaml: {_shown(error)}") from None
        why = f"error converting YAML to JSON: yaml: {_shown(error)}"
        raise errors.bad_request(f"error decoding {named}: {why}") from None
    except (ValueError, RecursionError) as error:
        raise errors.bad_request(
            f"error decoding {named}: error converting YAML to JSON: {error}"
        ) from None
    finally:
        loader.dispose()
    if value is None:
        return {}, []
    if not isinstance(value, dict):
        why = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
        why += f"{_kind(value)} into Go value of type map[string]interface {{}}"
        raise errors.bad_request(f"error decoding {named}: {why}")
    return _json(value), loader.repeated


def _of_json(text: str) -> JSON | None:
    """The object of a body that is JSON, which most clients send; None for others.

    So are those with keys that come more than once: YAML knows the lines.
    """
    if not text.startswith("{"):
        return None
    try:
        value: JSON = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return value


def _once(pairs: list[tuple[str, Any]]) -> JSON:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes more than once")
    return found


def _named(version: Version) -> str:
    """How messages call the body."""
    return "patch" if version.minor >= 37 else "YAML"


def refusal(repeated: list[str], version: Version) -> errors.APIError:
    """400 for keys that come more than once, where they are refused."""
    lines = "".join(f"\n  {each}" for each in repeated)
    why = f"error converting YAML to JSON: yaml: unmarshal errors:{lines}"
    return errors.bad_request(f"error strict decoding {_named(version)}: {why}")


def _shown(error: yaml.YAMLError) -> str:
    """The error with the line that Go's parser names, which is a port of libyaml too."""
    mark = getattr(error, "context_mark", None)
    if mark is None or not mark.line:
        mark = getattr(error, "problem_mark", None)
    line = mark.line if mark is not None else 0
    if line and isinstance(error, yaml.scanner.ScannerError):
        line += 1
    problem = getattr(error, "problem", None) or re.sub(r"\s+", " ", str(error))
    return f"line {line}: {problem}" if line else problem


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, list):
        return "array"
    return "string" if isinstance(value, str) else "number"


def _json(value: Any) -> Any:
    """With the keys of objects as text."""
    if isinstance(value, dict):
        return {_key(name): _json(each) for name, each in value.items()}
    return [_json(each) for each in value] if isinstance(value, list) else value


def _key(name: Any) -> str:
    if isinstance(name, bool):
        return "true" if name else "false"
    return str(name)
