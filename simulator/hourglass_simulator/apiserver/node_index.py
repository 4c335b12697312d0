"""Pods by the node they are on, as kube-apiserver indexes them.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/pod/strategy.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON


class NodeIndex:
    """Knows where the pods of each node are stored."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, dict[str, None]]] = {}
        """By node and namespace."""

    def change(self, before: JSON | None, after: JSON | None) -> None:
        """A pod was stored in the place of another; None: there was none, or there is none now."""
        old, new = _node_of(before), _node_of(after)
        if old == new:
            return
        if before is not None and old:
            meta = before["metadata"]
            spaces = self._names[old]
            del spaces[meta["namespace"]][meta["name"]]
            if not spaces[meta["namespace"]]:
                del spaces[meta["namespace"]]
        if after is not None and new:
            meta = after["metadata"]
            spaces = self._names.setdefault(new, {})
            spaces.setdefault(meta["namespace"], {})[meta["name"]] = None

    def names(self, node: str, namespace: str = "") -> Iterator[tuple[str, str]]:
        """Namespaces and names of the pods of a node, in their order; of one namespace if given."""
        spaces = self._names.get(node, {})
        for space in [namespace] if namespace else sorted(spaces):
            for name in sorted(spaces.get(space, ())):
                yield space, name


def _node_of(pod: JSON | None) -> str:
    found: str = "" if pod is None else (pod.get("spec") or {}).get("nodeName") or ""
    return found
