"""Which syncs a change of an object asks for."""

from collections.abc import Callable

import pytest

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import APIServer
from hourglass_simulator.clock import Clock
from hourglass_simulator.controllers.enqueue import (
    enqueue_object,
    enqueue_owner,
    enqueue_selecting,
)
from hourglass_simulator.controllers.informer import Handler, Informers
from hourglass_simulator.controllers.workqueue import Key, WorkQueue
from hourglass_simulator.kubernetes.version import DEFAULT

Make = Callable[[WorkQueue, APIServer], Handler]


def pod(namespace: str = "default", **labels: str) -> JSON:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True}
    metadata = {"name": "p", "namespace": namespace, "labels": labels, "ownerReferences": [owner]}
    return {"metadata": metadata}


def of_object(queue: WorkQueue, _: APIServer) -> Handler:
    return enqueue_object(queue)


def of_owner(queue: WorkQueue, _: APIServer) -> Handler:
    return enqueue_owner(queue)


def of_selecting(queue: WorkQueue, api: APIServer) -> Handler:
    """There are a ReplicaSet for app=web and one for app=web,tier=any."""
    for name, labels in (("web", {"app": "web"}), ("all-tiers", {"app": "web", "tier": "any"})):
        template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        body = {"metadata": {"name": name}, "spec": spec}
        api.create("replicasets", body, namespace="default")
    return enqueue_selecting(queue, Informers(api).of("replicasets"))


CONTAINER = {"name": "c", "image": "i:1"}
WEB, ALL_TIERS = ("default", "web"), ("default", "all-tiers")


@pytest.mark.parametrize(
    ("make", "before", "after", "synced"),
    [
        pytest.param(of_object, None, pod(), [("default", "p")], id="the object that came"),
        pytest.param(of_object, pod(), None, [("default", "p")], id="the object that went"),
        pytest.param(of_owner, pod(), pod(), [WEB], id="the controller of one that changed"),
        pytest.param(of_owner, pod(), None, [WEB], id="the controller of one that went"),
        pytest.param(of_selecting, None, pod(app="web"), [WEB], id="whoever selects an orphan"),
        pytest.param(
            of_selecting,
            None,
            pod(app="web", tier="any"),
            [ALL_TIERS, WEB],
            id="everybody who selects an orphan",
        ),
        pytest.param(of_selecting, None, pod(), [], id="nobody for an orphan without labels"),
        pytest.param(of_selecting, None, pod("kube-public", app="web"), [], id="nobody elsewhere"),
        pytest.param(of_selecting, pod(app="web"), None, [], id="nobody for an orphan that went"),
    ],
)
def test_what_is_synced(
    make: Make, before: JSON | None, after: JSON | None, synced: list[Key]
) -> None:
    clock, found = Clock(), list[Key]()
    make(WorkQueue(clock, found.append), APIServer(clock, DEFAULT))(before, after)
    clock.run_until(1.0)
    assert sorted(found) == synced
