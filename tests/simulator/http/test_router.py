"""Paths, forms and refusals of the HTTP face; what objects say is tested with the API server."""

from datetime import UTC, datetime
from typing import Any

import pytest

from builders import performer
from hourglass_kube.types import JSON
from hourglass_operator.api.crd import generate
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.http.request import Place, Request, place
from hourglass_simulator.http.router import Router

PERFORMERS = "/apis/hourglass.eigenlayer.io/v1alpha1/namespaces/default/performers"
PODS, CONFIG_MAPS = (f"/api/v1/namespaces/default/{each}" for each in ("pods", "configmaps"))
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = "application/merge-patch+json"
DRY = {"dryRun": "All"}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
NAMES = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

PLACES: list[tuple[str, Place | None]] = [
    ("/api/v1", Place("", "v1")),
    ("/api/v1/pods", Place("", "v1", resource="pods")),
    ("/api/v1/nodes/n1/status", Place("", "v1", "", "nodes", "n1", "status")),
    ("/api/v1/namespaces/x", Place("", "v1", resource="namespaces", name="x")),
    (
        "/api/v1/namespaces/x/status",
        Place("", "v1", resource="namespaces", name="x", subresource="status"),
    ),
    ("/api/v1/namespaces/x/pods/p", Place("", "v1", "x", "pods", "p")),
    (
        "/api/v1/namespaces/x/pods/p/proxy/a/b",
        Place("", "v1", "x", "pods", "p", "proxy", ("a", "b")),
    ),
    ("/apis/apps/v1/deployments", Place("apps", "v1", resource="deployments")),
    ("/api", None),
    ("/apis/apps", None),
    ("/metrics", None),
]


@pytest.mark.parametrize(("path", "expected"), PLACES, ids=[p[0] for p in PLACES])
def test_what_a_path_names(path: str, expected: Place | None) -> None:
    assert place(path) == expected


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(crd=generate(), epoch=datetime(2026, 3, 4, tzinfo=UTC))


@pytest.fixture
def router(cluster: Cluster) -> Router:
    return Router(cluster.api)


def ml(version: str = "v1") -> JSON:
    made = performer("ml").build()
    spec = {"avsAddress": made["spec"]["avsAddress"], "image": "x:v1", "version": version}
    return {k: made[k] for k in ("apiVersion", "kind")} | {"metadata": {"name": "ml"}, "spec": spec}


def get(router: Router, path: str, accept: str = "", **query: str) -> Any:
    answer = router.answer(Request("GET", path, query, accept=accept))
    assert answer.code == 200, answer.body
    return answer.body


def test_discovery_leads_to_the_resources(router: Router) -> None:
    groups = [group["name"] for group in get(router, "/apis")["groups"]]
    assert "hourglass.eigenlayer.io" in groups
    assert get(router, "/api")["versions"] == ["v1"]
    listed = get(router, "/apis/hourglass.eigenlayer.io/v1alpha1")["resources"]
    assert [entry["name"] for entry in listed] == ["performers", "performers/status"]
    assert listed[0]["shortNames"] == ["perf"]
    assert get(router, "/version")["gitVersion"].startswith("v1.34")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/readyz", 200),
        ("GET", "/healthz/", 404),
        pytest.param("HEAD", "/livez/ping", 200, id="as clients ask for priority and fairness"),
        ("GET", "/readyz/etcd", 200),
        pytest.param("GET", "/livez/nothing", 404, id="a check that there is not"),
        pytest.param("OPTIONS", "*", 404, id="no path at all"),
    ],
)
def test_health(router: Router, method: str, path: str, code: int) -> None:
    answer = router.answer(Request(method, path, {}))
    assert answer.code == code
    assert answer.code != 200 or answer.body == "ok"


def test_validation_is_left_to_the_server(router: Router) -> None:
    paths = get(router, "/openapi/v3")["paths"]
    document = get(router, paths["api/v1"]["serverRelativeURL"])
    patch = document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]


def test_the_fields_of_a_custom_resource_are_reported(router: Router) -> None:
    document = get(router, "/openapi/v3/apis/hourglass.eigenlayer.io/v1alpha1")
    schema = document["components"]["schemas"]["io.eigenlayer.hourglass.v1alpha1.Performer"]
    (version,) = generate()["spec"]["versions"]
    own = version["schema"]["openAPIV3Schema"]["properties"]
    assert schema["properties"].keys() == own.keys() | {"apiVersion", "kind", "metadata"}
    spec = schema["properties"]["spec"]["properties"]
    assert spec.keys() == own["spec"]["properties"].keys()
    (kind,) = schema["x-kubernetes-group-version-kind"]
    assert kind["kind"] == "Performer"


