"""YAML whose mistakes are all reported as such.

PyYAML leaves some to Python: of a date with a thirteenth month or of `!!int x` it raises whatever
the conversion raises. Of two keys that are the same it takes the last.
"""

from typing import Any

import yaml
from yaml import MappingNode, ScalarNode
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError, SafeConstructor


class Constructor(SafeConstructor):
    """Raises ConstructorError, with the line, for values that are none of their type."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """The value of a node."""
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, ValueError):
            kind, shown = node.tag.rpartition(":")[2], str(node.value)[:60]
            raise ConstructorError(None, None, f"{shown} is no {kind}", node.start_mark) from None


class SafeLoader(Constructor, yaml.SafeLoader):
    """yaml.SafeLoader with this constructor, and each key once."""

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        """A mapping, before others are merged into it."""
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, ScalarNode):
                if key.value in seen:
                    said = f"the key {key.value} occurs twice"
                    raise ComposerError(None, None, said, key.start_mark)
                seen.add(key.value)
        return node
