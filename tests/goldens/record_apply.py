"""Record what a real API server answers to server-side apply and to patches, with managedFields.

    PYTHONPATH=tests python -m goldens.record_apply KUBE_APISERVER [CASE...]

The requests are in apply/sequences.yaml, and for each kind of kinds/objects.yaml there is one more
case. Times and what else differs between two runs are masked; the entries of managedFields stay
in the order in which they were sent, so a case that no WAIT divides is played within one second.
"""

import json
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from ruamel.yaml import YAML

from goldens import newer, record_kinds
from goldens.record_kinds import JSON_TYPE, MERGE, STRATEGIC, Reply, Step, Tokens
from goldens.record_requests import namespace

HERE = Path(__file__).parent / "apply"
GOLDEN = HERE / "answers.golden.json"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CONFLICT = "FieldManagerConflict"
AGENT, WAIT = "AGENT", "WAIT"
WAIT_SECONDS = 1.1
_PATCHES = {
    "APPLY": "application/apply-patch+yaml",
    "JSON": "application/json-patch+json",
    "MERGE": MERGE,
    "STRATEGIC": STRATEGIC,
}
_PATHS = {
    "budgets": "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets",
    "cm": "/api/v1/namespaces/{ns}/configmaps",
    "dep": "/apis/apps/v1/namespaces/{ns}/deployments",
    "events": "/api/v1/namespaces/{ns}/events",
    "hpa1": "/apis/autoscaling/v1/namespaces/{ns}/horizontalpodautoscalers",
    "hpa2": "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers",
    "jobs": "/apis/batch/v1/namespaces/{ns}/jobs",
    "newevents": "/apis/events.k8s.io/v1/namespaces/{ns}/events",
    "leases": "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases",
    "pods": "/api/v1/namespaces/{ns}/pods",
    "quotas": "/api/v1/namespaces/{ns}/resourcequotas",
    "roles": "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles",
    "secrets": "/api/v1/namespaces/{ns}/secrets",
    "svc": "/api/v1/namespaces/{ns}/services",
    "things": "/apis/apply.example.com/v1/namespaces/{ns}/things",
}
_ATTEMPTS = 20
_LEFT_OUT = ("apiservices", "controllerrevisions", "flowschemas", "prioritylevelconfigurations")
"""Their status is written by the API server itself, at any time, or they cannot be changed."""
_OBJECT = re.compile(r'Invalid value: "\{.*\}": ')
_MISFITS = re.compile(r"(?:\n  \.[^\n]*)+")
_LINE = re.compile(r"\n[^\n]*")
_VERSION = re.compile(r'(resourceVersion\\*":\\*")\d+')


class Server(Protocol):
    """A real API server, or the simulated one."""

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str,
        accept: str,
        headers: Mapping[str, list[str]] | None = None,
    ) -> Reply: ...

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class ManagedTokens(Tokens):
    """Those that keep managedFields; the name of the namespace is a token as well."""

    left_out = ("columnDefinitions",)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def replace(self, value: Any, field: str = "") -> Any:
        """The value with tokens."""
        if isinstance(value, list) and field == "causes":
            value = _in_order(value)
        if isinstance(value, dict):
            value = {key.replace(self._name, "<ns>"): each for key, each in value.items()}
        found = super().replace(value, field)
        if not isinstance(found, str):
            return found
        # The order of the fields of an object that is quoted in a message is that of Go's type.
        found = _OBJECT.sub("Invalid value: <object>: ", found)
        # So is that of the fields that do not fit the schema.
        found = _MISFITS.sub(lambda some: "".join(sorted(_LINE.findall(some.group()))), found)
        return _VERSION.sub(r"\1<version>", found.replace(self._name, "<ns>"))


def _in_order(causes: list[dict[str, str]]) -> list[dict[str, str]]:
    """The conflicts with several managers, which come in no order."""
    if any(each["reason"] != CONFLICT for each in causes):
        return causes
    return sorted(causes, key=lambda cause: (cause["message"], cause["field"]))


def definitions() -> list[dict[str, Any]]:
    """The CustomResourceDefinitions that the cases use."""
    found: list[dict[str, Any]] = YAML(typ="safe").load(HERE / "definitions.yaml")
    return found


def load() -> dict[str, list[Any]]:
    """The requests of each case, as they are written."""
    cases: dict[str, list[Any]] = YAML(typ="safe").load(HERE / "sequences.yaml")
    for path, obj in record_kinds.load().items():
        if path.rpartition("/")[2] in _LEFT_OUT:
            continue
        cases[f"managers of {path.rpartition('/')[2]}"] = _of_kind(path, obj)
    return cases


