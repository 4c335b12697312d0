"""The Go hourglass-operator, as its source says that it works.

https://github.com/Layr-Labs/hourglass-monorepo/blob/master/hourglass-operator/internal/controller/performerController.go
"""

from collections.abc import Callable

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIError, APIServer, CallTimeoutError, WatchEvent
from hourglass_simulator.clock import Clock

USER = "system:serviceaccount:hourglass-system:hourglass-operator"
FINALIZER = "hourglass.eigenlayer.io/performer-finalizer"

_REACTION_SECONDS = 0.01
_REQUEUE_SECONDS = 120.0
_STUCK_SECONDS = 300.0
"""For how long its pod may be Pending."""
_RETRY_BASE, _RETRY_LIMIT = 0.005, 1000.0
_DEFAULT_PORT = 8080

_SPEC = (
    *("avsAddress", "image", "imagePullPolicy", "version", "config", "resources"),
    *("scheduling", "hardwareRequirements", "imagePullSecrets"),
)
_CONFIG = ("grpcPort", "environment", "environmentFrom", "args", "command")
_SCHEDULING = ("nodeSelector", "tolerations", "affinity", "runtimeClass", "priorityClassName")
_STATUS = (
    *("phase", "ready", "podName", "serviceName", "grpcEndpoint"),
    *("conditions", "lastUpgrade", "readyTime"),
)
"""Its types know these fields; an update leaves all others out."""

_Key = tuple[str, str]


