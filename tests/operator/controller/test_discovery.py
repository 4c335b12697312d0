"""How long it is known whether pods can be resized."""

import pytest

from hourglass_operator.controller.discovery import Discovery

RESIZE = {"name": "pods/resize"}
PODS = {"name": "pods"}
NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("resources", "after", "offers"),
    [
        pytest.param([PODS, RESIZE], 0.0, True, id="a cluster that can says so"),
        pytest.param([PODS], 0.0, False, id="a cluster that cannot does not name it"),
        pytest.param([PODS, RESIZE], 599.0, True, id="an answer is relied on for ten minutes"),
        pytest.param([PODS, RESIZE], 600.0, None, id="then it is not known any more"),
    ],
)
def test_what_the_cluster_offers(
    resources: list[dict[str, str]], after: float, offers: bool | None
) -> None:
    discovery = Discovery()
    assert discovery.offers_resize(NOW) is None
    discovery.take_in(resources, NOW)
    assert discovery.offers_resize(NOW + after) is offers
