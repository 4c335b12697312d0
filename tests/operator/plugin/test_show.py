"""Tables and timelines."""

from typing import Any

import pytest

from builders import CATALOGUE, NAMESPACE, at, performer
from hourglass_kube.types import JSON
from hourglass_operator.plugin.show import age, history, rows, table, timeline
from hourglass_operator.plugin.view import Objects, view_of

AGES = [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172800, "2d")]


@pytest.mark.parametrize(("seconds", "shown"), AGES)
def test_ages_are_as_kubectl_prints_them(seconds: int, shown: str) -> None:
    assert age(at(1000.0), 1000.0 + seconds) == shown


def stored(name: str, **status: Any) -> JSON:
    return performer(name).build() | {"status": status}


def text(
    found: list[JSON], *, namespaces: bool = False, wide: bool = False, width: int | None = None
) -> str:
    shown = table(rows(found), namespaces=namespaces, wide=wide, now=60.0, width=width)
    return "\n".join(line.plain for line in shown)


def test_what_does_not_serve_shows_why() -> None:
    failed = {"type": "Ready", "reason": "ImagePullFailed", "message": "no such image"}
    found = [
        stored("good", phase="Running", ready=True, grpcEndpoint="performer-good:9090"),
        stored("bad", phase="Failed", conditions=[failed]),
        stored("new"),
    ]
    assert [line.split() for line in text(found).splitlines()[1:]] == [
        ["good", "Running", "60s"],
        ["bad", "Failed", "ImagePullFailed", "60s", "no", "such", "image"],
        ["new", "Pending", "60s"],
    ]


NEEDS = "needs 2 × nvidia-h100: none of 2 nodes has nvidia-h100"
LONG = f"{NEEDS}. The scheduler says: 0/2 nodes are available."
ROW = f"{'w' * 40}  Pending  HardwareUnavailable                 60s"
LISTED = [
    ("a pipe", None, [f"{ROW}  {NEEDS}"]),
    ("a wide terminal", 131, [f"{ROW}  {NEEDS[:38]}…"]),
    ("a terminal", 80, [ROW, f"  {NEEDS}"]),
    ("a narrow terminal", 40, [ROW, f"  {NEEDS[:37]}…"]),
]


@pytest.mark.parametrize(
    ("width", "lines"), [each[1:] for each in LISTED], ids=[each[0] for each in LISTED]
)
def test_names_are_whole_and_reasons_a_line(width: int | None, lines: list[str]) -> None:
    waits = {"type": "Ready", "reason": "HardwareUnavailable", "message": LONG}
    found = stored("w" * 40, phase="Pending", conditions=[waits | {"status": "False"}])
    assert text([found], width=width).splitlines()[1:] == lines


def test_wide_is_whole() -> None:
    waits = {"type": "Ready", "status": "False", "reason": "HardwareUnavailable", "message": LONG}
    shown = text([stored("w", phase="Pending", conditions=[waits])], wide=True, width=40)
    assert shown.splitlines()[1].endswith(f"avs/performer:v1  {LONG}")


def test_of_all_namespaces_each_is_named() -> None:
    lines = text([stored("good")], namespaces=True).splitlines()
    assert lines[0].split()[:2] == ["NAMESPACE", "NAME"]
    assert lines[1].split()[:2] == ["avs", "good"]


def test_a_history_is_shown_from_the_beginning() -> None:
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "PodPending",
        "message": "wait",
        "lastTransitionTime": at(1),
    }
    found = stored("ml", phase="Pending", conditions=[ready], lastUpgrade=at(3))
    seen = view_of(Objects({"performers": [found]}), NAMESPACE, "ml", CATALOGUE, 10.0)
    events: list[JSON] = [
        {
            "involvedObject": {"kind": "Pod", "name": "p"},
            "reason": "Pulled",
            "message": "got it",
            "count": 2,
            "eventTime": "1970-01-01T00:00:02.5Z",
        },
        {
            "involvedObject": {"kind": "Performer", "name": "ml"},
            "reason": "Running",
            "message": "it serves",
            "lastTimestamp": at(4),
        },
    ]
    assert timeline(seen, events) == [
        (at(0), "created"),
        (at(1), "Ready=False (PodPending): wait"),
        (at(2), "Pod p: Pulled: got it (2 times)"),
        (at(3), "an upgrade ended"),
        (at(4), "Running: it serves"),
    ]


def test_people_are_told_each_thing_once() -> None:
    conditions = [
        {"type": kind, "status": status, "reason": "HardwareUnavailable", "message": LONG}
        for kind, status in (("Available", "False"), ("Progressing", "True"), ("Ready", "False"))
    ]
    degraded = {"type": "Degraded", "status": "False", "reason": "NotAvailable", "message": "no"}
    timed = [c | {"lastTransitionTime": at(2)} for c in (*conditions, degraded)]
    found = stored("ml", phase="Pending", conditions=timed)
    seen = view_of(Objects({"performers": [found]}), NAMESPACE, "ml", CATALOGUE, 10.0)
    about = {"kind": "Performer", "name": "ml"}
    event: JSON = {"involvedObject": about, "reason": "HardwareUnavailable", "message": LONG}
    assert history(seen, [event | {"eventTime": at(3)}], LONG) == [
        (at(0), "created"),
        (at(3), "HardwareUnavailable"),
    ]
    assert history(seen, [], "else") == [
        (at(0), "created"),
        (at(2), f"Available=False (HardwareUnavailable): {NEEDS}"),
    ]


# tests/goldens/kubelet: since 1.37 messages do not name the container.
EVENTS = [
    ("spec.containers{performer}", "Created container: performer", "Pod p: Started: "),
    ("spec.containers{performer}", "Container started", "Pod p: Started: "),
    ("spec.containers{proxy}", "Container started", "Pod p, container proxy: Started: "),
    ("spec.initContainers{first}", "Container started", "Pod p, init container first: Started: "),
    (
        "spec.ephemeralContainers{debugger}",
        "Container started",
        "Pod p, ephemeral container debugger: Started: ",
    ),
    (None, "Container started", "Pod p: Started: "),
]


@pytest.mark.parametrize(("path", "message", "subject"), EVENTS)
def test_a_history_names_the_containers_of_others(
    path: str | None, message: str, subject: str
) -> None:
    seen = view_of(Objects({"performers": [stored("ml")]}), NAMESPACE, "ml", CATALOGUE, 10.0)
    about = {"kind": "Pod", "name": "p", "fieldPath": path}
    event: JSON = {
        "involvedObject": about,
        "reason": "Started",
        "message": message,
        "eventTime": at(2),
    }
    assert timeline(seen, [event])[-1] == (at(2), subject + message)
