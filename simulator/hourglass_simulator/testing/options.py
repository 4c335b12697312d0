"""What a simulated cluster is like: the arguments of the marker, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hourglass_simulator.kubernetes.version import NEWEST
from hourglass_simulator.scenario.cluster import Cluster
from hourglass_simulator.scenario.mistakes import mistakes, shown, unknown

OPERATOR = "operator"
"""As whom the operator under test is known, unless the test says otherwise."""
_OWN = ("manifests", "rbac", "user")
_ALWAYS = ("managedFields",)


class OptionsError(ValueError):
    """What is wrong with the options; the text names each."""


@dataclass(frozen=True, slots=True)
class Options:
    """`cluster` is what exists at the start, as in a scenario.

    `manifests` are YAML files that are applied then. `rbac`: who may do what is decided by RBAC.
    `user` is the operator: a name, or a ServiceAccount as `system:serviceaccount:NAMESPACE:NAME`.
    """

    cluster: Cluster = field(default_factory=lambda: Cluster(kubernetes=NEWEST))
    manifests: tuple[Path, ...] = ()
    rbac: bool = False
    user: str = OPERATOR


def options(
    given: Mapping[str, Any], manifests: Sequence[Path] = (), folder: Path = Path()
) -> Options:
    """Options from the keys of a scenario's `cluster`, and manifests, rbac and user.

    `nodes` may be a number, of nodes that are alike. `manifests` come before those that are given,
    whose paths are relative to `folder`. Raises OptionsError.
    """
    found = {key: value for key, value in given.items() if key not in _OWN}
    found.setdefault("kubernetes", NEWEST)
    nodes = found.get("nodes")
    if isinstance(nodes, int) and not isinstance(nodes, bool):
        found["nodes"] = [{"name": "node", "count": nodes}] if nodes else []
    wrong = [_mistake(location, text) for location, text in mistakes(Cluster, found)]
    wrong += [f"{key}: always on here" for key in _ALWAYS if key in found]
    listed, rbac, user = given.get("manifests", ()), given.get("rbac", False), given.get("user")
    if not isinstance(rbac, bool):
        wrong.append(f"rbac: expected true or false, found {shown(rbac)}")
    if not isinstance(user, str | None) or user == "":
        wrong.append(f"user: expected a name, found {shown(user)}")
    if isinstance(listed, str) or not all(isinstance(each, str | Path) for each in listed):
        wrong.append(f"manifests: expected a list of YAML files, found {shown(listed)}")
        listed = ()
    files = (*manifests, *(folder / each for each in listed))
    wrong += [f"manifests: {file}: no such file" for file in files if not file.is_file()]
    if wrong:
        raise OptionsError("; ".join(wrong))
    return Options(Cluster.model_validate(found), tuple(files), rbac, user or OPERATOR)


def _mistake(location: Sequence[str | int], text: str) -> str:
    if len(location) == 1 and text.startswith("unknown key"):
        known = [field.alias or name for name, field in Cluster.model_fields.items()]
        known = [name for name in known if name not in _ALWAYS]
        text = unknown("option", str(location[0]), sorted([*known, *_OWN]))
    return f"{'.'.join(map(str, location))}: {text}"
