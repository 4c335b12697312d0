"""Tables and timelines for people; the same as JSON for programs."""

import re
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_operator.console.terminal import styled
from hourglass_operator.plugin.view import View
from hourglass_operator.plugin.why import Why
from hourglass_operator.resources import names
from hourglass_operator.resources.resizable import amounts, in_words

_COLOURS = {"Running": "green", "Failed": "bold red", "Pending": "yellow", "Upgrading": "cyan"}
_CONTAINER = re.compile(r"(init|ephemeral)?containers\{(.+)\}$", re.IGNORECASE)
"""In the field path of an Event: `spec.initContainers{istio-init}`."""


def age(since: str, now: float) -> str:
    """An age as kubectl prints it: 42s, 7m, 3h, 12d."""
    seconds = max(0, int(now - time.parse(since).timestamp()))
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def rows(performers: Iterable[JSON]) -> list[JSON]:
    """What `list` shows of each Performer."""
    return [_row(performer) for performer in performers]


def _row(performer: JSON) -> JSON:
    meta, spec, status = performer["metadata"], performer["spec"], performer.get("status") or {}
    conditions: list[JSON] = status.get("conditions") or []
    ready = next((c for c in conditions if c["type"] == "Ready"), JSON())
    return {
        "namespace": meta["namespace"],
        "name": meta["name"],
        "phase": status.get("phase", "Pending"),
        "ready": bool(status.get("ready")),
        "reason": ready.get("reason", ""),
        "message": ready.get("message", ""),
        "version": spec.get("version", ""),
        "node": status.get("nodeName", ""),
        "endpoint": status.get("grpcEndpoint", ""),
        "created": meta["creationTimestamp"],
    }


def table(found: Sequence[JSON], *, namespaces: bool, now: float) -> Table:
    """`list` for people: what does not serve says why."""
    columns = ["NAME", "PHASE", "REASON", "VERSION", "NODE", "AGE", "MESSAGE"]
    shown = Table(*(["NAMESPACE"] * namespaces + columns), box=None, pad_edge=False)
    for row in found:
        cells: list[str | Text] = [
            row["name"],
            phase(row["phase"]),
            row["reason"],
            row["version"],
            row["node"],
            age(row["created"], now),
            row["endpoint"] if row["ready"] else row["message"],
        ]
        shown.add_row(*([row["namespace"]] * namespaces + cells))
    return shown


def phase(name: str) -> Text:
    """A phase in its colour."""
    return styled(name, _COLOURS.get(name, ""))


def timeline(view: View, events: Sequence[JSON]) -> list[tuple[str, str]]:
    """(time, what happened) of a Performer, oldest first: conditions, upgrades, Events."""
    meta, status = view.performer["metadata"], view.status
    entries = [(meta["creationTimestamp"], "created")]
    entries += [
        (c["lastTransitionTime"], f"{c['type']}={c['status']} ({c['reason']}): {c['message']}")
        for c in view.conditions
    ]
    if "lastUpgrade" in status:
        entries.append((status["lastUpgrade"], "an upgrade ended"))
    for event in events:
        moment = event.get("lastTimestamp") or event.get("eventTime")
        times = f" ({event['count']} times)" if (event.get("count") or 1) > 1 else ""
        what = f"{_subject(event)}{event['reason']}: {event['message']}{times}"
        entries.append((moment or "", what))
    # Events carry fractions of seconds, conditions do not.
    seconds = [(f"{moment[:19]}Z", what) for moment, what in entries]
    return sorted(seconds, key=lambda entry: entry[0])


def _subject(event: JSON) -> str:
    """Whom an Event is about, unless it is the Performer itself.

    Since 1.37 the kubelet's messages do not say which container they are about: "Container
    started". The Performer's own goes without saying.
    """
    about = event["involvedObject"]
    if about["kind"] == "Performer":
        return ""
    container = _CONTAINER.search(about.get("fieldPath") or "")
    if container is None or container[2] == names.CONTAINER:
        return f"{about['kind']} {about['name']}: "
    kind = f"{container[1]} container" if container[1] else "container"
    return f"{about['kind']} {about['name']}, {kind} {container[2]}: "


def facts(view: View, why: Why) -> JSON:
    """What `status` shows, for programs."""
    meta, status, spec = view.performer["metadata"], view.status, view.performer["spec"]
    return {
        "namespace": meta["namespace"],
        "name": meta["name"],
        "phase": why.phase,
        "ready": bool(status.get("ready")),
        "reason": why.reason,
        "message": why.message,
        "advice": why.advice,
        "image": spec["image"],
        "version": spec.get("version", ""),
        "pods": [pod.name for pod in view.observation.pods],
        "service": status.get("serviceName", ""),
        "endpoint": status.get("grpcEndpoint", ""),
        "node": status.get("nodeName", ""),
        "hardware": spec.get("hardwareRequirements") or {},
        "resources": status.get("resources") or {},
        "lastUpgrade": status.get("lastUpgrade", ""),
        "conditions": view.conditions,
    }


def card(found: JSON) -> list[tuple[str, str]]:
    """The same for people, line by line."""
    hardware = ", ".join(f"{key}={value}" for key, value in found["hardware"].items())
    version = f" (version {found['version']})" if found["version"] else ""
    return [
        ("Phase", f"{found['phase']} ({found['reason']})"),
        ("Message", found["message"]),
        ("Advice", found["advice"]),
        ("Image", found["image"] + version),
        ("Pods", ", ".join(found["pods"]) or "none"),
        ("Node", found["node"]),
        ("Service", found["service"]),
        ("Endpoint", found["endpoint"]),
        ("Hardware", hardware),
        ("Resources", in_words(amounts(found["resources"])) if found["resources"] else ""),
        ("Last upgrade", found["lastUpgrade"]),
    ]
