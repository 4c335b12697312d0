"""Lists in parts."""

import pytest

from hourglass_simulator.apiserver import APIError, APIServer, ObjectList, continuing
from hourglass_simulator.apiserver.pages import part
from hourglass_simulator.clock import Clock

ITEMS = [{"metadata": {"name": name}} for name in "abcde"]
LISTED = ObjectList(ITEMS, "7")


def rest(token: str, limit: int) -> ObjectList:
    return part(LISTED, "", continuing.place(token).start, limit)


def test_a_list_without_a_limit_is_whole() -> None:
    page = part(LISTED, "", "", 0)
    assert page.items == ITEMS
    assert page.metadata == {"resourceVersion": "7"}


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_the_pages_together_are_the_list(limit: int) -> None:
    page = part(LISTED, "", "", limit)
    found = [*page.items]
    while token := page.metadata.get("continue"):
        assert page.metadata["remainingItemCount"] == len(ITEMS) - len(found)
        page = rest(token, limit)
        assert 0 < len(page.items) <= limit
        assert page.metadata["resourceVersion"] == "7"
        found += page.items
    assert found == ITEMS


def test_a_page_can_be_asked_for_again() -> None:
    token = part(LISTED, "", "", 2).token
    assert rest(token, 2).items == rest(token, 2).items == ITEMS[2:4]


def names(listed: ObjectList) -> list[str]:
    return [obj["metadata"]["name"] for obj in listed.items]


def filled() -> APIServer:
    api = APIServer(Clock())
    for name in "abc":
        body = {"metadata": {"name": name, "labels": {"app": "x"}}}
        api.create("configmaps", body, namespace="default")
    return api


def test_the_rest_of_a_list_shows_the_state_that_its_begin_found() -> None:
    api = filled()
    page = api.list("configmaps", label_selector="app=x", limit=2)
    api.delete("configmaps", "default", "c")
    left = api.list("configmaps", label_selector="app=x", limit=2, token=page.token)
    assert (names(page), names(left)) == (["a", "b"], ["c"])
    assert left.resource_version == page.resource_version


def test_a_list_of_all_namespaces_goes_on_in_the_next_one() -> None:
    api = filled()
    api.create("configmaps", {"metadata": {"name": "a"}}, namespace="kube-public")
    page = api.list("configmaps", limit=3)
    left = api.list("configmaps", limit=3, token=page.token)
    assert [obj["metadata"]["namespace"] for obj in left.items] == ["kube-public"]


def test_what_is_no_longer_kept_is_read_on_from_what_is() -> None:
    api = filled()
    token = api.list("configmaps", limit=2).token
    other = api.list("namespaces", limit=1).token
    api.delete("configmaps", "default", "a")
    api.create("configmaps", {"metadata": {"name": "d"}}, namespace="default")
    api.compact("configmaps")
    with pytest.raises(APIError) as raised:
        api.list("configmaps", limit=2, token=token)
    assert (raised.value.code, raised.value.reason) == (410, "Expired")
    left = api.list("configmaps", limit=2, token=raised.value.metadata["continue"])
    assert (names(left), left.resource_version) == (["c", "d"], api.resource_version)
    assert api.list("namespaces", limit=1, token=other)
