"""Record what a real API server answers to the objects of tests/goldens/validation/*.yaml.

    kubectl apply --server-side -f crds && kubectl create namespace validation
    KUBECONFIG=... python tests/goldens/record_validation.py

`refused.yaml` and `accepted.yaml` are written by hand: each case is a merge patch (RFC 7386) on the
document's minimal Performer. `refused.golden.json` and `accepted.golden.json` are the answers.
The server walks maps in random order, so the causes of one refusal are sorted.
"""

import json
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from kubernetes import client, config
from ruamel.yaml import YAML

HERE = Path(__file__).parent / "validation"
CRD = Path(__file__).parents[2] / "crds/performers.hourglass.eigenlayer.io.yaml"
NAMESPACE = "validation"
RESOURCE = ("hourglass.eigenlayer.io", "v1alpha1", NAMESPACE, "performers")
MINIMAL: dict[str, Any] = {
    "apiVersion": "hourglass.eigenlayer.io/v1alpha1",
    "kind": "Performer",
    "metadata": {"name": "minimal-performer", "namespace": NAMESPACE},
    "spec": {
        "avsAddress": "0x1234567890abcdef1234567890abcdef12345678",
        "image": "myavs/performer:latest",
    },
}


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
    """The real API server; the namespace is emptied after every case."""

    def __init__(self) -> None:
        config.load_kube_config()
        self._objects = client.CustomObjectsApi()

    def answer(self, case: dict[str, Any]) -> dict[str, Any]:
        """The object as read back, or the Status that refuses it."""
        new, created = objects(case)
        strictness = "Strict" if case.get("strict") else "Ignore"
        try:
            if created is not None:
                stored = self._create(created, "Strict")
                new["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"]
                replace = (
                    self._objects.replace_namespaced_custom_object_status
                    if case["on"] == "status"
                    else self._objects.replace_namespaced_custom_object
                )
                replace(*RESOURCE, MINIMAL["metadata"]["name"], new, field_validation=strictness)
            else:
                self._create(new, strictness)
            name = new["metadata"]["name"]
            return readable(self._objects.get_namespaced_custom_object(*RESOURCE, name))
        except client.ApiException as error:
            return comparable(json.loads(error.body))
        finally:
            self._objects.delete_collection_namespaced_custom_object(*RESOURCE)

    def _create(self, obj: dict[str, Any], strictness: str) -> dict[str, Any]:
        created: dict[str, Any] = self._objects.create_namespaced_custom_object(
            *RESOURCE, obj, field_validation=strictness
        )
        return created


def main() -> None:
    """Write both goldens."""
    server = Server()
    for name in ("refused", "accepted"):
        answers = {}
        for case_id, case in load(name).items():
            answers[case_id] = answer = server.answer(case)
            if ("code" in answer) != (name == "refused"):
                sys.stderr.write(f"not {name}: {case_id}: {answer}\n")
        text = json.dumps(answers, indent=1, sort_keys=True, ensure_ascii=False)
        (HERE / f"{name}.golden.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
