"""What a simulated cluster is like, checked."""

from pathlib import Path
from typing import Any

import pytest

from hourglass_simulator.kubernetes.version import NEWEST
from hourglass_simulator.testing import OptionsError, options


def test_by_default_it_is_the_newest_with_three_nodes() -> None:
    found = options({})
    assert found.cluster.kubernetes == NEWEST
    assert [name for group in found.cluster.nodes for name in group.names] == [
        "node-1",
        "node-2",
        "node-3",
    ]
    assert (found.manifests, found.rbac, found.user) == ((), False, "operator")


@pytest.mark.parametrize(("nodes", "names"), [(0, []), (2, ["node-1", "node-2"])])
def test_nodes_may_be_a_number(nodes: int, names: list[str]) -> None:
    found = options({"nodes": nodes}).cluster.nodes
    assert [name for group in found for name in group.names] == names


def test_paths_are_beside_the_test(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).touch()
    found = options({"manifests": ["b.yaml"]}, [tmp_path / "a.yaml"], tmp_path)
    assert found.manifests == (tmp_path / "a.yaml", tmp_path / "b.yaml")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"node": 3}, r"^node: unknown option; expected one of .* did you mean nodes\?$"),
        ({"kubernetes": "1.2"}, r"^kubernetes: '1.2' is not a version that is simulated: 1.34"),
        ({"nodes": [{}]}, r"^nodes.0.name: required, but missing$"),
        ({"nodes": -1}, r"^nodes.0.count: input should be greater than or equal to 1$"),
        ({"manifests": "a.yaml"}, r'^manifests: expected a list of YAML files, found "a.yaml"$'),
        ({"manifests": ["a.yaml"]}, r"^manifests: a.yaml: no such file$"),
        ({"rbac": 1, "user": 1}, r"^rbac: expected true or false, found 1; user: expected a name"),
        ({"managedFields": False}, r"^managedFields: always on here$"),
    ],
    ids=[
        "an unknown option",
        "a version that there is not",
        "a node without a name",
        "fewer than no nodes",
        "a file that is no list",
        "a file that there is not",
        "two mistakes",
        "what cannot be switched off",
    ],
)
def test_mistakes_are_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        options(given)
