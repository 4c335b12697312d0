"""Record what a real kubelet makes of the pods of tests/goldens/kubelet/*.yaml.

    PYTHONPATH=tests:e2e .venv/bin/python -m goldens.record_kubelet [SITUATION…]

starts a cluster with a node on this machine (Linux, root, gcc; see e2e/README.md), of Kubernetes
1.34 or with KUBERNETES=1.37 of that (see `newer`). The situations with devices need two of them,
announced by e2e/native/devices/plugin, and are recorded only when they are asked for:

    printf 'd0 Healthy\\nd1 Healthy\\n' >DIR/devices
    device-plugin /var/lib/kubelet/device-plugins nvidia.com/gpu DIR/devices

evicted.golden.json is the last status of a pod that requested 16Mi of memory, used 60 MiB and ended
with code 0 when the kubelet was restarted with evictionHard {memory.available: "23Gi"} on a node of
24 GiB; it was recorded by hand.

For every situation: the distinct states of the pod's status in their order, each with the seconds
since its creation, the events, and what the API server said of resizes that it refused. A registry
that misbehaves on request answers on port 5055.
"""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kubernetes import client, config, utils, watch
from ruamel.yaml import YAML

from goldens import newer
from hourglass_kube.types import JSON

HERE = Path(__file__).parent / "kubelet"
GOLDEN = HERE / "kubelet.golden.json"
IMAGE = "localhost/performer:1"
HOSTS = ("10.243.0.1", "10.247.0.1")
"""Addresses that the node has had."""
NODE, REAL_NODE = "node-1", "real-node"
"""What goldens call the node, and what it is called on this machine."""
KUBELET_FOLDER = "/var/lib/hourglass-e2e/kubelet"
TAGS = ("kept", "moved", "pulled")
"""Of the image in the registry; the step `push` moves one of them to a new build."""
CONTAINERS = ("containers", "initContainers")
UNLIMITED = {"memory": "9007199254740988Ki"}
"""What a cgroup of the first version says of a pod without a limit; of the second, nothing."""
BASE: JSON = {
    "metadata": {"name": "performer"},
    "spec": {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [
            {"name": "performer", "image": IMAGE, "imagePullPolicy": "IfNotPresent"},
        ],
    },
}


def situations(files: str = "*.yaml") -> dict[str, JSON]:
    """The situations by id."""
    found: dict[str, JSON] = {}
    for file in sorted(HERE.glob(files)):
        found.update(YAML(typ="safe").load(file.read_text()))
    return found


def of_version(kubernetes: str) -> dict[str, JSON]:
    """The situations that a version knows."""
    return {n: s for n, s in situations().items() if s.get("since", kubernetes) == kubernetes}


def pod_of(situation: JSON) -> JSON:
    """The pod of a situation, what its containers do as arguments."""
    patch = json.loads(json.dumps(situation.get("pod") or {}))
    spec = {**BASE["spec"], **(patch.get("spec") or {})}
    for kind in CONTAINERS:
        if kind in spec:
            spec[kind] = [_container(situation, one) for one in spec[kind]]
    return {**BASE, "spec": spec}


def _container(situation: JSON, given: JSON) -> JSON:
    container = {**BASE["spec"]["containers"][0], **given}
    if behaviour := behaviour_of(situation, container["name"]):
        container["args"] = [str(word) for pair in behaviour.items() for word in pair]
    return container


def behaviour_of(situation: JSON, container: str) -> JSON:
    """What a container of a situation does: the options of performer.c."""
    if container == BASE["spec"]["containers"][0]["name"]:
        return situation.get("behaviour") or {}
    found: JSON = (situation.get("behaviours") or {}).get(container) or {}
    return found


def normalised(status: JSON, uid: str, images: dict[str, str]) -> JSON:
    """A status without what differs from run to run: times, ids, addresses.

    `images`: what the ids of images are called, kept from status to status.
    """
    ids: dict[str, str] = {}

    def replace(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: replace(v, k) for k, v in value.items() if v not in (None, UNLIMITED)}
        if isinstance(value, list):
            return [replace(item) for item in value]
        if not isinstance(value, str):
            return value
        if key in ("lastTransitionTime", "lastProbeTime", "startTime", "startedAt", "finishedAt"):
            return "{time}"
        if key == "containerID" and value:
            return ids.setdefault(value, f"{{container {len(ids) + 1}}}")
        if key == "imageID" and value:
            number = f" {len(images) + 1}" if images else ""
            return images.setdefault(value, f"{{image id{number}}}")
        if key in ("ip", "podIP", "hostIP"):
            return f"{{{'host' if key == 'hostIP' or value in HOSTS else 'pod'} ip}}"
        return text(value, uid)

    cleaned: JSON = replace(status)
    return cleaned


