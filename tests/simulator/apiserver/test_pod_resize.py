"""A resize to more than the node has is refused where the version does so."""

from typing import Any

import pytest

from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.apiserver.pod_resize import refusal
from hourglass_simulator.clock import Clock
from hourglass_simulator.kubernetes.version import version


def pod(cpu: str, memory: str = "1Gi") -> dict[str, Any]:
    requests = {"cpu": cpu, "memory": memory}
    container = {"name": "c", "image": "i:1", "resources": {"requests": requests}}
    return {"metadata": {"name": "p"}, "spec": {"nodeName": "a", "containers": [container]}}


def node(system: str = "linux") -> dict[str, Any]:
    meta = {"name": "a", "labels": {"kubernetes.io/os": system}}
    return {"metadata": meta, "status": {"allocatable": {"cpu": "2", "memory": "4Gi"}}}


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        pytest.param(pod("2"), node(), ("", ""), id="nothing, if it fits"),
        pytest.param(
            pod("900"),
            node(),
            (
                "node didn't have enough allocatable resources: cpu, requested: 900000, "
                "allocatable: 2000",
                "NodeCapacity",
            ),
            id="too much cpu",
        ),
        pytest.param(
            pod("3", "8Gi"),
            node(),
            (
                "node didn't have enough allocatable resources: cpu, requested: 3000, allocatable: "
                "2000; memory, requested: 8589934592, allocatable: 4294967296",
                "NodeCapacity",
            ),
            id="too much of both",
        ),
        pytest.param(
            pod("1"),
            node("windows"),
            (
                'pod resize is only supported on linux nodes, node "a" is "windows"',
                "UnsupportedPlatform",
            ),
            id="another operating system",
        ),
        pytest.param(pod("1"), None, ('node "a" not found', ""), id="no node"),
    ],
)
def test_what_is_said_of_a_resize(wanted: Any, there: Any, expected: tuple[str, str]) -> None:
    assert refusal(wanted, there) == expected


@pytest.mark.parametrize(("kubernetes", "refused"), [("1.34", False), ("1.37", True)])
def test_the_api_server_refuses_it(kubernetes: str, refused: bool) -> None:
    api = APIServer(Clock(), version(kubernetes))
    api.create("nodes", node())
    api.create("pods", pod("1"), namespace="default")
    resources = {"requests": {"cpu": "900", "memory": "1Gi"}}
    change = {"spec": {"containers": [{"name": "c", "resources": resources}]}}
    if not refused:
        api.patch("pods", "default", "p", change, subresource="resize")
        return
    with pytest.raises(APIError) as error:
        api.patch("pods", "default", "p", change, subresource="resize")
    assert error.value.code == 403
    assert error.value.status()["details"]["causes"] == [{"reason": "NodeCapacity"}]