@pytest.mark.parametrize("path", ["/metrics", "/apis/apps/v1/things", "/apis/x.y", "/api/v2"])
def test_what_is_not_served_is_not_found(router: Router, path: str) -> None:
    assert router.answer(Request("GET", path)).code == 404


def test_an_object_from_its_creation_to_its_deletion(router: Router) -> None:
    one = f"{PERFORMERS}/ml"
    assert router.answer(Request("POST", PERFORMERS, body=ml())).code == 201
    assert get(router, one)["status"] == {"phase": "Pending", "observedGeneration": 0}
    patch = Request("PATCH", one, body={"spec": {"version": "v2"}}, content_type=MERGE)
    assert router.answer(patch).body["spec"]["version"] == "v2"
    running = {"status": {"phase": "Running"}}
    status = Request("PATCH", f"{one}/status", body=running, content_type=MERGE)
    assert router.answer(status).body["status"]["phase"] == "Running"
    stale = {**ml(), "metadata": {"name": "ml", "resourceVersion": "1"}}
    assert router.answer(Request("PUT", one, body=stale)).code == 409
    assert router.answer(Request("DELETE", one)).code == 200
    assert router.answer(Request("GET", one)).code == 404


def test_a_table_has_the_columns_of_the_definition(router: Router) -> None:
    router.answer(Request("POST", PERFORMERS, body=ml()))
    table = get(router, PERFORMERS, TABLE)
    names = [column["name"] for column in table["columnDefinitions"]]
    assert names[:3] == ["Name", "Phase", "Ready"]
    assert table["rows"][0]["cells"][:2] == ["ml", "Pending"]
    assert table["rows"][0]["object"]["metadata"]["name"] == "ml"
    assert {c["name"] for c in table["columnDefinitions"] if c["priority"]} >= {"Endpoint", "Node"}


def test_tables_of_built_in_kinds(router: Router, cluster: Cluster) -> None:
    cluster.add_node("n1")
    cluster.run_until(90.0)
    rows = get(router, "/api/v1/nodes", TABLE)["rows"]
    assert rows[0]["cells"][:5] == ["n1", "Ready", "<none>", "90s", "v1.34.4"]
    body = {"spec": {"unschedulable": True}}
    router.answer(Request("PATCH", "/api/v1/nodes/n1", body=body, content_type=MERGE))
    rows = get(router, "/api/v1/nodes", TABLE)["rows"]
    assert rows[0]["cells"][1] == "Ready,SchedulingDisabled"


def test_names_only(router: Router) -> None:
    router.answer(Request("POST", PERFORMERS, body=ml()))
    listed = get(router, PERFORMERS, NAMES)
    assert listed["kind"] == "PartialObjectMetadataList"
    assert list(listed["items"][0]) == ["kind", "apiVersion", "metadata"]


def test_a_permission_that_was_taken_is_refused_in_the_words_of_rbac(router: Router) -> None:
    router.denials.denied.add(("bob", "list", "performers"))
    everywhere = "/apis/hourglass.eigenlayer.io/v1alpha1/performers"
    for path, where in ((everywhere, "at the cluster scope"), (PERFORMERS, "in the namespace")):
        answer = router.answer(Request("GET", path, user="bob"))
        assert answer.code == 403
        assert answer.body["message"].startswith(
            'performers.hourglass.eigenlayer.io is forbidden: User "bob" cannot list resource'
            f' "performers" in API group "hourglass.eigenlayer.io" {where}'
        )
    assert router.answer(Request("GET", PERFORMERS, user="alice")).code == 200


@pytest.mark.parametrize(("user", "allowed"), [("bob", False), ("alice", True)])
def test_who_may_is_answered_to_who_asks(router: Router, user: str, allowed: bool) -> None:
    router.denials.denied.add(("bob", "patch", "performers/status"))
    asked = {"verb": "patch", "resource": "performers", "subresource": "status"}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    body = {"spec": {"resourceAttributes": asked}}
    assert router.answer(Request("POST", path, body=body, user=user)).body["status"] == {
        "allowed": allowed
    }


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", f"{PERFORMERS}/ml", 405),
        ("DELETE", "/apis/hourglass.eigenlayer.io/v1alpha1/performers", 405),
        ("POST", PERFORMERS, 400),
        ("GET", "/api/v1/namespaces/default/pods/nope/log", 404),
        ("GET", "/api/v1/namespaces/default/pods/nope/exec", 404),
    ],
)
def test_what_cannot_be_done_is_refused(router: Router, method: str, path: str, code: int) -> None:
    assert router.answer(Request(method, path)).code == code


