"""The recorded versions of Kubernetes, and which of them stands for another."""

import json

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.harness.snapshot import version_of
from hourglass_simulator.kubernetes.version import (
    NEWEST,
    OLDEST,
    VERSIONS,
    Version,
    minor_of,
    nearest,
    version,
)


@pytest.mark.parametrize("name", VERSIONS)
def test_the_data_is_of_the_version_that_it_is_named_after(name: str) -> None:
    assert version(name).git_version.startswith(f"v{name}.")
    assert version(name) is version(name)


@pytest.mark.parametrize("name", VERSIONS)
def test_a_version_may_lack_what_resizes_pods(name: str) -> None:
    def mentions(of: Version) -> bool:
        found = of.discovery
        return '"pods/resize"' in json.dumps(found["lists"]) or '"resize"' in json.dumps(
            found["aggregated"]
        )

    assert mentions(version(name))
    assert not mentions(version(name, resizes_pods=False))


def test_a_version_that_is_not_recorded_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'1\.9' is not a recorded version, those are 1\.34"):
        version("1.9")


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("v1.34.4", 34),
        ("v1.36.0-eks-5d4a308", 36),
        ("v1.35.1+k3s1", 35),
        ("v2.1.0", None),
        ("", None),
        (None, None),
        (1.34, None),
    ],
)
def test_the_minor_version_that_a_program_reports(text: object, minor: int | None) -> None:
    assert minor_of(text) == minor


@pytest.mark.parametrize(
    ("minor", "name"), [(30, OLDEST), (34, "1.34"), (35, "1.34"), (36, "1.34"), (99, NEWEST)]
)
def test_the_nearest_recorded_version(minor: int, name: str) -> None:
    assert nearest(minor).name == name


def node(reported: str | None) -> JSON:
    info = {} if reported is None else {"kubeletVersion": reported}
    return {"kind": "Node", "status": {"nodeInfo": info}}


@pytest.mark.parametrize(
    ("reported", "name"),
    [
        pytest.param([], "1.34", id="no nodes"),
        pytest.param([None], "1.34", id="a node that reports none"),
        pytest.param(["v1.33.1", "v1.34.4"], "1.34", id="the newest node counts"),
        pytest.param(["v1.99.0", "v1.34.4"], NEWEST, id="newer than any that is recorded"),
    ],
)
def test_the_version_of_a_snapshot(reported: list[str | None], name: str) -> None:
    assert version_of([node(each) for each in reported]).name == name