class GoOperator:
    """Works until it is stopped."""

    def __init__(self, clock: Clock, api: APIServer) -> None:
        self._clock = clock
        self._api = api
        self._due: dict[_Key, int] = {}
        """By Performer: the latest request for a pass; earlier ones are void."""
        self._requests = 0
        self._failures: dict[_Key, int] = {}
        self._watches = [
            api.watch("performers", sink=self._performer_event),
            api.watch("pods", sink=self._dependent_event),
            api.watch("services", sink=self._dependent_event),
        ]

    def stop(self) -> None:
        """Scaled down."""
        for watch in self._watches:
            watch.stop()
        self._due.clear()

    def _performer_event(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        self._enqueue((meta["namespace"], meta["name"]), _REACTION_SECONDS)

    def _dependent_event(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        for owner in meta.get("ownerReferences") or ():
            if owner["kind"] == "Performer" and owner.get("controller"):
                self._enqueue((meta["namespace"], owner["name"]), _REACTION_SECONDS)

    def _enqueue(self, key: _Key, seconds: float) -> None:
        self._requests += 1
        request = self._due[key] = self._requests
        self._clock.after(seconds, lambda: self._take(key, request))

    def _take(self, key: _Key, request: int) -> None:
        if self._due.get(key) != request:
            return
        del self._due[key]
        try:
            again = self._reconcile(key)
        except (APIError, CallTimeoutError):
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            pause = min(_RETRY_LIMIT, _RETRY_BASE * 2.0 ** min(failures, 32))
            if key not in self._due:
                self._enqueue(key, pause)
            return
        self._failures.pop(key, None)
        if again and key not in self._due:
            self._enqueue(key, _REQUEUE_SECONDS)

    def _reconcile(self, key: _Key) -> bool:
        """Whether to come again though nothing happens."""
        performer = self._get("performers", key)
        if performer is None:
            return False
        meta = performer["metadata"]
        finalizers = meta.get("finalizers") or []
        if "deletionTimestamp" in meta:
            if FINALIZER in finalizers:
                self._update(performer, [name for name in finalizers if name != FINALIZER])
            return False
        if FINALIZER not in finalizers:
            performer = self._update(performer, [*finalizers, FINALIZER])
        self._reconcile_pod(performer)
        self._reconcile_service(performer)
        self._update_status(key)
        return True

    def _update(self, performer: JSON, finalizers: list[str]) -> JSON:
        spec = _known(performer["spec"], _SPEC)
        spec["config"] = _known(spec.get("config") or {}, _CONFIG)
        if "scheduling" in spec:
            spec["scheduling"] = _known(spec["scheduling"], _SCHEDULING)
        meta = {**performer["metadata"], "finalizers": finalizers}
        new = {**performer, "metadata": meta, "spec": spec}
        return self._api.update("performers", new, user=USER)

    def _reconcile_pod(self, performer: JSON) -> None:
        namespace, name = _object_key(performer)
        pod = self._get("pods", (namespace, name))
        if pod is None:
            self._api.create("pods", _pod(performer), namespace=namespace, user=USER)
        elif self._is_to_go(pod, performer):
            self._api.delete("pods", namespace, name, user=USER)

    def _is_to_go(self, pod: JSON, performer: JSON) -> bool:
        phase = pod["status"].get("phase")
        born = time.parse(pod["metadata"]["creationTimestamp"]).timestamp()
        stuck = phase == "Pending" and self._clock.unix_time - born > _STUCK_SECONDS
        image = pod["spec"]["containers"][0]["image"]
        return phase == "Failed" or stuck or image != performer["spec"]["image"]

    def _reconcile_service(self, performer: JSON) -> None:
        namespace, name = _object_key(performer)
        spec = {
            "type": "ClusterIP",
            "selector": {"hourglass.eigenlayer.io/performer": performer["metadata"]["name"]},
            "ports": [
                {"name": "grpc", "port": _port(performer), "targetPort": "grpc", "protocol": "TCP"}
            ],
        }
        found = self._get("services", (namespace, name))
        if found is None:
            meta = {"name": name, "ownerReferences": [_owner(performer)]}
            body = {"metadata": meta, "spec": spec}
            self._api.create("services", body, namespace=namespace, user=USER)
        else:
            self._api.update("services", {**found, "spec": spec}, user=USER)

    def _update_status(self, key: _Key) -> None:
        performer = self._get("performers", key)
        if performer is None:
            return
        namespace, name = _object_key(performer)
        status = _known(performer.get("status") or {}, _STATUS)
        pod = self._get("pods", (namespace, name))
        if pod is None:
            status |= {"phase": "Pending", "podName": ""}
        else:
            ready = any(
                c["type"] == "Ready" and c["status"] == "True"
                for c in pod["status"].get("conditions") or ()
            )
            phase = pod["status"].get("phase", "Pending")
            status |= {
                "phase": phase,
                "podName": name,
                "ready": phase == "Running" and ready,
            }
            if status["ready"]:
                status.setdefault("readyTime", self._clock.timestamp())
        status |= {
            "serviceName": name,
            "grpcEndpoint": f"{name}.{namespace}.svc.cluster.local",
        }
        # As encoding/json with omitempty.
        said = {field: value for field, value in status.items() if value not in ("", False)}
        new = {**performer, "status": said}
        self._api.update("performers", new, subresource="status", user=USER)

    def _get(self, resource: str, key: _Key) -> JSON | None:
        try:
            return self._api.get(resource, *key, user=USER)
        except APIError as error:
            if error.code == 404:
                return None
            raise


def start(clock: Clock, api: APIServer) -> Callable[[], None]:
    """Start one; what is returned stops it."""
    return GoOperator(clock, api).stop


def _known(fields: JSON, names: tuple[str, ...]) -> JSON:
    return {name: fields[name] for name in names if name in fields}


def _object_key(performer: JSON) -> _Key:
    """Namespace and name of its pod and of its Service."""
    meta = performer["metadata"]
    return meta["namespace"], f"performer-{meta['name']}"


def _port(performer: JSON) -> int:
    port: int = (performer["spec"].get("config") or {}).get("grpcPort") or _DEFAULT_PORT
    return port


def _owner(performer: JSON) -> JSON:
    return {
        "apiVersion": performer["apiVersion"],
        "kind": "Performer",
        "name": performer["metadata"]["name"],
        "uid": performer["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _pod(performer: JSON) -> JSON:
    spec, port = performer["spec"], _port(performer)
    config, scheduling = spec.get("config") or {}, spec.get("scheduling") or {}
    plain = (config.get("environment") or {}).items()
    name = performer["metadata"]["name"]
    container = {
        "name": "performer",
        "image": spec["image"],
        "imagePullPolicy": spec.get("imagePullPolicy") or "IfNotPresent",
        "command": config.get("command"),
        "args": config.get("args"),
        "ports": [{"name": "grpc", "containerPort": port, "protocol": "TCP"}],
        "env": [
            *({"name": key, "value": value} for key, value in plain),
            *(source for source in config.get("environmentFrom", ()) if "name" in source),
        ],
        "resources": _resources(spec),
        "livenessProbe": {
            "grpc": {"port": port},
            "initialDelaySeconds": 30,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
        },
        "readinessProbe": {
            "grpc": {"port": port},
            "initialDelaySeconds": 5,
            "periodSeconds": 15,
        },
    }
    placed = {
        "imagePullSecrets": spec.get("imagePullSecrets"),
        "nodeSelector": scheduling.get("nodeSelector"),
        "affinity": scheduling.get("affinity"),
        "tolerations": scheduling.get("tolerations"),
        "runtimeClassName": scheduling.get("runtimeClass"),
    }
    return {
        "metadata": {
            "name": f"performer-{name}",
            "labels": {
                "app": "hourglass-performer",
                "hourglass.eigenlayer.io/performer": name,
                "hourglass.eigenlayer.io/avs": spec["avsAddress"].lower(),
            },
            "ownerReferences": [_owner(performer)],
        },
        "spec": {
            "restartPolicy": "Always",
            "containers": [{key: value for key, value in container.items() if value}],
            **{name: value for name, value in placed.items() if value},
        },
    }


def _resources(spec: JSON) -> JSON:
    resources = spec.get("resources") or {}
    hardware = spec.get("hardwareRequirements") or {}
    if not hardware.get("gpuCount"):
        return dict(resources)
    device = {f"nvidia.com/{hardware.get('gpuType') or 'gpu'}": str(hardware["gpuCount"])}
    return {kind: (resources.get(kind) or {}) | device for kind in ("limits", "requests")}
