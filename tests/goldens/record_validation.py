"""Record what a real API server answers to the objects of tests/goldens/validation/*.yaml.

    PYTHONPATH=tests python -m goldens.record_validation KUBE_APISERVER

`refused.yaml` and `accepted.yaml` are written by hand: each case is a merge patch (RFC 7386) on the
document's minimal Performer. `refused.golden.json` and `accepted.golden.json` are the answers.
The server walks maps in random order, so the causes of one refusal are sorted.
"""

import json
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ruamel.yaml import YAML

from goldens import newer
from goldens.bare_apiserver import BareServer, bare_apiserver

HERE = Path(__file__).parent / "validation"
CRD = Path(__file__).parents[2] / "crds/performers.hourglass.eigenlayer.io.yaml"
NAMESPACE = "validation"
PATH = f"/apis/hourglass.eigenlayer.io/v1alpha1/namespaces/{NAMESPACE}/performers"
MINIMAL: dict[str, Any] = {
    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
    "kind": "Performer",
    "metadata": {"name": "minimal-performer", "namespace": NAMESPACE},
    "spec": {
        "avsAddress": "0x1234567890abcdef1234567890abcdef12345678",
        "image": "myavs/performer:latest",
    },
}


def golden(name: str) -> Path:
    """The answers to the cases of a file."""
    return HERE / f"{name}.golden.json"


def load(name: str) -> dict[str, dict[str, Any]]:
    """The cases of a hand-written file by id, repetitions written out."""
    cases: dict[str, dict[str, Any]] = written_out(YAML(typ="safe").load(HERE / f"{name}.yaml"))
    return cases


def written_out(value: Any) -> Any:
    """`{repeat: x, times: n}` becomes n times the text x, or a list or map of n numbered copies."""
    if isinstance(value, dict) and value.keys() == {"repeat", "times"}:
        one, times = value["repeat"], value["times"]
        if isinstance(one, str):
            return one * times
        if isinstance(one, dict) and len(one) == 1 and "{}" in next(iter(one)):
            [(name, text)] = one.items()
            return {name.format(index): text for index in range(times)}
        items = one if isinstance(one, list) else [one]
        return [
            json.loads(json.dumps(items[0]).replace("{}", str(index))) for index in range(times)
        ]
    if isinstance(value, dict):
        return {name: written_out(item) for name, item in value.items()}
    if isinstance(value, list):
        return [written_out(item) for item in value]
    return value


def patched(target: Any, patch: Any) -> Any:
    """RFC 7386, except that `null!` leaves a null behind."""
    if not isinstance(patch, dict):
        return None if patch == "null!" else patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result


def objects(case: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """(what is sent, what was created before or None)."""
    if case.get("on", "create") == "create":
        return patched(MINIMAL, case["patch"]), None
    created = patched(MINIMAL, case.get("created", {}))
    return patched(deepcopy(created), case["patch"]), created


def comparable(status: dict[str, Any]) -> dict[str, Any]:
    """A Status without what differs from run to run."""
    details = status.get("details") or {}
    causes = details.get("causes")
    message = status["message"]
    if causes:
        texts = list(dict.fromkeys(f"{cause['field']}: {cause['message']}" for cause in causes))
        shown = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        if not message.endswith(f" is invalid: {shown}"):
            raise ValueError(f"message is not made of the causes: {message}")
        texts.sort()
        in_order = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        message = message.removesuffix(shown) + in_order
        causes = sorted(causes, key=lambda cause: (cause["field"], cause["message"]))
        details = {**details, "causes": causes}
    picked = {"code": status["code"], "reason": status["reason"], "message": message}
    return picked | ({"details": details} if details else {})


def readable(obj: dict[str, Any]) -> dict[str, Any]:
    """An object without what the server alone writes into its metadata."""
    obj = deepcopy(obj)
    for name in ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"):
        obj["metadata"].pop(name, None)
    return obj


class Server:
    """A real API server; the namespace is emptied after every case."""

    def __init__(self, server: BareServer) -> None:
        self._server = server
        crd = json.loads(json.dumps(YAML(typ="safe").load(CRD)))
        definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        self._done("POST", definitions, crd)
        self._done("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        while server.call("GET", PATH).code != 200:
            server.wait(0.2)

    def answer(self, case: dict[str, Any]) -> dict[str, Any]:
        """The object as read back, or the Status that refuses it."""
        new, created = objects(case)
        mode = "fieldValidation=Strict" if case.get("strict") else "fieldValidation=Ignore"
        name = quote(new["metadata"]["name"])
        try:
            if created is not None:
                stored = self._done("POST", f"{PATH}?fieldValidation=Strict", created)
                new["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"]
                below = "/status" if case["on"] == "status" else ""
                reply = self._server.call("PUT", f"{PATH}/{name}{below}?{mode}", new)
            else:
                reply = self._server.call("POST", f"{PATH}?{mode}", new)
            if reply.code >= 400:
                return comparable(reply.body)
            return readable(self._done("GET", f"{PATH}/{name}"))
        finally:
            self._done("DELETE", PATH)

    def _done(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        reply = self._server.call(method, path, body)
        assert reply.code < 400, reply.body
        found: dict[str, Any] = reply.body
        return found


def main() -> None:
    """Write both goldens."""
    with bare_apiserver(Path(sys.argv[1])) as bare:
        kubernetes = newer.version_of(bare)
        server = Server(bare)
        for name in ("refused", "accepted"):
            answers = {}
            for case_id, case in load(name).items():
                answers[case_id] = answer = server.answer(case)
                if ("code" in answer) != (name == "refused"):
                    sys.stderr.write(f"not {name}: {case_id}: {answer}\n")
            text = json.dumps(answers, indent=1, sort_keys=True, ensure_ascii=False)
            newer.save(golden(name), kubernetes, answers, text + "\n")


if __name__ == "__main__":
    main()