def _of_kind(path: str, obj: Any) -> list[Any]:
    """An object of a kind is created by one manager, changed by a second, applied by a third."""
    path = path.replace(f"/{record_kinds.NAMESPACE}/", "/{ns}/")
    text = json.dumps(obj).replace(record_kinds.NAMESPACE, "{ns}")
    obj = json.loads(text)
    meta = {"name": "one", **obj.get("metadata", {})}
    one = f"{path}/{meta['name']}"
    own = {key: value for key, value in meta.items() if key in ("name", "namespace")}
    labelled = {**obj, "metadata": {**own, "labels": {"applied": "yes"}}}
    return [
        {f"POST {path}?fieldManager=one": {**obj, "metadata": meta}},
        {f"MERGE {one}?fieldManager=two": {"metadata": {"labels": {"changed": "yes"}}}},
        {f"APPLY {one}?fieldManager=three": labelled},
        {f"APPLY {one}?fieldManager=three&force=true": labelled},
        {f"DELETE {one}": None},
    ]


def step(written: Any, name: str) -> Step:
    """A request as it is written."""
    text = json.dumps(written)
    for short, path in _PATHS.items():
        text = text.replace(f"{{{short}}}", path)
    [(line, body)] = json.loads(text.replace("{ns}", name)).items()
    method, _, rest = line.partition(" ")
    if method in (AGENT, WAIT):
        return Step(method, rest.strip('"'))
    path, *content_type = rest.split()
    if method in _PATCHES:
        return Step("PATCH", path, body, _PATCHES[method])
    return Step(method, path, body, *content_type or [JSON_TYPE])


def play(server: Server, written: list[Any], name: str) -> list[dict[str, Any]]:
    """The answers to the requests of a case, in a namespace of its own."""
    made = {"metadata": {"name": name}}
    server.call("POST", "/api/v1/namespaces", made, content_type=JSON_TYPE, accept=JSON_TYPE)
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    default = {"metadata": {"name": "default"}}
    server.call("POST", accounts, default, content_type=JSON_TYPE, accept=JSON_TYPE)
    tokens, agent, answers = ManagedTokens(name), "recorder", []
    for each in (step(each, name) for each in written):
        if each.method == WAIT:
            server.wait(WAIT_SECONDS)
        elif each.method == AGENT:
            agent = each.path
        else:
            reply = server.call(
                each.method,
                each.path,
                each.body,
                content_type=each.content_type,
                accept=each.accept,
                headers={"User-Agent": [agent]},
            )
            warnings = [tokens.replace(text) for text in reply.headers.get("warning", [])]
            body = tokens.replace(reply.body)
            answers.append({"code": reply.code, "warnings": warnings, "body": body})
    return answers


def _recorded(server: Server, case: str, written: list[Any]) -> list[dict[str, Any]]:
    """The answers of an attempt that was short enough."""
    waits = [WAIT in each for each in written]
    for attempt in range(_ATTEMPTS):
        time.sleep(1 - time.time() % 1)
        began = int(time.time())
        answers = play(server, written, f"{namespace(case)}-{attempt}")
        if any(waits) or int(time.time()) == began:
            return answers
        sys.stderr.write(f"once more: {case}\n")
    raise TimeoutError(f"takes more than a second: {case}")


def main() -> None:
    """Write the golden, or only some of its cases anew."""
    from goldens.bare_apiserver import bare_apiserver

    cases, wanted = load(), sys.argv[2:]
    found = {}
    with bare_apiserver(Path(sys.argv[1])) as server:
        version = newer.version_of(server)
        old = newer.whole(GOLDEN, version) if wanted else {}
        for crd in definitions():
            assert server.call("POST", DEFINITIONS, crd).code == 201
            served = crd["spec"]["versions"][0]["name"]
            path = f"/apis/{crd['spec']['group']}/{served}/{crd['spec']['names']['plural']}"
            while server.call("GET", path).code != 200:
                time.sleep(0.1)
        time.sleep(5)  # The schema of a new definition is served a little later.
        for case, written in cases.items():
            is_kept = wanted and case not in wanted
            found[case] = old[case] if is_kept else _recorded(server, case, written)
    lines = [
        f"{json.dumps(case)}: [\n" + ",\n".join(json.dumps(a) for a in answers) + "\n]"
        for case, answers in found.items()
    ]
    newer.save(GOLDEN, version, found, "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
