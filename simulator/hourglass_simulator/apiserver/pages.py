"""Lists, whole and in parts, for clients that ask with `limit` and `continue`.

https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import continuing


class ObjectList(NamedTuple):
    """Objects ordered by namespace and name, and the version at which a watch can go on.

    `token` stands for the rest, of so many objects, where this is a part; empty if there is none.
    """

    items: list[JSON]
    resource_version: str
    token: str = ""
    remaining: int = 0

    @property
    def metadata(self) -> JSON:
        """Of the answer that holds it."""
        metadata: JSON = {"resourceVersion": self.resource_version}
        if self.token:
            metadata |= {"continue": self.token, "remainingItemCount": self.remaining}
        return metadata


def part(listed: ObjectList, namespace: str, start: str, limit: int) -> ObjectList:
    """The first `limit` objects (0: all) from a key on; keys begin below the namespace listed."""
    items = listed.items
    if start:
        items = [obj for obj in items if _key(obj, namespace) >= start.removeprefix("/")]
    if not 0 < limit < len(items):
        return listed._replace(items=items)
    shown = items[:limit]
    token = continuing.after(int(listed.resource_version), _key(shown[-1], namespace))
    return ObjectList(shown, listed.resource_version, token, len(items) - limit)


def _key(obj: JSON, namespace: str) -> str:
    meta = obj["metadata"]
    within = "" if namespace else meta.get("namespace", "")
    name: str = meta["name"]
    return f"{within}/{name}" if within else name
