"""Lists in parts."""

import pytest

from hourglass_simulator.apiserver import APIError
from hourglass_simulator.apiserver.server import ObjectList
from hourglass_simulator.http.pages import Pages

ITEMS = [{"metadata": {"name": name}} for name in "abcde"]
LISTED = ObjectList(ITEMS, "7")
LATER = ObjectList([], "8")


def test_a_list_without_a_limit_is_whole() -> None:
    page = Pages().page(LISTED, 0)
    assert page.items == ITEMS
    assert page.metadata == {"resourceVersion": "7"}


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_the_pages_together_are_the_list_as_it_was(limit: int) -> None:
    pages = Pages()
    page = pages.page(LISTED, limit)
    found = [*page.items]
    while token := page.metadata.get("continue"):
        assert page.metadata["remainingItemCount"] == len(ITEMS) - len(found)
        page = pages.page(LATER, limit, token)
        assert 0 < len(page.items) <= limit
        assert page.metadata["resourceVersion"] == "7"
        found += page.items
    assert found == ITEMS


def test_a_page_can_be_asked_for_again() -> None:
    pages = Pages()
    token = pages.page(LISTED, 2).metadata["continue"]
    assert pages.page(LATER, 2, token).items == pages.page(LATER, 2, token).items == ITEMS[2:4]


def test_what_was_not_read_for_long_is_too_old() -> None:
    pages = Pages()
    token = pages.page(LISTED, 2).metadata["continue"]
    for _ in range(100):
        pages.page(LISTED, 2)
    with pytest.raises(APIError) as raised:
        pages.page(LATER, 2, token)
    assert (raised.value.code, raised.value.reason) == (410, "Expired")
