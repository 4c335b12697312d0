"""Pods that are listed by their node are those that a look at every pod finds."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis.strategies import lists, sampled_from, tuples

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer
from hourglass_simulator.clock import Clock

SPACES, NODES = ("default", "kube-system"), ("one", "two")
STEP = tuples(
    sampled_from(["create", "create bound", "bind", "label", "delete"]),
    sampled_from(SPACES),
    sampled_from(["b", "a"]),
    sampled_from(NODES),
)


def take(api: APIServer, what: str, space: str, name: str, node: str) -> None:
    if what.startswith("create"):
        spec: JSON = {"containers": [{"name": "main", "image": "web:v1"}]}
        if what == "create bound":
            spec["nodeName"] = node
        api.create("pods", {"metadata": {"name": name}, "spec": spec}, namespace=space)
    elif what == "bind":
        api.bind(space, name, node)
    elif what == "label":
        api.patch("pods", space, name, {"metadata": {"labels": {"seen": node}}})
    else:
        api.delete("pods", space, name, grace_period_seconds=0)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(steps=lists(STEP, max_size=15))
def test_the_pods_of_a_node(steps: list[tuple[str, str, str, str]]) -> None:
    api = APIServer(Clock())
    for step in steps:
        with suppress(APIError):
            take(api, *step)
    for node in NODES:
        for space in ("", *SPACES):
            found = api.list("pods", space, field_selector=f"spec.nodeName={node}").items
            every = api.list("pods", space).items
            assert found == [pod for pod in every if pod["spec"].get("nodeName") == node]
