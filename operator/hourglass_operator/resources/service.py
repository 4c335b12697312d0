"""The Service of a Performer, and its repair in place."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any

from hourglass_kube.types import JSON
from hourglass_operator.api import PerformerSpec
from hourglass_operator.resources import names
from hourglass_operator.resources.drift import Drift, label_drifts, owner_drift, words
from hourglass_operator.resources.owner import owner_reference, owner_uid

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
    """A Service trimmed to what the operator sets; `owner` is as in `owner_uid`.

    `owner_before`: while it has no owner, the last one that it was seen with; otherwise empty.
    """

    uid: str
    owner: str
    labels: Mapping[str, str]
    type: str
    selector: Mapping[str, str]
    ports: tuple[Port, ...]
    owner_before: str = ""


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
        uid=intern(meta.get("uid", "")),
        owner=owner_uid(meta),
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


def service_port(port: Port) -> JSON:
    """The ServicePort as the API takes it."""
    fields = {
        "name": port.name,
        "port": port.port,
        "targetPort": port.target_port,
        "protocol": port.protocol,
        "appProtocol": port.app_protocol,
    }
    return {name: value for name, value in fields.items() if value != ""}


@lru_cache(maxsize=1024)
def _once(ports: tuple[Port, ...]) -> tuple[Port, ...]:
    """Services have few different ports: in memory each is there once."""
    return ports


def service_drifts(observed: ServiceView, wanted: Mapping[str, Any]) -> tuple[Drift, ...]:
    """The fields in which a Service differs from the wanted one.

    Only what the operator sets counts: foreign labels, annotations, and what the API server fills
    in, such as clusterIP, are left alone.
    """
    target = view(wanted)
    drifts = list(label_drifts(observed.labels, target.labels))
    if not observed.owner:
        drifts.append(owner_drift(wanted["metadata"]["ownerReferences"][0]["name"]))
    if observed.type != target.type:
        drifts.append(Drift(("spec", "type"), observed.type, target.type))
    if observed.selector != target.selector:
        drifts.extend(
            Drift(("spec", "selector", key), words(found), words(asked))
            for key in sorted({*observed.selector, *target.selector})
            if (found := observed.selector.get(key)) != (asked := target.selector.get(key))
        )
    if observed.ports != target.ports:
        drifts.extend(_port_drifts(observed.ports, target.ports))
    return tuple(drifts)


def _port_drifts(observed: tuple[Port, ...], wanted: tuple[Port, ...]) -> list[Drift]:
    if len(observed) != len(wanted):
        found, asked = (
            words([{"name": port.name} for port in ports]) for ports in (observed, wanted)
        )
        return [Drift(("spec", "ports"), found, asked)]
    return [
        Drift(("spec", "ports", index, key), words(found), words(asked))
        for index, (port, target) in enumerate(zip(observed, wanted, strict=True))
        for key, found, asked in (
            ("name", port.name, target.name),
            ("port", port.port, target.port),
            ("targetPort", port.target_port, target.target_port),
            ("protocol", port.protocol, target.protocol),
            ("appProtocol", port.app_protocol, target.app_protocol),
        )
        if found != asked
    ]


def service_repair(observed: ServiceView, wanted: Mapping[str, Any]) -> JSON:
    """A merge patch that ends every drift.

    Kubernetes allows every one of these fields to change in place. Foreign labels stay. What
    another `type` brought with it, such as node ports, the API server takes back by itself, all
    but externalName.
    """
    selector = dict.fromkeys(observed.selector) | wanted["spec"]["selector"]
    metadata = {"labels": wanted["metadata"]["labels"]}
    if not observed.owner:
        metadata["ownerReferences"] = wanted["metadata"]["ownerReferences"]
    return {
        "metadata": metadata,
        "spec": {**wanted["spec"], "selector": selector, "externalName": None},
    }