def test_a_list_in_parts_as_objects_metadata_and_table(router: Router) -> None:
    for name in ("a", "b", "c"):
        body = ml()
        body["metadata"]["name"] = name
        assert router.answer(Request("POST", PERFORMERS, body=body)).code == 201
    for accept, rows in (("", "items"), (NAMES, "items"), (TABLE, "rows")):
        first = get(router, PERFORMERS, accept, limit="2")
        assert (len(first[rows]), first["metadata"]["remainingItemCount"]) == (2, 1)
        last = get(router, PERFORMERS, accept, **{"continue": first["metadata"]["continue"]})
        assert (len(last[rows]), last["metadata"].get("continue", "")) == (1, "")
        selected = get(router, PERFORMERS, accept, limit="2", labelSelector="a!=b")
        assert "remainingItemCount" not in selected["metadata"]


def test_a_limit_that_is_not_a_number(router: Router) -> None:
    assert router.answer(Request("GET", PERFORMERS, {"limit": "many"})).code == 400


def test_a_list_as_it_was(router: Router, cluster: Cluster) -> None:
    router.answer(Request("POST", CONFIG_MAPS, body={"metadata": {"name": "a"}}))
    then = cluster.api.resource_version
    router.answer(Request("DELETE", f"{CONFIG_MAPS}/a"))
    router.answer(Request("POST", CONFIG_MAPS, body={"metadata": {"name": "b"}}))
    asked = {"resourceVersion": then, "resourceVersionMatch": "Exact"}
    listed = get(router, CONFIG_MAPS, **asked)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["a"]
    assert listed["metadata"]["resourceVersion"] == then
    cluster.api.compact("configmaps")
    assert router.answer(Request("GET", CONFIG_MAPS, asked)).code == 410
    late = router.answer(Request("GET", CONFIG_MAPS, {"resourceVersion": "99999999"}))
    current = cluster.api.resource_version
    assert (late.code, late.body["message"]) == (
        504,
        f"Timeout: Too large resource version: 99999999, current: {current}",
    )


def test_all_resources_in_one_document(router: Router) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    answer = router.answer(Request("GET", "/apis", accept=accept))
    assert answer.content_type == accept.partition(",")[0]
    groups = {item["metadata"]["name"]: item for item in answer.body["items"]}
    assert {"apps", "hourglass.eigenlayer.io"} < groups.keys()
    (version,) = groups["hourglass.eigenlayer.io"]["versions"]
    assert version["resources"][0]["subresources"][0]["subresource"] == "status"


NOT_SIMULATED = ["nodes/lonely/proxy", "namespaces/default/services/a/proxy"]


@pytest.mark.parametrize("path", NOT_SIMULATED)
def test_what_is_not_simulated_says_so(router: Router, path: str) -> None:
    for kind, body in (
        ("nodes", {"metadata": {"name": "lonely"}}),
        ("namespaces/default/services", {"metadata": {"name": "a"}, "spec": {"clusterIP": "None"}}),
    ):
        assert router.answer(Request("POST", f"/api/v1/{kind}", body=body)).code == 201
    answer = router.answer(Request("GET", f"/api/v1/{path}"))
    assert (answer.code, answer.body["reason"]) == (501, "NotImplemented")


def stored(router: Router) -> list[Any]:
    lists = [get(router, path)["items"] for path in (PERFORMERS, PODS, CONFIG_MAPS)]
    return [*lists, get(router, "/api/v1/nodes")["items"]]


