"""Tables and timelines for people; the same as JSON for programs."""

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from hourglass_kube import time
from hourglass_kube.types import JSON
from hourglass_operator.api.messages import TOLERATED_BY, essence
from hourglass_operator.console.terminal import styled
from hourglass_operator.plugin.columns import columns
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
        "degraded": any(c["type"] == "Degraded" and c["status"] == "True" for c in conditions),
        "image": spec.get("image", ""),
        "version": spec.get("version", ""),
        "node": status.get("nodeName", ""),
        "endpoint": status.get("grpcEndpoint", ""),
        "created": meta["creationTimestamp"],
    }


def table(
    found: Sequence[JSON], *, namespaces: bool, wide: bool, now: float, width: int | None
) -> Iterator[Text]:
    """`list` for people, a line each: what does not serve says why, as far as `width` permits.

    `wide`: also endpoints and images, and all that the messages say.
    """
    headings = ["NAMESPACE"] * namespaces + ["NAME", "PHASE", "REASON", "VERSION", "NODE", "AGE"]
    headings += ["ENDPOINT", "IMAGE"] * wide
    rows = [[styled(heading) for heading in headings]]
    notes = ["MESSAGE"]
    for row in found:
        cells = [row["namespace"]] * namespaces + [row["name"]]
        more = [row["reason"], row["version"], row["node"], age(row["created"], now)]
        more += [row["endpoint"], row["image"]] * wide
        rows.append([*map(styled, cells), phase(row["phase"]), *map(styled, more)])
        message = row["message"] if wide else essence(row["message"])
        notes.append("" if row["ready"] and not row["degraded"] else message)
    return columns(rows, notes, None if wide else width)


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
    entries += [(_moment(event), _happened(event)) for event in events]
    return _in_order(entries)


def history(view: View, events: Sequence[JSON], message: str) -> list[tuple[str, str]]:
    """The same for people: each thing once, the present `message` not at all.

    Conditions are only there for what no Event says; that nothing is degraded goes without saying.
    """
    meta, status = view.performer["metadata"], view.status
    entries = [(meta["creationTimestamp"], "created")]
    if "lastUpgrade" in status:
        entries.append((status["lastUpgrade"], "an upgrade ended"))
    listed = {message}
    for event in events:
        what = _happened(event)
        if event["message"] == message:
            what = what.replace(f": {message}", "", 1)
        listed.add(event["message"])
        entries.append((_moment(event), essence(what)))
    for condition in view.conditions:
        said = condition["message"]
        if said in listed or (condition["type"], condition["status"]) == ("Degraded", "False"):
            continue
        listed.add(said)
        what = f"{condition['type']}={condition['status']} ({condition['reason']})"
        entries.append((condition["lastTransitionTime"], f"{what}: {essence(said)}"))
    return _in_order(entries)


def _in_order(entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
    # Events carry fractions of seconds, conditions do not.
    seconds = [(f"{moment[:19]}Z", what) for moment, what in entries]
    return sorted(seconds, key=lambda entry: entry[0])


def _moment(event: JSON) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def _happened(event: JSON) -> str:
    times = f" ({event['count']} times)" if (event.get("count") or 1) > 1 else ""
    return f"{_subject(event)}{event['reason']}: {event['message']}{times}"


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


def card(found: JSON, now: float) -> list[tuple[str, str]]:
    """The same for people, line by line; what the scheduler says is left to Events."""
    hardware = ", ".join(f"{key}={value}" for key, value in found["hardware"].items())
    version = f" (version {found['version']})" if found["version"] else ""
    # Pod, node and endpoint are all that is said of one that serves as it should.
    says_more = not found["ready"] or not found["message"].endswith(
        f"serves at {found['endpoint']}"
    )
    return [
        ("Phase", f"{found['phase']} ({found['reason']})"),
        ("Message", essence(found["message"]).partition(TOLERATED_BY)[0] if says_more else ""),
        ("Advice", found["advice"]),
        ("Image", found["image"] + version),
        ("Pods", ", ".join(found["pods"]) or "none"),
        ("Node", found["node"]),
        ("Service", found["service"]),
        ("Endpoint", found["endpoint"]),
        ("Hardware", hardware),
        ("Resources", in_words(amounts(found["resources"])) if found["resources"] else ""),
        ("Last upgrade", f"{age(found['lastUpgrade'], now)} ago" if found["lastUpgrade"] else ""),
    ]
