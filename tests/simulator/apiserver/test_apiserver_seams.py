"""Watches, history, bookmarks, faults and audit: the seams of the API server."""

from collections.abc import Callable
from typing import Any

import pytest

from hourglass_simulator.apiserver import (
    APIError,
    APIServer,
    Audit,
    Call,
    CallTimeoutError,
    WatchEvent,
)
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers import ResourceQuotaController


@pytest.fixture
def api() -> APIServer:
    return APIServer(Clock())


def named(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def create(api: APIServer, name: str, **labels: str) -> dict[str, Any]:
    return api.create("configmaps", named(name, **labels), namespace="default")


def version(obj: dict[str, Any]) -> str:
    return str(obj["metadata"]["resourceVersion"])


def test_a_watch_without_a_version_begins_with_what_exists(api: APIServer) -> None:
    create(api, "b")
    create(api, "a")
    events: list[WatchEvent] = []
    api.watch("configmaps", sink=events.append)
    create(api, "c")
    assert [(e.type, e.object["metadata"]["name"]) for e in events] == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("ADDED", "c"),
    ]


def test_a_stopped_watch_hears_nothing_even_of_the_commit_that_stopped_it(api: APIServer) -> None:
    heard: list[WatchEvent] = []
    watches = [api.watch("configmaps", sink=lambda _: watches[1].stop())]
    watches.append(api.watch("configmaps", sink=heard.append))
    create(api, "a")
    create(api, "b")
    assert heard == []


def test_a_version_that_is_forgotten_is_gone(api: APIServer) -> None:
    first = create(api, "a")
    second = create(api, "b")
    api.compact("configmaps")
    events: list[WatchEvent] = []
    watch = api.watch("configmaps", resource_version=version(first), sink=events.append)
    assert [event.type for event in events] == ["ERROR"]
    assert events[0].object == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"too old resource version: {version(first)} ({version(second)})",
        "reason": "Expired",
        "code": 410,
    }
    assert watch.stopped


def test_the_history_has_an_end() -> None:
    api = APIServer(Clock(), history=2)
    versions = [version(create(api, name)) for name in "abcd"]
    events: list[WatchEvent] = []
    api.watch("configmaps", resource_version=versions[0], sink=events.append)
    assert [event.type for event in events] == ["ERROR"]
    events.clear()
    api.watch("configmaps", resource_version=versions[1], sink=events.append)
    assert [event.object["metadata"]["name"] for event in events] == ["c", "d"]


def test_bookmarks_show_the_latest_version_to_those_who_want_it(api: APIServer) -> None:
    wanted: list[WatchEvent] = []
    unwanted: list[WatchEvent] = []
    api.watch("pods", sink=wanted.append, allow_bookmarks=True)
    api.watch("pods", sink=unwanted.append)
    create(api, "a")
    api.send_bookmarks()
    assert unwanted == []
    meta = {"resourceVersion": api.resource_version}
    assert wanted == [("BOOKMARK", {"apiVersion": "v1", "kind": "Pod", "metadata": meta})]


class Fault:
    """Gets in the way of one verb, before or after."""

    def __init__(self, moment: str, verb: str, error: Exception) -> None:
        self.moment, self.verb, self.error = moment, verb, error

    def before(self, call: Call) -> None:
        self._strike("before", call)

    def after(self, call: Call) -> None:
        self._strike("after", call)

    def _strike(self, moment: str, call: Call) -> None:
        if (moment, call.verb) == (self.moment, self.verb):
            raise self.error


@pytest.mark.parametrize("verb", ["create", "get", "list", "update", "patch", "delete", "watch"])
def test_every_call_can_be_refused(api: APIServer, verb: str) -> None:
    create(api, "a")
    before = api.resource_version
    api.interceptors.append(Fault("before", verb, APIError(503, "ServiceUnavailable", "no")))
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: create(api, "b"),
        "get": lambda: api.get("configmaps", "default", "a"),
        "list": lambda: api.list("configmaps"),
        "update": lambda: api.update("configmaps", {"metadata": {"name": "a", "namespace": "x"}}),
        "patch": lambda: api.patch("configmaps", "default", "a", named("a", x="y")),
        "delete": lambda: api.delete("configmaps", "default", "a"),
        "watch": lambda: api.watch("configmaps", sink=print),
    }
    with pytest.raises(APIError, match="no"):
        calls[verb]()
    assert api.resource_version == before


