"""The Service of a Performer, and its repair in place."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec
from hourglass_operator.resources import names
from hourglass_operator.resources.owner import controller_uid, owner_reference

APP_PROTOCOL = "kubernetes.io/h2c"
"""HTTP/2 without TLS: https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol"""


@dataclass(frozen=True, slots=True)
class Port:
    """The fields of a ServicePort that the operator sets."""

    name: str
    port: int
    target_port: int | str
    protocol: str
    app_protocol: str


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A Service trimmed to what the operator sets; `owner` is its controller's uid or empty."""

    owner: str
    labels: Mapping[str, str]
    type: str
    selector: Mapping[str, str]
    ports: tuple[Port, ...]


def build_service(name: str, namespace: str, uid: str, spec: PerformerSpec) -> JSON:
    """The Service that this spec of the Performer `namespace/name` (`uid`) asks for."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": names.service_name(name),
            "namespace": namespace,
            "labels": names.labels(name, spec.avs_address),
            "ownerReferences": [owner_reference(name, uid)],
        },
        "spec": {
            "type": "ClusterIP",
            "selector": names.selector(name),
            "ports": [
                {
                    "name": names.PORT,
                    "port": spec.config.grpc_port,
                    "targetPort": names.PORT,
                    "protocol": "TCP",
                    "appProtocol": APP_PROTOCOL,
                }
            ],
        },
    }


def view(service: Mapping[str, Any]) -> ServiceView:
    """Trim a Service as the API returns it."""
    meta, spec = service["metadata"], service.get("spec") or {}
    return ServiceView(
        owner=controller_uid(meta),
        labels=names.OwnLabels(meta.get("labels") or {}),
        type=spec.get("type", "ClusterIP"),
        selector={intern(k): intern(v) for k, v in (spec.get("selector") or {}).items()},
        ports=_once(
            tuple(
                Port(
                    name=intern(port.get("name", "")),
                    port=port["port"],
                    target_port=port.get("targetPort", port["port"]),
                    protocol=intern(port.get("protocol", "TCP")),
                    app_protocol=intern(port.get("appProtocol", "")),
                )
                for port in spec.get("ports") or ()
            )
        ),
    )


@lru_cache(maxsize=1024)
def _once(ports: tuple[Port, ...]) -> tuple[Port, ...]:
    """Services have few different ports: in memory each is there once."""
    return ports


def service_drift(observed: ServiceView, wanted: Mapping[str, Any]) -> str | None:
    """The first field (dotted path) in which a Service differs from the wanted one.

    Only what the operator sets counts: foreign labels, annotations, and what the API server fills
    in, such as clusterIP, are left alone.
    """
    target = view(wanted)
    for key, value in target.labels.items():
        if observed.labels.get(key) != value:
            return f"metadata.labels[{key}]"
    if not observed.owner:
        return "metadata.ownerReferences"
    if observed.type != target.type:
        return "spec.type"
    if observed.selector != target.selector:
        return "spec.selector"
    if observed.ports != target.ports:
        return "spec.ports"
    return None


def service_repair(observed: ServiceView, wanted: Mapping[str, Any]) -> JSON | None:
    """A merge patch that ends the drift; None if there is none.

    Kubernetes allows every one of these fields to change in place. Foreign labels stay. What
    another `type` brought with it, such as node ports, the API server takes back by itself, all
    but externalName.
    """
    if service_drift(observed, wanted) is None:
        return None
    selector = dict.fromkeys(observed.selector) | wanted["spec"]["selector"]
    metadata = {"labels": wanted["metadata"]["labels"]}
    if not observed.owner:
        metadata["ownerReferences"] = wanted["metadata"]["ownerReferences"]
    return {
        "metadata": metadata,
        "spec": {**wanted["spec"], "selector": selector, "externalName": None},
    }
