"""Which version of each object was taken in last, and what is known to be gone."""

from collections.abc import Collection, Iterable

Name = tuple[str, str]
"""Namespace (empty if there is none) and name."""

_REMEMBERED = 1000
"""How many objects of a resource that are gone are remembered, so that a late event or answer
does not bring them back."""


class Versions:
    """resourceVersions, compared as numbers (https://kep.k8s.io/5504)."""

    def __init__(self, resources: Iterable[str]) -> None:
        self._present: dict[str, dict[Name, int]] = {resource: {} for resource in resources}
        self._gone: dict[str, dict[Name, int]] = {resource: {} for resource in self._present}
        self._lists: dict[tuple[str, str], int] = {}
        """The version of the last whole list of a resource in a namespace (empty: in all)."""

    def __contains__(self, resource: str) -> bool:
        return resource in self._present

    def present(self, resource: str, name: Name) -> int:
        """The version of an object that is known and not gone; 0 if there is none."""
        return self._present.get(resource, {}).get(name, 0)

    def known(self, resource: str, name: Name) -> int:
        """The newest version that was taken in, also of what is gone; 0 if none was."""
        return self._present[resource].get(name) or self._gone[resource].get(name, 0)

    def has_seen(self, resource: str, name: Name) -> bool:
        """Whether an object is known, or is known to be gone (of the latest that are)."""
        return name in self._present[resource] or name in self._gone[resource]

    def put(self, resource: str, name: Name, version: int) -> None:
        """This version of it was taken in."""
        self._gone[resource].pop(name, None)
        self._present[resource][name] = version

    def remove(self, resource: str, name: Name, version: int) -> bool:
        """It is gone since this version; whether it was known."""
        gone = self._gone[resource]
        gone[name] = version
        if len(gone) > _REMEMBERED:
            del gone[next(iter(gone))]
        return self._present[resource].pop(name, None) is not None

    def revive(self, resource: str, name: Name, version: int) -> None:
        """It is there after all in this version, or in a list of this version."""
        if self._gone[resource].get(name, version + 1) <= version:
            del self._gone[resource][name]

    def missing(
        self, resource: str, names: Collection[Name], version: int, namespace: str
    ) -> list[Name]:
        """What a whole list of this version does not name, unless it is newer than the list.

        The list is of one namespace, or of all if that is empty.
        """
        self._lists[resource, namespace] = version
        return [
            name
            for name, known in self._present[resource].items()
            if name not in names and known <= version and namespace in ("", name[0])
        ]

    def not_listed(self, resource: str, name: Name, version: int) -> bool:
        """A list that is no older than this version of it has not shown it."""
        return name not in self._present[resource] and version <= self.last_list(resource, name)

    def last_list(self, resource: str, name: Name) -> int:
        """The version of the last whole list that would have shown it."""
        return max(self._lists.get((resource, namespace), 0) for namespace in ("", name[0]))
