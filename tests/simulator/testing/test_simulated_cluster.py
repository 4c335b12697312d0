"""A simulated cluster as tests of operators use it."""

from pathlib import Path
from typing import Any

import pytest

from hourglass_simulator.faults import REGISTRY, FaultNotPossibleError
from hourglass_simulator.testing import APIError, SimulatedCluster, options

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
        },
    },
}
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "one"},
    "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
}
WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wg]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
WIDGET = """
apiVersion: example.com/v1
kind: Widget
metadata: {name: one}
spec: {size: 1}
"""


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster()


def test_what_is_applied_runs_and_goes(cluster: SimulatedCluster) -> None:
    cluster.apply(DEPLOYMENT)
    found = cluster.assert_condition("deployments", "web", "Available")
    assert found["status"]["readyReplicas"] == 2
    cluster.delete("deploy", "web")
    cluster.assert_gone("Deployment", "web")
    cluster.wait_until(lambda: not cluster.list("Pod"))


@pytest.mark.parametrize("kind", ["Widget", "widgets", "widget", "wg", "widgets.example.com"])
def test_a_kind_is_named_as_for_kubectl(cluster: SimulatedCluster, kind: str) -> None:
    cluster.apply(WIDGETS + "---" + WIDGET)
    assert cluster.get(kind, "one")["spec"] == {"size": 1}


def test_an_unknown_kind_is_refused_at_once(cluster: SimulatedCluster) -> None:
    with pytest.raises(APIError, match='resource type "gadget"'):
        cluster.assert_gone("gadget", "one")


def test_what_is_returned_may_be_changed(cluster: SimulatedCluster) -> None:
    cluster.apply(WIDGETS + "---" + WIDGET)
    found = cluster.get("Widget", "one")
    found["spec"]["size"] = 2
    assert cluster.get("Widget", "one")["spec"] == {"size": 1}
    assert cluster.update(found)["spec"] == {"size": 2}
    with pytest.raises(APIError, match="the object has been modified"):
        cluster.update(found)


def test_a_strange_field_is_refused_as_by_a_real_server(cluster: SimulatedCluster) -> None:
    wrong = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replicsa": 2}}
    with pytest.raises(
        APIError, match=r"\.spec\.replicsa: field not declared in schema"
    ) as refused:
        cluster.apply(wrong)
    assert refused.value.code == 500


def test_permissions_are_those_of_a_service_account() -> None:
    cluster = SimulatedCluster(options({"rbac": True, "kubernetes": "1.34"}))
    operator = cluster.as_user("system:serviceaccount:default:operator")
    with pytest.raises(APIError, match='cannot list resource "pods" in API group ""') as refused:
        operator.list("Pod")
    assert refused.value.code == 403


def test_time_passes_only_when_the_test_says_so(cluster: SimulatedCluster) -> None:
    before, started = cluster.now, cluster.time
    cluster.advance("1h30m")
    assert cluster.now - before == 5400
    assert (cluster.time - started).total_seconds() == 5400
    cluster.advance(0.5)
    assert cluster.now - before == 5400.5


def test_a_wait_ends_when_its_condition_holds(cluster: SimulatedCluster) -> None:
    cluster.apply(POD)
    start = cluster.now
    assert cluster.wait_until(lambda: cluster.get("Pod", "one")["status"]["podIP"])
    assert cluster.now - start < 5


