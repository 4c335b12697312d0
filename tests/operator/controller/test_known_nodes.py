"""Nodes, what of their changes counts, and their devices as a claim sees them."""

from collections.abc import Callable

import pytest

from builders import CATALOGUE, device, node, published
from hourglass_operator.controller.known_nodes import KnownNodes
from hourglass_operator.hardware.claim import DeviceClaim

A100 = "NVIDIA A100-SXM4-40GB"


def index(*names: str) -> KnownNodes:
    found = KnownNodes(CATALOGUE.claimed_attributes)
    for name in names:
        found.put(name, node(name).build())
    return found


def claim() -> DeviceClaim:
    found = CATALOGUE.claim("nvidia-a100", 1)
    assert found is not None
    return found


CHANGES: list[tuple[str, Callable[[KnownNodes], object], bool]] = [
    ("a heartbeat", lambda nodes: nodes.put("a", node("a").build()), False),
    ("a cordon", lambda nodes: nodes.put("a", node("a").cordoned().build()), True),
    ("a new node", lambda nodes: nodes.put("b", node("b").build()), True),
    ("a node that goes", lambda nodes: nodes.put("a", None), True),
    ("a new slice", lambda nodes: nodes.put_slice("s", published("a", device("d", A100))), True),
    ("a slice nobody knew that goes", lambda nodes: nodes.put_slice("s", None), False),
]


@pytest.mark.parametrize(
    ("change", "counts"), [each[1:] for each in CHANGES], ids=[each[0] for each in CHANGES]
)
def test_the_generation_goes_up_when_something_changes_that_counts(
    change: Callable[[KnownNodes], object], counts: bool
) -> None:
    nodes = index("a")
    before = nodes.generation
    assert bool(change(nodes)) is counts
    assert (nodes.generation > before) is counts


def test_nodes_are_in_the_order_of_their_names() -> None:
    nodes = index("c", "a", "b")
    assert list(nodes.all()) == ["a", "b", "c"]
    nodes.put("b", node("b").cordoned().build())
    assert list(nodes.all()) == list(nodes.all_to(claim())) == ["a", "b", "c"]


def test_a_claim_sees_the_devices_as_they_are_now() -> None:
    nodes = index("a", "b")
    assert nodes.all_to(claim()) is nodes.all()
    nodes.put_slice("s", published("a", device("d", A100)))
    assert nodes.devices_published
    assert nodes.all_to(claim())["a"].allocatable[claim().resource] == "1"
    assert claim().resource not in nodes.all_to(claim())["b"].allocatable
    # Made once, as long as nothing changes.
    assert nodes.all_to(claim()) is nodes.all_to(claim())
    nodes.put_slice("s", None)
    assert claim().resource not in nodes.all_to(claim())["a"].allocatable


def test_a_slice_reaches_the_nodes_whose_devices_it_has() -> None:
    nodes = index("a", "b")
    slice_ = nodes.put_slice("s", published("a", device("d", A100)))
    assert slice_ is not None
    assert list(nodes.reached(slice_)) == ["a"]