def test_a_call_can_take_effect_without_an_answer(api: APIServer) -> None:
    heard: list[Audit] = []
    api.auditors.append(heard.append)
    api.interceptors.append(Fault("after", "create", CallTimeoutError("late")))
    with pytest.raises(CallTimeoutError):
        create(api, "a")
    assert api.get("configmaps", "default", "a")["metadata"]["name"] == "a"
    assert [(audit.call.verb, audit.call.name, audit.code) for audit in heard] == [
        ("create", "a", 0)
    ]


def test_auditors_hear_of_what_mutates_and_how_it_was_answered(api: APIServer) -> None:
    heard: list[Audit] = []
    api.auditors.append(heard.append)
    create(api, "a")
    api.get("configmaps", "default", "a")
    api.list("configmaps")
    api.patch("configmaps", "default", "a", named("a", x="y"), user="operator")
    with pytest.raises(APIError):
        api.delete("configmaps", "default", "b")
    assert [(a.call.user, a.call.verb, a.call.name, a.code) for a in heard] == [
        ("admin", "create", "a", 201),
        ("operator", "patch", "a", 200),
        ("admin", "delete", "b", 404),
    ]


def test_what_a_secret_says_in_clear_is_stored_encoded(api: APIServer) -> None:
    secret = {"metadata": {"name": "s"}, "data": {"b": "Yg=="}, "stringData": {"a": "secret"}}
    stored = api.create("secrets", secret, namespace="default")
    assert stored["data"] == {"a": "c2VjcmV0", "b": "Yg=="}
    patched = api.patch("secrets", "default", "s", {"stringData": {"c": "c"}})
    assert patched["data"] == {"a": "c2VjcmV0", "b": "Yg==", "c": "Yw=="}
    assert not {"stringData"} & {*stored, *patched}


def test_the_same_seed_gives_the_same_uids_and_names() -> None:
    def made(seed: int) -> list[str]:
        api = APIServer(Clock(), seed=seed)
        meta = {"generateName": "a-"}
        obj = api.create("configmaps", {"metadata": meta}, namespace="default")
        return [obj["metadata"]["uid"], obj["metadata"]["name"]]

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_a_namespace_ends_when_its_finalizer_is_taken(api: APIServer) -> None:
    namespace = api.create("namespaces", {"metadata": {"name": "n"}})
    api.delete("namespaces", "", "n")
    assert api.get("namespaces", "", "n")["status"] == {"phase": "Terminating"}
    finalized = {**namespace, "metadata": {"name": "n"}, "spec": {"finalizers": []}}
    api.update("namespaces", finalized, subresource="finalize")
    with pytest.raises(APIError, match='namespaces "n" not found'):
        api.get("namespaces", "", "n")


def test_a_node_comes_with_its_status_and_allocates_its_capacity(api: APIServer) -> None:
    node = {"metadata": {"name": "n"}, "status": {"capacity": {"cpu": "4"}}}
    assert api.create("nodes", node)["status"]["allocatable"] == {"cpu": "4"}


def test_addresses_of_services_differ(api: APIServer) -> None:
    def service(name: str) -> str:
        spec = {"ports": [{"port": 1}]}
        made = api.create(
            "services", {"metadata": {"name": name}, "spec": spec}, namespace="default"
        )
        return str(made["spec"]["clusterIP"])

    addresses = [service(name) for name in "abc"]
    assert len(set(addresses)) == 3
    assert all(address.startswith("10.96.") for address in addresses)


