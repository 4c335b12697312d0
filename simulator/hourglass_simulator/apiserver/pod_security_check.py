"""What the checks of Pod Security share: where they look, and how they name what they found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import gates


class Refusal(NamedTuple):
    """What is forbidden, and where it was found."""

    reason: str
    detail: str


Check = Callable[[JSON, JSON], Refusal | None]
"""Of a pod's metadata and its spec."""


@dataclass(frozen=True, slots=True)
class VersionedCheck:
    """A check that holds since a minor version, in place of an earlier one of its name.

    `overrides`: the check of the level below that it takes in.
    """

    name: str
    since: int
    check: Check
    overrides: str = ""


def containers_of(spec: JSON) -> Iterator[tuple[str, JSON, JSON]]:
    """(name, container, its securityContext)."""
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            yield container["name"], container, container.get("securityContext") or {}


def pod_context(spec: JSON) -> JSON:
    """The securityContext of a pod."""
    return spec.get("securityContext") or {}


def quoted(items: Iterable[str]) -> str:
    """`"a", "b"`."""
    return ", ".join(f'"{item}"' for item in items)


def plural(count: int, one: str, many: str = "") -> str:
    """The word for so many."""
    return one if count == 1 else many or f"{one}s"


def named(containers: Sequence[str]) -> str:
    """`containers "a", "b"`."""
    return f"{plural(len(containers), 'container')} {quoted(containers)}"


def named_setters(pod: bool, containers: Sequence[str]) -> list[str]:
    """Who sets something: the pod, containers, or both."""
    return [*(["pod"] if pod else []), *([named(containers)] if containers else [])]


def _windows(spec: JSON) -> bool:
    return bool((spec.get("os") or {}).get("name") == "windows")


def not_in_user_namespace(check: Check) -> Check:
    """The check, where the server has it, of pods alone that share the users of their node."""

    def relaxed(meta: JSON, spec: JSON) -> Refusal | None:
        return None if spec.get("hostUsers") is False and gates.since(35) else check(meta, spec)

    return relaxed


def not_on_windows(check: Check) -> Check:
    """The check, of pods for other systems alone."""
    return lambda meta, spec: None if _windows(spec) else check(meta, spec)
