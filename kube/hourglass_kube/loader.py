"""YAML whose mistakes are all reported as such.

PyYAML leaves some to Python: of a date with a thirteenth month or of `!!int x` it raises whatever
the conversion raises. Of two keys that are the same it takes the last.
"""

from typing import Any

import yaml
from yaml import CollectionNode, MappingNode, Node, ScalarNode
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


class SafeLoader(Constructor, yaml.CSafeLoader):
    """yaml.CSafeLoader with this constructor, and each key once."""

    def get_node(self) -> Node | None:
        """The next document, before mappings are merged into others."""
        return _with_each_key_once(super().get_node())

    def get_single_node(self) -> Node | None:
        """The only document, likewise."""
        return _with_each_key_once(super().get_single_node())


def _with_each_key_once(document: Node | None) -> Node | None:
    found, todo = set[int](), [document]
    while todo:
        node = todo.pop()
        # An alias is the node that it stands for.
        if isinstance(node, CollectionNode) and id(node) not in found:
            found.add(id(node))
            pairs = node.value if isinstance(node, MappingNode) else []
            seen = set()
            for key, _ in pairs:
                if isinstance(key, ScalarNode):
                    if key.value in seen:
                        said = f"the key {key.value} occurs twice"
                        raise ComposerError(None, None, said, key.start_mark)
                    seen.add(key.value)
            todo += reversed([each for pair in pairs for each in pair] or node.value)
    return document