def test_a_wait_in_vain_shows_why(cluster: SimulatedCluster) -> None:
    cluster.inject("image-missing", image="nginx:*")
    cluster.apply(DEPLOYMENT)
    operator = cluster.as_user("operator")
    operator.patch("Deployment", "web", {"spec": {"minReadySeconds": 1}})
    with pytest.raises(APIError):
        operator.patch("Deployment", "web", {"spec": {"replicas": -1}})
    start = cluster.now
    with pytest.raises(AssertionError) as failed:
        cluster.assert_condition("Deployment", "web", "Available", within="2m")
    assert cluster.now - start == 120
    text = str(failed.value)
    assert text.startswith(
        "Deployment web does not become Available=True within 2m of the cluster's time\n\n"
        "Deployment default/web:\n"
        "  generation: 2, observed: 2\n"
        "  Available=False (MinimumReplicasUnavailable: Deployment does not have minimum"
        " availability.)\n"
    )
    assert "Warning Failed: Error: ImagePullBackOff" in text
    assert "Deployment default/web  operator: patch deployments → 422" in cluster.happened()
    assert "operator: patch deployments default/web\n" in text


def test_what_is_not_there_is_said_so(cluster: SimulatedCluster) -> None:
    with pytest.raises(AssertionError) as failed:
        cluster.assert_condition("Deployment", "web", "Available", within="1s")
    first, second = str(failed.value).split("\n\n")[:2]
    assert first.endswith('APIError: deployments.apps "web" not found')
    assert second == "Deployment default/web: there is none"


def test_what_does_not_go_shows_what_holds_it(cluster: SimulatedCluster) -> None:
    cluster.apply({**POD, "metadata": {"name": "one", "finalizers": ["example.com/mine"]}})
    cluster.delete("Pod", "one")
    with pytest.raises(AssertionError, match=r"finalizers: example\.com/mine"):
        cluster.assert_gone("Pod", "one", within="1m")


def test_a_client_that_goes_on_writing_does_not_settle(cluster: SimulatedCluster) -> None:
    cluster.apply(WIDGETS + "---" + WIDGET)
    cluster.assert_settles()
    operator, clock = cluster.as_user("operator"), cluster._cluster.clock

    def write() -> None:
        operator.patch("Widget", "one", {"spec": {"size": int(cluster.now)}})
        clock.after(20, write)

    write()
    with pytest.raises(AssertionError) as failed:
        cluster.assert_settles(within="5m")
    assert "operator  patch  widgets                    200     16" in str(failed.value)
    assert len(cluster.writes.by("operator").of("widgets", "one", verb="patch")) == 16


def test_the_timeline_says_what_became_of_an_object_of_ones_own(cluster: SimulatedCluster) -> None:
    cluster.apply(WIDGETS)
    cluster.apply(WIDGET)
    operator = cluster.as_user("operator")
    ready = {"type": "Ready", "status": "False", "reason": "NoPods", "message": "0 of 1"}
    operator.patch("wg", "one", {"status": {"conditions": [ready]}}, subresource="status")
    cluster.patch("wg", "one", {"spec": {"size": 2}})
    cluster.delete("wg", "one")
    assert [entry.text for entry in cluster.timeline if entry.kind == "Widget"] == [
        "created (by test)",
        "Ready=False (NoPods: 0 of 1) (by operator)",
        "spec.size: 1 → 2 (by test)",
        "deleted (by test)",
    ]


def test_a_definition_that_is_made_anew_is_recorded_anew(cluster: SimulatedCluster) -> None:
    for _ in range(2):
        cluster.apply(WIDGETS)
        cluster.apply(WIDGET)
        cluster.delete("CustomResourceDefinition", "widgets.example.com")
        cluster.assert_gone("CustomResourceDefinition", "widgets.example.com")
    texts = [entry.text for entry in cluster.timeline if entry.kind == "Widget"]
    assert texts.count("created (by test)") == 2


def test_a_dry_run_writes_nothing(cluster: SimulatedCluster) -> None:
    cluster._request("POST", "/api/v1/namespaces/default/pods", {"dryRun": "All"}, POD)
    assert not cluster.writes