def test_an_address_is_given_again_only_when_it_is_free(api: APIServer) -> None:
    taken = {"clusterIP": "10.96.1.0", "ports": [{"port": 1}]}
    api.create("services", {"metadata": {"name": "a"}, "spec": taken}, namespace="default")
    free = {"metadata": {"name": "b"}, "spec": {"ports": [{"port": 1}]}}
    assert api.create("services", free, namespace="default")["spec"]["clusterIP"] == "10.96.1.1"
    with pytest.raises(APIError, match="provided IP is already allocated"):
        api.create("services", {"metadata": {"name": "c"}, "spec": taken}, namespace="default")
    api.delete("services", "default", "a")
    api.create("services", {"metadata": {"name": "c"}, "spec": taken}, namespace="default")


def test_what_is_served_is_known(api: APIServer) -> None:
    served = {resource.plural: resource for resource in api.resources()}
    assert {"binding", "eviction", "status"} < set(served["pods"].subresources)
    assert served["deployments"].api_version == "apps/v1"
    assert served["leases"].api_version == "coordination.k8s.io/v1"
    assert served["endpointslices"].singular == "endpointslice"


def test_a_default_priority_class_applies(api: APIServer) -> None:
    api.create("priorityclasses", {"metadata": {"name": "p"}, "value": 7, "globalDefault": True})
    spec = {"containers": [{"name": "a", "image": "a"}]}
    pod = api.create("pods", {"metadata": {"name": "a"}, "spec": spec}, namespace="default")
    assert (pod["spec"]["priority"], pod["spec"]["priorityClassName"]) == (7, "p")


def test_a_pod_that_ended_still_counts_as_an_object(api: APIServer) -> None:
    ResourceQuotaController(api.clock, api)
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"count/pods": "1"}}}
    api.create("resourcequotas", quota, namespace="default")
    spec = {"containers": [{"name": "a", "image": "a"}]}
    api.create("pods", {"metadata": {"name": "a"}, "spec": spec}, namespace="default")
    api.set_status("pods", "default", "a", {"phase": "Succeeded"})
    api.clock.run_until(1)
    with pytest.raises(APIError, match="exceeded quota: q"):
        api.create("pods", {"metadata": {"name": "b"}, "spec": spec}, namespace="default")


def test_a_pod_that_ended_gives_its_quota_back(api: APIServer) -> None:
    ResourceQuotaController(api.clock, api)
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
    api.create("resourcequotas", quota, namespace="default")
    spec = {"containers": [{"name": "a", "image": "a"}]}

    def pod(name: str) -> None:
        api.create("pods", {"metadata": {"name": name}, "spec": spec}, namespace="default")

    pod("a")
    with pytest.raises(APIError, match="exceeded quota: q"):
        pod("b")
    api.clock.run_until(1)
    api.set_status("pods", "default", "a", {"phase": "Succeeded"})
    api.clock.run_until(2)
    pod("b")


def test_pods_tolerate_the_taints_of_their_devices_where_that_is_on(api: APIServer) -> None:
    def keys(name: str) -> list[str]:
        resources = {"limits": {"example.com/gpu": "1", "cpu": "1"}}
        spec = {"containers": [{"name": "a", "image": "a", "resources": resources}]}
        pod = api.create("pods", {"metadata": {"name": name}, "spec": spec}, namespace="default")
        return [
            each["key"] for each in pod["spec"]["tolerations"] if each["effect"] == "NoSchedule"
        ]

    assert keys("a") == []
    api.tolerate_extended_resources()
    assert keys("b") == ["example.com/gpu"]


def test_what_exists_already_uses_no_more_of_a_quota(api: APIServer) -> None:
    ResourceQuotaController(api.clock, api)
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "3"}}}
    api.create("resourcequotas", quota, namespace="default")
    api.clock.run_until(1)
    api.create("configmaps", {"metadata": {"name": "a"}}, namespace="default")
    with pytest.raises(APIError, match="already exists"):
        api.create("configmaps", {"metadata": {"name": "a"}}, namespace="default")
    assert api.get("resourcequotas", "default", "q")["status"]["used"] == {"configmaps": "1"}
