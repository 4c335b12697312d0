"""Would a Performer run on this cluster? Asked of a simulated copy of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hourglass_kube.types import JSON
from hourglass_operator.api import GROUP, KIND
from hourglass_operator.controller import Settings
from hourglass_operator.hardware.catalogue import Catalogue
from hourglass_simulator.apiserver import APIError
from hourglass_simulator.cluster import Cluster
from hourglass_simulator.harness.setup import ensure_namespace
from hourglass_simulator.harness.target import SimulatedTarget
from hourglass_simulator.harness.victims import Victims
from hourglass_simulator.scenario.history import Key

PATIENCE = 120.0
"""Seconds of virtual time after which a Performer that does not serve is taken not to."""
_SETTLING = 10.0
"""Seconds in which the operator finds what a copy holds: what serves then, an upgrade replaces."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one Performer; `conditions` as in its status.

    `evicts`: `namespace/name` of the less important pods that the scheduler evicts for its sake.
    `served`: the version that served before, or its image; empty if none did. `serves`: whether
    clients are answered in the end, be it by that version.
    """

    namespace: str
    name: str
    runs: bool
    node: str
    phase: str
    message: str
    conditions: tuple[JSON, ...]
    evicts: tuple[str, ...]
    served: str
    serves: bool

    @property
    def loses(self) -> str:
        """The version that served and is gone, with nothing in its place; empty if none is."""
        return "" if self.serves else self.served


class NotAcceptedError(Exception):
    """The API server refuses a Performer, the `number`th from 0; the text is its message.

    `fields`: those that it names, with what is wrong with each.
    """

    def __init__(self, message: str, number: int, fields: Sequence[tuple[str, str]]) -> None:
        super().__init__(message)
        self.number = number
        self.fields = fields


def start_operator(cluster: Cluster, catalogue: Catalogue) -> None:
    """Let the operator work in a cluster, as it does in the real one."""
    SimulatedTarget(cluster, catalogue, Settings()).operator.start()


def serving(cluster: Cluster) -> dict[Key, str]:
    """Which Performers of a copy serve, each with its version, or its image if it has none."""
    found = cluster.api.list("performers").items
    if found:
        cluster.run_until(cluster.clock.now + _SETTLING)
    return {
        (p["metadata"]["namespace"], p["metadata"]["name"]): p["spec"].get("version")
        or p["spec"]["image"]
        for p in found
        if (p.get("status") or {}).get("ready")
    }


def check(cluster: Cluster, performers: Iterable[JSON], served: Mapping[Key, str]) -> list[Answer]:
    """Apply the Performers all at once and wait, with the operator at work.

    `served`: what served before; see `serving`. Raises NotAcceptedError.
    """
    keys, victims = [], Victims(cluster)
    for number, performer in enumerate(performers):
        namespace = performer["metadata"].get("namespace") or "default"
        try:
            _apply(cluster, namespace, performer)
        except APIError as error:
            raise NotAcceptedError(error.message, number, _faults(error)) from error
        keys.append((namespace, performer["metadata"]["name"]))
    return _answers(cluster, keys, victims, served)


def check_all(cluster: Cluster, served: Mapping[Key, str]) -> list[Answer]:
    """Of every Performer that the cluster has, sorted; otherwise as `check`."""
    metas = [performer["metadata"] for performer in cluster.api.list("performers").items]
    keys = sorted((meta["namespace"], meta["name"]) for meta in metas)
    return _answers(cluster, keys, Victims(cluster), served)


def _answers(
    cluster: Cluster, keys: Sequence[Key], victims: Victims, served: Mapping[Key, str]
) -> list[Answer]:
    end = cluster.clock.now + PATIENCE
    while cluster.clock.now < end and not all(_runs(cluster, *key) for key in keys):
        cluster.run_until(cluster.clock.now + 1)
    return [_answer(cluster, key, victims.of(*key), served.get(key, "")) for key in keys]


def _apply(cluster: Cluster, namespace: str, performer: JSON) -> None:
    """Create a Performer, or give the one that the cluster has its spec."""
    ensure_namespace(cluster, namespace)
    cluster.api.refuse_unknown_fields("performers", performer)
    try:
        cluster.api.create("performers", performer, namespace=namespace)
    except APIError as error:
        if error.reason != "AlreadyExists":
            raise
        found = cluster.api.get("performers", namespace, performer["metadata"]["name"])
        cluster.api.update("performers", {**found, "spec": performer["spec"]})
    for resource, referred in _referred(performer):
        _assume(cluster, namespace, resource, referred)


def _faults(error: APIError) -> list[tuple[str, str]]:
    """Fields of a Performer, not of what it refers to; "<nil>" is said of the object as a whole."""
    details = error.details or {}
    causes = details.get("causes") or () if details.get("kind") == KIND else ()
    return [(c["field"], c["message"]) for c in causes if c.get("field", "<nil>") != "<nil>"]


def is_performer(obj: JSON) -> bool:
    """Whether a manifest is one of a Performer."""
    return bool(obj.get("kind") == KIND and str(obj.get("apiVersion")).startswith(f"{GROUP}/"))


def _runs(cluster: Cluster, namespace: str, name: str) -> bool:
    performer = cluster.api.get("performers", namespace, name)
    status = performer.get("status") or {}
    seen = status.get("observedGeneration") == performer["metadata"]["generation"]
    return seen and status.get("phase") == "Running"


def _answer(cluster: Cluster, key: Key, evicts: tuple[str, ...], served: str) -> Answer:
    status = cluster.api.get("performers", *key).get("status") or {}
    conditions = tuple(status.get("conditions") or ())
    return Answer(
        namespace=key[0],
        name=key[1],
        runs=_runs(cluster, *key),
        node=status.get("nodeName", ""),
        phase=status.get("phase", ""),
        message=conditions[-1]["message"] if conditions else "",
        conditions=conditions,
        evicts=evicts,
        served=served,
        serves=bool(status.get("ready")),
    )


def _referred(performer: JSON) -> Iterator[tuple[str, JSON]]:
    """Secrets, ConfigMaps and ServiceAccounts that the pod needs; snapshots hold none."""
    config = (performer.get("spec") or {}).get("config") or {}
    if config.get("serviceAccountName"):
        yield "serviceaccounts", {"metadata": {"name": config["serviceAccountName"]}}
    sources = config.get("environmentFrom") or ()
    for variable in (*(config.get("env") or ()), *sources):
        source = variable.get("valueFrom") or {}
        for field, resource in (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps")):
            if field in source:
                yield resource, _holding(source[field]["name"], source[field].get("key"))
    for source in sources:
        for field, resource in (("secretRef", "secrets"), ("configMapRef", "configmaps")):
            if field in source:
                yield resource, _holding(source[field]["name"], None)


def _holding(name: str, key: str | None) -> JSON:
    return {"metadata": {"name": name}, "data": {key: ""} if key else {}}


def _assume(cluster: Cluster, namespace: str, resource: str, body: JSON) -> None:
    """Create an object unless it exists, and let it hold the data."""
    api, name = cluster.api, body["metadata"]["name"]
    try:
        api.create(resource, body, namespace=namespace)
    except APIError as error:
        if error.reason != "AlreadyExists":
            raise
        if body.get("data"):
            api.patch(resource, namespace, name, {"data": body["data"]})