REFUSED = {
    "duplicate-events",
    "events-missed",
    "go-operator",
    "late-events",
    "operator-clock",
    "operator-crash",
    "operator-suspended",
    "stale-cache",
    "two-leaders",
    # Only a served cluster has connections that can be lost.
    "watch-dropped",
    "watch-expired",
}
GIVEN: dict[str, dict[str, Any]] = {
    "container-exits": {"pod": "one"},
    "label-gone": {"node": "gpu-1", "label": "kubernetes.io/os"},
    "pod-evicted": {"pod": "one"},
    "pods-deleted": {"pod": "one"},
    "pods-edited": {"pod": "one", "merge": {"metadata": {"labels": {"app": "one"}}}},
    "watch-dropped": {},
}
"""Where the example of the documentation is about Performers."""


@pytest.mark.parametrize("fault", REGISTRY)
def test_a_fault_begins_and_ends_or_is_refused(fault: str) -> None:
    drivers = {"gpu.example.com": [{"name": "gpu-0"}]}
    nodes = [{"name": "gpu-1", "devices": {"nvidia.com/gpu": 4}, "drivers": drivers}]
    pools = [{"name": "gpu", "max": 1, "taints": ["gpu:NoSchedule"], "karpenter": {}}]
    cluster = SimulatedCluster(options({"nodes": nodes, "nodePools": pools}))
    cluster.apply(POD)
    cluster.assert_condition("Pod", "one")
    given = GIVEN.get(fault, REGISTRY[fault].example)
    if fault in REFUSED:
        with pytest.raises(FaultNotPossibleError, match=f"^{fault}: "):
            cluster.inject(fault, **given)
        return
    cluster.inject(fault, **given)
    cluster.advance("1m")
    cluster.heal(fault)
    cluster.advance("5m")
    cluster.apply({**POD, "metadata": {"name": "two"}})
    cluster.assert_condition("Pod", "two")


def test_a_fault_of_the_api_strikes_the_operator_alone(cluster: SimulatedCluster) -> None:
    cluster.apply(WIDGETS + "---" + WIDGET)
    cluster.inject("api-conflict", resource="widgets")
    cluster.patch("Widget", "one", {"spec": {"size": 2}})
    with pytest.raises(APIError) as refused:
        cluster.as_user("operator").patch("Widget", "one", {"spec": {"size": 3}})
    assert refused.value.code == 409


@pytest.mark.parametrize(
    ("fault", "given", "said"),
    [
        ("node-lots", {}, "node-lots: unknown fault; expected one of .* did you mean node-lost"),
        ("node-lost", {}, "node-lost.node: required, but missing"),
        ("node-lost", {"nod": "a"}, "node-lost.nod: unknown key; expected one of node"),
        ("api-error", {"resource": "wigdets"}, 'api-error.resource: "wigdets" is not one of '),
    ],
    ids=["no such fault", "a parameter too few", "a parameter too many", "no such resource"],
)
def test_a_mistake_in_a_fault_is_named(
    cluster: SimulatedCluster, fault: str, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        cluster.inject(fault, **given)


def test_only_a_fault_that_was_injected_can_be_healed(cluster: SimulatedCluster) -> None:
    with pytest.raises(ValueError, match=r"^node-lost: nothing to heal$"):
        cluster.heal("node-lost")


def test_a_fault_of_what_is_not_there_is_refused(cluster: SimulatedCluster) -> None:
    with pytest.raises(FaultNotPossibleError, match=r"^node-lost: there is no node a; there are"):
        cluster.inject("node-lost", node="a")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("kind: Pod", "the text: expected an object with apiVersion, found {'kind': 'Pod'}"),
        ("", "the text holds no object"),
        ({"apiVersion": "v1"}, "the object: expected an object with kind"),
        (Path("/nowhere/pod.yaml"), "/nowhere/pod.yaml"),
    ],
    ids=["without apiVersion", "nothing", "without kind", "no such file"],
)
def test_what_is_no_object_is_refused(cluster: SimulatedCluster, given: Any, said: str) -> None:
    with pytest.raises((ValueError, OSError), match=said):
        cluster.apply(given)
