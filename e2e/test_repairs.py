"""What somebody deletes or edits by hand is soon as it was; what is not the operator's stays."""

import time
from collections.abc import Callable, Iterator

import pytest

from clusters import Cluster, wait_until
from conftest import ClusterReport
from hourglass_kube.types import JSON
from operators import Operator, Performers, running
from operators.namespace_state import ready_condition

IMAGE = "localhost/performer:v1"
NAME = "one"
SERVICE = f"performer-{NAME}"


@pytest.fixture(scope="module")
def crew(
    cluster: Cluster, custom_resource: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Performers, Operator]]:
    """One namespace and one operator for all the damage."""
    cluster.add_fake_nodes(1)
    with cluster.namespace() as namespace:
        those = Performers.of(cluster, namespace)
        with running(cluster, namespace, tmp_path_factory.mktemp("operator")) as replica:
            yield those, replica
        those.delete_all()


@pytest.fixture(scope="module")
def performers(crew: tuple[Performers, Operator]) -> Performers:
    """Those that are damaged."""
    return crew[0]


@pytest.fixture(scope="module")
def operator(crew: tuple[Performers, Operator]) -> Operator:
    """The operator that repairs them."""
    return crew[1]


@pytest.fixture
def serving(performers: Performers) -> Iterator[Performers]:
    """A Performer that serves, alone."""
    performers.create(NAME, IMAGE)
    performers.wait_settled({NAME: IMAGE})
    yield performers
    performers.delete(NAME)
    performers.wait_settled({})


def the_pod(performers: Performers) -> str:
    (pod,) = performers.items("pods")
    return str(pod["metadata"]["name"])


def edit_pod(patch: JSON) -> Callable[[Performers], object]:
    return lambda performers: performers.patch("pods", the_pod(performers), patch)


def edit_service(patch: JSON) -> Callable[[Performers], object]:
    return lambda performers: performers.patch("services", SERVICE, patch)


def edit_performer(patch: JSON, subresource: str = "") -> Callable[[Performers], object]:
    return lambda performers: performers.patch("performers", NAME, patch, subresource)


def delete_slices(performers: Performers) -> None:
    for each in performers.items("endpointslices"):
        performers.call("DELETE", "endpointslices", each["metadata"]["name"])


def without(*labels: str) -> JSON:
    return {"metadata": {"labels": dict.fromkeys(labels)}}


EDITED_PORTS = [{"name": "grpc", "port": 1234, "targetPort": 1234}]

DAMAGE: dict[str, Callable[[Performers], object]] = {
    "the owner of the pod is removed": edit_pod({"metadata": {"ownerReferences": None}}),
    "the pod loses the label that the Service selects": edit_pod(without("performer-name")),
    "the pod loses the label by which it is watched": edit_pod(without("app")),
    "the pod loses all its labels": edit_pod({"metadata": {"labels": None}}),
    "a label of the pod is edited": edit_pod({"metadata": {"labels": {"performer-name": "two"}}}),
    "the owner of the Service is removed": edit_service({"metadata": {"ownerReferences": None}}),
    "the Service loses the label by which it is watched": edit_service(without("app")),
    "the Service loses all its labels": edit_service({"metadata": {"labels": None}}),
    "the selector of the Service is edited": edit_service(
        {"spec": {"selector": {"performer-name": "two"}}}
    ),
    "the selector of the Service asks for more": edit_service({"spec": {"selector": {"a": "b"}}}),
    "the port of the Service is edited": edit_service({"spec": {"ports": EDITED_PORTS}}),
    "the type of the Service is edited": edit_service({"spec": {"type": "NodePort"}}),
    "the finalizer is removed": edit_performer({"metadata": {"finalizers": None}}),
    "the finalizer is replaced by another's": edit_performer(
        {"metadata": {"finalizers": ["example.com/other"]}}
    ),
    "the status says Failed": edit_performer({"status": {"phase": "Failed"}}, "status"),
    "the status is emptied": edit_performer({"status": None}, "status"),
    "the pod is deleted": lambda performers: performers.call("DELETE", "pods", the_pod(performers)),
    "the Service is deleted": lambda performers: performers.call("DELETE", "services", SERVICE),
    "the EndpointSlices are deleted": delete_slices,
}


# A scheduler that nobody is, and no selector: nothing but the operator could change them.
FOREIGN_POD: JSON = {
    "schedulerName": "nobody",
    "containers": [{"name": "main", "image": IMAGE}],
}
FOREIGN_SERVICE: JSON = {"ports": [{"port": 80}]}


@pytest.fixture(scope="module")
def repair_times(cluster_report: ClusterReport) -> Iterator[list[float]]:
    """How long each repair took, in seconds."""
    times: list[float] = []
    yield times
    if times:
        cluster_report.add(
            f"repairs: {len(times)} kinds of damage, each undone in {max(times):.1f} s"
        )


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_is_repaired_when(
    damage: Callable[[Performers], object], serving: Performers, repair_times: list[float]
) -> None:
    before, untouched = essence(serving), versions(serving)
    damage(serving)
    began = time.monotonic()

    wait_until("all is as it was", lambda: essence(serving) == before, 30)

    repair_times.append(time.monotonic() - began)
    serving.wait_settled({NAME: IMAGE})
    assert versions(serving) != untouched, "there was no damage"
    # Others' finalizers stay, but nobody is there to release this one.
    edit_performer({"metadata": {"finalizers": ["hourglass.eigenlayer.io/performer"]}})(serving)


