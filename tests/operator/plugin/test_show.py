"""Tables and timelines."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from builders import CATALOGUE, NAMESPACE, at, performer
from hourglass_kube.types import JSON
from hourglass_operator.plugin.show import age, rows, table, timeline
from hourglass_operator.plugin.view import Objects, view_of

AGES = [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172800, "2d")]


@pytest.mark.parametrize(("seconds", "shown"), AGES)
def test_ages_are_as_kubectl_prints_them(seconds: int, shown: str) -> None:
    assert age(at(1000.0), 1000.0 + seconds) == shown


def stored(name: str, **status: Any) -> JSON:
    return performer(name).build() | {"status": status}


def text(found: list[JSON], *, namespaces: bool = False) -> str:
    stream = StringIO()
    shown = table(rows(found), namespaces=namespaces, now=60.0)
    Console(file=stream, width=200).print(shown)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_what_serves_shows_its_endpoint_and_what_does_not_shows_why() -> None:
    failed = {"type": "Ready", "reason": "ImagePullFailed", "message": "no such image"}
    found = [
        stored("good", phase="Running", ready=True, grpcEndpoint="performer-good:9090"),
        stored("bad", phase="Failed", conditions=[failed]),
        stored("new"),
    ]
    assert [line.split() for line in text(found).splitlines()[1:]] == [
        ["good", "Running", "60s", "performer-good:9090"],
        ["bad", "Failed", "ImagePullFailed", "60s", "no", "such", "image"],
        ["new", "Pending", "60s"],
    ]


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