ONE = f"{PERFORMERS}/ml"
THERE, NEW = ({"metadata": {"name": name}} for name in ("there", "new"))
DRY_RUNS = [
    ("a create", Request("POST", CONFIG_MAPS, DRY, NEW), 201),
    (
        "an update",
        Request("PUT", f"{CONFIG_MAPS}/there", DRY, {"metadata": {"name": "there"}}),
        200,
    ),
    ("a patch", Request("PATCH", ONE, DRY, {"spec": {"image": "dry:v9"}}, content_type=MERGE), 200),
    (
        "a patch of the status",
        Request("PATCH", f"{ONE}/status", DRY, {"status": {}}, content_type=MERGE),
        200,
    ),
    ("a deletion by its query", Request("DELETE", ONE, DRY), 200),
    ("a deletion by its body", Request("DELETE", ONE, body={"dryRun": ["All"]}), 200),
    (
        "a create that is refused",
        Request("POST", PERFORMERS, DRY, {"kind": "Performer", "metadata": {"name": "x"}}),
        422,
    ),
    (
        "a resource definition",
        Request("DELETE", f"{DEFINITIONS}/performers.hourglass.eigenlayer.io", DRY),
        200,
    ),
]


@pytest.mark.parametrize(
    ("request_", "code"), [run[1:] for run in DRY_RUNS], ids=[run[0] for run in DRY_RUNS]
)
def test_a_dry_run_is_answered_and_stores_nothing(
    router: Router, request_: Request, code: int
) -> None:
    router.answer(Request("POST", PERFORMERS, body=ml()))
    router.answer(Request("POST", CONFIG_MAPS, body=THERE))
    before = stored(router)
    assert router.answer(request_).code == code
    assert stored(router) == before
    # The next call counts again.
    assert router.answer(Request("DELETE", ONE)).code == 200


STRICT = {"fieldValidation": "Strict"}
MISSPELT = {"spec": {"hardwareRequirements": {"gputype": "nvidia-a100"}}}
UNKNOWN = ' unknown field "spec.hardwareRequirements.gputype"'


@pytest.mark.parametrize(
    ("method", "path"), [("POST", PERFORMERS), ("PUT", ONE), ("PATCH", ONE)], ids=str.lower
)
def test_with_strict_validation_a_misspelt_field_is_refused(
    router: Router, method: str, path: str
) -> None:
    router.answer(Request("POST", PERFORMERS, body=ml()))
    body = {**ml(), "spec": {**ml()["spec"], **MISSPELT["spec"]}}
    content_type = MERGE if method == "PATCH" else ""
    answer = router.answer(Request(method, path, STRICT, body, content_type=content_type))
    assert answer.code == (422 if method == "PATCH" else 400)
    assert answer.body["message"].endswith(UNKNOWN)
    if method == "PATCH":
        lenient = router.answer(Request(method, path, body=MISSPELT, content_type=MERGE))
        assert (lenient.code, lenient.warnings) == (200, [UNKNOWN.removeprefix(" ")])


@pytest.mark.parametrize("base", ["/api/v1", "/apis/events.k8s.io/v1"])
def test_a_watch_of_events_sends_rows_with_every_column(router: Router, base: str) -> None:
    sent: list[JSON] = []
    request = Request("GET", f"{base}/events", query={"watch": "1"}, accept=TABLE)
    resource = router.watched(request)
    assert resource is not None
    watching, _ = router.watch(
        request,
        resource,
        lambda event: sent.append(router.event_object(resource, event, watching.media)),
    )
    about = {"kind": "Pod", "namespace": "default", "name": "web"}
    event = {"metadata": {"name": "e"}, "involvedObject": about, "reason": "Started", "type": "N"}
    path = "/api/v1/namespaces/default/events"
    assert router.answer(Request("POST", path, body=event)).code == 201
    columns = [column["name"] for column in sent[0]["columnDefinitions"]]
    cells = dict(zip(columns, sent[0]["rows"][0]["cells"], strict=True))
    assert (cells["Reason"], cells["Object"], cells["Name"]) == ("Started", "pod/web", "e")


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("regarding.name=x", ["one"]),
        ("regarding.name!=x,type=Normal", []),
        ("reportingController=,reason=a\\,b", ["one"]),
        ("involvedObject.name=x", "field label not supported: involvedObject.name"),
    ],
)
def test_events_of_the_new_group_are_selected_by_its_fields(
    router: Router, cluster: Cluster, selector: str, found: Any
) -> None:
    about = {"kind": "Pod", "name": "x", "namespace": "default"}
    event = {"metadata": {"name": "one"}, "involvedObject": about, "reason": "a,b"}
    cluster.api.create("events", event, namespace="default")
    query = {"fieldSelector": selector}
    answer = router.answer(Request("GET", "/apis/events.k8s.io/v1/events", query)).body
    names = [each["metadata"]["name"] for each in answer.get("items", ())]
    assert answer.get("message", names) == found