def essence(performers: Performers) -> JSON:
    """What the damage hits, without what may differ between an object and its successor."""
    performer = performers.get(NAME)
    return {
        "finalizer": "hourglass.eigenlayer.io/performer"
        in performer["metadata"].get("finalizers", ()),
        "phase": performer.get("status", {}).get("phase"),
        "ready": performer.get("status", {}).get("ready"),
        "pods": [own(pod) for pod in performers.items("pods")],
        "services": [
            own(service)
            | {
                "type": service["spec"]["type"],
                "selector": service["spec"]["selector"],
                "ports": [
                    {key: port[key] for key in port if key != "nodePort"}
                    for port in service["spec"]["ports"]
                ],
            }
            for service in performers.items("services")
        ],
        "endpoints": [
            [endpoint["conditions"]["ready"] for endpoint in each["endpoints"] or ()]
            for each in performers.items("endpointslices")
        ],
    }


def versions(performers: Performers) -> dict[str, str]:
    """Of every object that damage may hit, by uid."""
    kinds = ("performers", "pods", "services", "endpointslices")
    found = [each["metadata"] for kind in kinds for each in performers.items(kind)]
    return {meta["uid"]: meta["resourceVersion"] for meta in found}


def own(child: JSON) -> JSON:
    metadata = child["metadata"]
    return {
        "labels": metadata.get("labels"),
        "owners": metadata.get("ownerReferences"),
        "going": "deletionTimestamp" in metadata,
    }


# Of another version the Service has the same name, the pod another one.
@pytest.mark.parametrize(
    ("resource", "spec", "after_an_edit"),
    [("services", FOREIGN_SERVICE, "NameConflict"), ("pods", FOREIGN_POD, "PodReady")],
    ids=["services", "pods"],
)
def test_what_another_made_under_the_name_is_reported_and_never_touched(
    resource: str, spec: JSON, after_an_edit: str, performers: Performers
) -> None:
    performers.create(NAME, IMAGE)
    performers.wait_settled({NAME: IMAGE})
    (own_object,) = performers.items(resource)
    name = own_object["metadata"]["name"]
    performers.delete(NAME)
    performers.wait_settled({})
    labels = {"app": "performer", "performer-name": NAME}
    metadata = {"name": name, "labels": labels}
    foreign = performers.call("POST", resource, body={"metadata": metadata, "spec": spec})

    performers.create(NAME, IMAGE)

    wait_until("the conflict is reported", lambda: reason(performers) == "NameConflict", 30)
    performers.set_spec(NAME, version="2")
    wait_until(
        f"the edit is seen, with reason {after_an_edit}",
        lambda: observes_latest(performers) and reason(performers) == after_an_edit,
        30,
    )
    performers.delete(NAME)
    wait_until("the Performer is gone", lambda: performers.items("performers") == [], 30)
    assert performers.call("GET", resource, name) == foreign
    performers.call("DELETE", resource, name)


def test_what_a_service_of_another_leads_to_does_not_count_as_serving(
    performers: Performers,
) -> None:
    labels = {"app": "performer", "performer-name": NAME}
    claimed = {**labels, "app.kubernetes.io/managed-by": "Helm"}
    spec = {"selector": labels, "ports": [{"name": "grpc", "port": 50051, "targetPort": 9090}]}
    body = {"metadata": {"name": SERVICE, "labels": claimed}, "spec": spec}
    performers.call("POST", "services", body=body)

    performers.create(NAME, IMAGE)

    wait_until("the Service leads to the pod", lambda: ready_endpoints(performers) == [True], 60)
    wait_until("the conflict is reported", lambda: reason(performers) == "NameConflict", 30)
    time.sleep(3)
    assert (reason(performers), performers.get(NAME)["status"]["ready"]) == ("NameConflict", False)
    performers.delete(NAME)
    performers.call("DELETE", "services", SERVICE)
    performers.wait_settled({})


def test_what_lost_labels_and_owner_while_no_operator_ran_is_found_and_repaired(
    serving: Performers, operator: Operator
) -> None:
    before, uids = essence(serving), versions(serving).keys()
    operator.kill()
    edit_pod({"metadata": {"labels": None, "ownerReferences": None}})(serving)
    edit_service({"metadata": {"labels": None}})(serving)

    operator.start()

    wait_until("all is as it was", lambda: essence(serving) == before, 60)
    serving.wait_settled({NAME: IMAGE})
    assert versions(serving).keys() == uids


def ready_endpoints(performers: Performers) -> list[bool]:
    """Of the EndpointSlices in the namespace."""
    slices = performers.items("endpointslices")
    return [each["conditions"]["ready"] for found in slices for each in found["endpoints"] or ()]


@pytest.mark.parametrize("resource", ["services", "pods"])
def test_what_was_given_to_another_is_reported_and_never_touched(
    resource: str, serving: Performers
) -> None:
    (given,) = serving.items(resource)
    other = serving.call("POST", "configmaps", body={"metadata": {"name": "other"}})
    owner = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "other",
        "uid": other["metadata"]["uid"],
        "controller": True,
    }
    name = given["metadata"]["name"]
    edits = {"ownerReferences": [owner], "labels": {"app": "mine"}}
    edited = serving.patch(resource, name, {"metadata": edits})

    wait_until("the conflict is reported", lambda: reason(serving) == "NameConflict", 30)

    assert serving.call("GET", resource, name)["metadata"]["labels"] == edited["metadata"]["labels"]
    serving.call("DELETE", "configmaps", "other")
    # Garbage collection takes it along with its owner, and the name is free again.
    serving.wait_settled({NAME: IMAGE})


def observes_latest(performers: Performers) -> bool:
    """Whether the status is of the latest spec."""
    found = performers.get(NAME)
    latest = found["metadata"]["generation"]
    return bool(found["status"].get("observedGeneration") == latest)


def reason(performers: Performers) -> str:
    """Of the Ready condition."""
    return str(ready_condition(performers.get(NAME)).get("reason", ""))
