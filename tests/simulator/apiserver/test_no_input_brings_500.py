"""No input brings 500: whatever comes is answered as what it is, and nothing breaks.

Bounded and the same every time here; `make fuzz` looks for longer.
"""

import json
import os
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulated_wire import RawReply, SimulatedWire

from goldens import record_wire
from hourglass_kube.types import JSON
from hourglass_simulator.kubernetes.version import DEFAULT
from hourglass_simulator.protobuf import envelope

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
FORESEEN = (
    "resourceVersion should not be set on objects to be created",
    "resourceVersion: Invalid value: ",
    '"message":"list element types are not identical: [[',
    '"message":"map: map[',
    '"message":"unknown patch type: ',
    '"message":"expected a []interface {}, but received a ',
    '"message":"target.name: Required value"',
    '"message":"target.kind: Unsupported value: ',
    '"message":"[target.kind: Unsupported value: ',
)
"""Errors 500 that a real API server answers with, word for word."""

NAMES = st.sampled_from(["a", "default", "x" * 300, "A_b", "..", "%00", "a\0b", "\ud7ff", ""])
RESOURCES = st.sampled_from(
    [
        "api/v1/namespaces/default/configmaps",
        "api/v1/namespaces/default/pods",
        "api/v1/namespaces/default/services",
        "api/v1/namespaces/default/secrets",
        "api/v1/namespaces/default/events",
        "api/v1/namespaces/default/serviceaccounts",
        "api/v1/namespaces/default/persistentvolumeclaims",
        "api/v1/namespaces/default/resourcequotas",
        "api/v1/namespaces/default/limitranges",
        "api/v1/namespaces",
        "api/v1/nodes",
        "apis/apps/v1/namespaces/default/deployments",
        "apis/batch/v1/namespaces/default/jobs",
        "apis/coordination.k8s.io/v1/namespaces/default/leases",
        "apis/policy/v1/namespaces/default/poddisruptionbudgets",
        "apis/rbac.authorization.k8s.io/v1/clusterroles",
        "apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        "apis/scheduling.k8s.io/v1/priorityclasses",
        "apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "apis/authorization.k8s.io/v1/subjectaccessreviews",
        "apis/authentication.k8s.io/v1/tokenreviews",
        "apis/example.com/v1/namespaces/default/things",
        "apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        "apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
        "apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
        "apis/resource.k8s.io/v1/deviceclasses",
        "apis/resource.k8s.io/v1/namespaces/default/resourceclaims",
        "apis/resource.k8s.io/v1/resourceslices",
    ]
)
SUBRESOURCES = st.sampled_from(
    ["", "status", "scale", "log", "binding", "eviction", "token", "finalize", "exec", "nope"]
)
PATHS = st.one_of(
    RESOURCES,
    st.builds(lambda r, n, s: f"{r}/{quote(n)}/{s}".rstrip("/"), RESOURCES, NAMES, SUBRESOURCES),
    st.sampled_from(
        ["api", "apis", "api/v1", "apis/apps", "apis/apps/v1", "version", "openapi/v2", "healthz"]
    ),
    st.text(max_size=30).map(quote),
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e308, -1, 0, 1 << 63]),
    st.text(max_size=12),
    st.sampled_from(["", "\0", "a\0b", "1e400", "2026-01-01T00:00:00Z", "100m", "x" * 5000, "../"]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.text(max_size=8), below, max_size=3),
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *(
            "metadata",
            "spec",
            "status",
            "data",
            "kind",
            "apiVersion",
            "name",
            "namespace",
            "labels",
        ),
        *(
            "namespace",
            "annotations",
            "ownerReferences",
            "finalizers",
            "uid",
            "resourceVersion",
            "containers",
        ),
        *("template", "selector", "matchLabels", "resources", "requests", "limits", "ports", "env"),
        *("volumes", "affinity", "tolerations", "rules", "subjects", "hard", "generateName"),
        *("creationTimestamp", "deletionTimestamp", "target", "deleteOptions", "dryRun", "items"),
        *("resourceAttributes", "user", "groups", "preconditions", "gracePeriodSeconds", "names"),
        *("versions", "schema", "openAPIV3Schema", "group", "scope", "op", "path", "value"),
    ]
)
OBJECTS: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.dictionaries(FIELDS, below, max_size=4), st.lists(below, max_size=3)
    ),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        "",
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/json-patch+json",
        "application/apply-patch+yaml",
        "application/cbor",
        "text/plain; charset=\xff",
    ]
)
OPTIONS = st.dictionaries(
    st.sampled_from(
        [
            *("watch", "limit", "continue", "resourceVersion", "resourceVersionMatch", "dryRun"),
            *("labelSelector", "fieldSelector", "timeoutSeconds", "sendInitialEvents", "pretty"),
            *("allowWatchBookmarks", "fieldValidation", "gracePeriodSeconds", "includeObject"),
            *("propagationPolicy", "orphanDependents", "fieldManager", "force", "unknown"),
        ]
    ),
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(["1", "0", "-1", "true", "All", "a=b", "a in (b", "!", "9" * 5000, "٣"]),
        st.sampled_from(["metadata.name=a", "Exact", "NotOlderThan", "Strict", "Orphan", "\0"]),
    ),
    max_size=3,
)
ACCEPTS = st.one_of(
    st.sampled_from(
        [
            *("", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"),
            *("*/*", "application/*;q=0.5", "text/html", ";;;", "a/b/c", "application/json;q=x"),
            "application/json;as=Table;v=v1;g=meta.k8s.io",
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
        ]
    ),
    st.text(max_size=20),
)


def server() -> SimulatedWire:
    made = SimulatedWire()
    definition = json.dumps(record_wire.DEFINITION).encode()
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert made.fetch("POST", path, definition, JSON_TYPE).code == 201
    body = b'{"metadata":{"name":"a"}}'
    assert made.fetch("POST", "/api/v1/namespaces/default/configmaps", body, JSON_TYPE).code == 201
    return made


JSON_TYPE = {"Content-Type": "application/json"}
SERVER = server()


def foreseen(reply: RawReply) -> bool:
    """It is no error of the server, or one that a real server has too."""
    if reply.code < 500 or reply.code in (501, 504):
        return True
    text = reply.body.decode(errors="replace")
    return any(each in text for each in FORESEEN)


def ask(method: str, path: str, query: JSON, body: bytes, headers: JSON) -> None:
    text = "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items())
    reply = SERVER.fetch(method, f"/{path}?{text}", body, headers)
    assert foreseen(reply), (method, path, query, body, headers, reply)


@BOUNDED
@given(METHODS, PATHS, OPTIONS, st.binary(max_size=60), TYPES, ACCEPTS)
def test_any_bytes(
    method: str, path: str, query: JSON, body: bytes, content_type: str, accept: str
) -> None:
    ask(method, path, query, body, {"Content-Type": content_type, "Accept": accept})


@BOUNDED
@given(METHODS, PATHS, OPTIONS, st.one_of(VALUES, OBJECTS), TYPES, ACCEPTS)
def test_any_value(
    method: str, path: str, query: JSON, body: Any, content_type: str, accept: str
) -> None:
    data = json.dumps(body).encode()
    ask(method, path, query, data, {"Content-Type": content_type, "Accept": accept})


def written(path: str) -> JSON:
    """An object that is nearly right, in which one value is replaced."""
    pod = {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {**pod, "restartPolicy": "Never"}}
    meta = {"name": "b", "labels": {"a": "b"}, "ownerReferences": [{"name": "o", "uid": "u"}]}
    found: JSON = {"metadata": meta}
    if "example.com" in path:
        found |= {"apiVersion": "example.com/v1", "kind": "Thing", "n": 1, "spec": {}}
    elif path.endswith("customresourcedefinitions"):
        found = json.loads(json.dumps(record_wire.DEFINITION))
    elif path.endswith(("pods", "deployments", "jobs")):
        spec = {"template": template, "selector": {"matchLabels": {"a": "b"}}}
        found["spec"] = {**pod, "volumes": [{"name": "v"}]} if path.endswith("pods") else spec
    elif path.endswith("services"):
        found["spec"] = {"ports": [{"port": 80}], "selector": {"a": "b"}}
    elif path.endswith("nodes"):
        found |= {"spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}, "status": {}}
    elif path.endswith("flowschemas"):
        rule = {"subjects": [{"kind": "User", "user": {"name": "u"}}], "nonResourceRules": [{}]}
        found["spec"] = {"priorityLevelConfiguration": {"name": "l"}, "rules": [rule]}
    elif path.endswith("prioritylevelconfigurations"):
        response = {"type": "Queue", "queuing": {"queues": 64, "handSize": 8}}
        found["spec"] = {"type": "Limited", "limited": {"limitResponse": response}}
    elif path.endswith("deviceclasses"):
        found["spec"] = {"selectors": [{"cel": {"expression": "true"}}]}
    elif path.endswith("resourceclaims"):
        request = {"name": "r", "exactly": {"deviceClassName": "c"}}
        found["spec"] = {"devices": {"requests": [request], "constraints": [{"requests": ["r"]}]}}
    elif path.endswith("resourceslices"):
        device = {"name": "d", "attributes": {"a": {"int": 1}}, "capacity": {"m": {"value": "1"}}}
        pool = {"name": "p", "resourceSliceCount": 1}
        found["spec"] = {"driver": "d.e", "nodeName": "n", "pool": pool, "devices": [device]}
    elif "reviews" in path:
        found["spec"] = {"resourceAttributes": {"verb": "get"}, "user": "u", "token": "t"}
    else:
        found |= {"spec": {"hard": {"pods": 1}, "limits": [{"type": "Pod"}]}, "data": {"k": "v"}}
    return found


def replaced(obj: Any, places: list[int], value: Any) -> Any:
    """The object with a value in the place that the numbers lead to."""
    if not places or not isinstance(obj, dict | list) or not obj:
        return value
    keys = list(obj) if isinstance(obj, dict) else list(range(len(obj)))
    chosen = keys[places[0] % len(keys)]
    below = replaced(obj[chosen], places[1:], value)
    if isinstance(obj, dict):
        return {**obj, chosen: below}
    return [*obj[:chosen], below, *obj[chosen + 1 :]]


@BOUNDED
@given(
    st.sampled_from(["POST", "PUT", "PATCH"]),
    RESOURCES,
    st.lists(st.integers(0, 9), min_size=1, max_size=6),
    VALUES,
    TYPES,
)
def test_an_object_with_one_wrong_value(
    method: str, path: str, places: list[int], value: Any, content_type: str
) -> None:
    body = json.dumps(replaced(written(path), places, value)).encode()
    where = path if method == "POST" else f"{path}/a"
    patch = "merge-patch+json" if method == "PATCH" and content_type == "" else "json"
    headers = {"Content-Type": content_type or f"application/{patch}"}
    ask(method, where, {"dryRun": "All"}, body, headers)


@BOUNDED
@given(st.data(), st.sampled_from(["POST", "PUT", "DELETE"]))
def test_protobuf_with_wrong_bytes(data: st.DataObject, method: str) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", **written("")}
    good = envelope.encode(DEFAULT, obj)
    at = data.draw(st.integers(0, len(good)))
    inserted = data.draw(st.binary(max_size=6))
    body = good[:at] + inserted + good[at + data.draw(st.integers(0, 6)) :]
    headers = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    path = "api/v1/namespaces/default/configmaps"
    ask(method, path if method == "POST" else f"{path}/a", {"dryRun": "All"}, body, headers)