def text(value: str, uid: str) -> str:
    """A message without ids, addresses and durations."""
    value = value.replace(uid, "{uid}")
    value = re.sub(r"golden-\d+", "{namespace}", value).replace(REAL_NODE, NODE)
    value = value.replace(KUBELET_FOLDER, "/var/lib/kubelet")
    value = re.sub(r"kube-api-access-[a-z0-9]{5}", "kube-api-access", value)
    value = re.sub(r"\d+\.\d+s(?=:| exceeded)", "{time}", value)
    value = re.sub(r"\b10\.(?!243\.|247\.)\d+\.\d+\.\d+", "{pod ip}", value)
    value = re.sub(r" in [\d.]+m?s \([\d.]+m?s including", " in {time} ({time} including", value)
    value = re.sub(r"[0-9a-f]{64}", "{id}", value)
    return re.sub(r"Image size: \d+", "Image size: {size}", value)


class Registry(BaseHTTPRequestHandler):
    """Serves the images of its blobs; private wants credentials, broken fails."""

    blobs: dict[str, tuple[str, bytes]]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        name = path.rpartition("/")[2]
        if "/private/" in path:
            self._answer(401, "application/json", b'{"errors":[{"code":"UNAUTHORIZED"}]}')
        elif "/broken/" in path:
            self._answer(500, "text/plain", b"")
        elif name in self.blobs:
            self._answer(200, *self.blobs[name])
        else:
            self._answer(404, "application/json", b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')

    do_HEAD = do_GET  # noqa: N815 - the name that the base class calls

    def _answer(self, code: int, content_type: str, body: bytes) -> None:
        self.send_response(code)
        if code == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="registry"')
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def image(binary: Path, tag: str, build: str) -> dict[str, tuple[str, bytes]]:
    """The blobs of a one-layer image by digest, the manifest also by its tag."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer_tar:
        layer_tar.add(binary, "performer")
    layer = buffer.getvalue()

    def digest(data: bytes) -> str:
        return "sha256:" + hashlib.sha256(data).hexdigest()

    kinds = "application/vnd.oci.image"
    config_blob = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/performer"], "Labels": {"build": f"{tag} {build}"}},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
        }
    ).encode()
    parts = [(f"{kinds}.config.v1+json", config_blob), (f"{kinds}.layer.v1.tar", layer)]
    described = [{"mediaType": k, "digest": digest(b), "size": len(b)} for k, b in parts]
    kind = f"{kinds}.manifest.v1+json"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": described[0],
            "layers": described[1:],
        }
    ).encode()
    blobs = {digest(data): (kind, data) for kind, data in parts}
    return {**blobs, digest(manifest): (kind, manifest), tag: (kind, manifest)}


class Recorder:
    """One namespace a situation, so that all of them can go on at once."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._core = client.CoreV1Api()
        self._raw = client.ApiClient()
        self.situation_of: dict[str, JSON] = {}
        """By namespace."""
        self.refused: dict[str, list[str]] = {}
        """Messages, by namespace."""

    def record(self, number: int, situation: JSON) -> JSON:
        """The states and events of one situation."""
        namespace = f"golden-{number}"
        self.situation_of[namespace] = situation
        self._core.create_namespace({"metadata": {"name": namespace}})
        while not self._core.list_namespaced_service_account(namespace).items:
            time.sleep(0.1)
        steps = situation.get("steps") or []
        for step in steps:
            if step["at"] < 0:
                self._step(namespace, step)
        states: list[JSON] = []
        began = time.monotonic()
        body = json.loads(json.dumps(pod_of(situation)).replace(NODE, REAL_NODE))
        created = self._core.create_namespaced_pod(namespace, body)
        follower = threading.Thread(
            target=self._follow, args=(namespace, situation["until"], began, states)
        )
        follower.start()
        for step in steps:
            if step["at"] >= 0:
                time.sleep(max(0.0, began + step["at"] - time.monotonic()))
                self._step(namespace, step)
        follower.join()
        events = self._events(namespace, created.metadata.uid)
        self._core.delete_namespace(namespace)
        refused = self.refused.get(namespace)
        return {"states": states, "events": events, **({"refused": refused} if refused else {})}

    def _follow(self, namespace: str, until: float, began: float, states: list[JSON]) -> None:
        images: dict[str, str] = {}
        stream = watch.Watch().stream(
            self._core.list_namespaced_pod, namespace, timeout_seconds=int(until)
        )
        for event in stream:
            pod = event["raw_object"]
            uid = pod["metadata"]["uid"]
            state = {
                "deleting": "deletionTimestamp" in pod["metadata"],
                "status": normalised(pod["status"], uid, images),
            }
            if event["type"] == "DELETED":
                state["gone"] = True
            if not states or {**states[-1], "seconds": 0} != {**state, "seconds": 0}:
                states.append({"seconds": round(time.monotonic() - began, 1), **state})

    def _events(self, namespace: str, uid: str) -> list[JSON]:
        found = self._core.list_namespaced_event(namespace).items
        found = [e for e in found if e.involved_object.uid == uid]
        found.sort(key=lambda e: (e.first_timestamp or e.event_time, e.metadata.resource_version))
        return [
            {
                "type": e.type,
                "reason": e.reason,
                "message": text(e.message, uid),
                "count": e.count,
                "source": e.source.component or e.reporting_component,
                **({"fieldPath": p} if (p := e.involved_object.field_path) else {}),
            }
            for e in found
        ]

    def _step(self, namespace: str, step: JSON) -> None:
        core, name = self._core, "performer"
        if "delete" in step:
            grace = step["delete"].get("grace")
            core.delete_namespaced_pod(name, namespace, grace_period_seconds=grace)
        elif "evict" in step:
            eviction = {"metadata": {"name": name, "namespace": namespace}}
            core.create_namespaced_pod_eviction(name, namespace, eviction)
        elif "ephemeral" in step:
            added = ephemeral(self.situation_of[namespace], step["ephemeral"])
            patch = {"spec": {"ephemeralContainers": [added]}}
            core.patch_namespaced_pod_ephemeralcontainers(name, namespace, patch)
        elif "resize" in step:
            try:
                core.patch_namespaced_pod_resize(name, namespace, {"spec": resized(step["resize"])})
            except client.ApiException as error:
                message = text(json.loads(error.body)["message"], "")
                self.refused.setdefault(namespace, []).append(message)
        elif "condition" in step:
            patch = {"status": {"conditions": [step["condition"]]}}
            core.patch_namespaced_pod_status(name, namespace, patch)
        elif "object" in step:
            given = json.loads(json.dumps(step["object"]))
            with suppress(utils.FailToCreateError):
                utils.create_from_dict(self._raw, given, namespace=namespace)
        elif "push" in step:
            Registry.blobs = {**Registry.blobs, **image(self._binary, step["push"], "2")}
        elif step["create"] == "secrets":
            body = {
                "metadata": {"name": step["name"]},
                "stringData": dict.fromkeys(step["keys"], "x"),
            }
            core.create_namespaced_secret(namespace, body)
        else:
            body = {"metadata": {"name": step["name"]}, "data": dict.fromkeys(step["keys"], "x")}
            core.create_namespaced_config_map(namespace, body)


def ephemeral(situation: JSON, given: JSON) -> JSON:
    """A container that a step adds."""
    return _container(situation, given)


def resized(wanted: JSON) -> JSON:
    """The part of a spec that gives containers other resources."""
    return {"containers": [{"name": n, "resources": r} for n, r in wanted.items()]}


def main() -> None:
    """Write the golden of each situation asked for, or of all without devices."""
    # Of e2e/, which the tests that import this module do without.
    from clusters.image import write_image
    from clusters.native import native

    kubernetes = os.environ.get("KUBERNETES", newer.OLDEST)
    known = of_version(kubernetes)
    wanted = {k: v for k, v in known.items() if k in sys.argv[1:]} if sys.argv[1:] else known
    if not sys.argv[1:]:
        wanted = {k: v for k, v in wanted.items() if "nvidia.com" not in json.dumps(v)}
    with (
        native(lambda line: sys.stderr.write(f"{line}\n"), kubernetes) as cluster,
        tempfile.TemporaryDirectory() as folder,
    ):
        binary, archive = Path(folder) / "performer", Path(folder) / "performer.tar"
        compiler = ["gcc", "-static", "-O1", "-o", str(binary), str(HERE / "performer.c")]
        subprocess.run(compiler, check=True)
        files = {"/performer": binary}
        cluster.import_image(write_image(archive, IMAGE, files, entrypoint=["/performer"]))
        config.load_kube_config(str(cluster.kubeconfig))
        Registry.blobs = {
            name: blob for tag in TAGS for name, blob in image(binary, tag, "1").items()
        }
        registry = ThreadingHTTPServer(("127.0.0.1", 5055), Registry)
        threading.Thread(target=registry.serve_forever, daemon=True).start()
        recorder, first = Recorder(binary), int(time.time()) % 100_000 * 100
        with ThreadPoolExecutor(8) as pool:
            numbered = enumerate(wanted.values(), first)
            records = pool.map(lambda pair: recorder.record(*pair), numbered)
            recorded = dict(zip(wanted, records, strict=True))
    before = newer.whole(GOLDEN, kubernetes)
    merged = {k: found for k in known if (found := recorded.get(k) or before.get(k))}
    if kubernetes != newer.OLDEST:
        newer.write(GOLDEN, kubernetes, merged)
        return
    GOLDEN.write_text(json.dumps(merged, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
