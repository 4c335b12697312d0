"""YAML whose mistakes are all told as such.

PyYAML leaves some to Python: of a date with a thirteenth month or of `!!int x` it raises whatever
the conversion raises.
"""

from typing import Any

import yaml
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
    """yaml.SafeLoader with this constructor."""
