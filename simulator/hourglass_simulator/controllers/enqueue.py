"""What a change of an object adds to a controller's work queue.

Named after controller-runtime's: https://pkg.go.dev/sigs.k8s.io/controller-runtime/pkg/handler
"""

from collections.abc import Callable

from hourglass_kube.expression import Selector
from hourglass_kube.selector import compile_selector, matches_all
from hourglass_kube.types import JSON
from hourglass_simulator.controllers.informer import Handler, Informer, controller_of, key_of
from hourglass_simulator.controllers.workqueue import WorkQueue


def enqueue_object(queue: WorkQueue) -> Handler:
    """The object itself, also when it is gone."""

    def handle(before: JSON | None, after: JSON | None) -> None:
        obj = after or before
        assert obj is not None
        queue.add(key_of(obj))

    return handle


def enqueue_owner(queue: WorkQueue) -> Handler:
    """The controller of an object that has one."""

    def handle(before: JSON | None, after: JSON | None) -> None:
        obj = after or before
        assert obj is not None
        owner = controller_of(obj)
        assert owner is not None
        queue.add((obj["metadata"]["namespace"], owner["name"]))

    return handle


def selector_of(obj: JSON) -> Selector:
    """The selector of a workload in `apps/v1` or `batch/v1`."""
    return compile_selector(obj["spec"]["selector"])


def enqueue_selecting(
    queue: WorkQueue, informer: Informer, selector: Callable[[JSON], Selector] = selector_of
) -> Handler:
    """Every object of the informer whose selector matches one that has no controller."""

    def handle(_: JSON | None, orphan: JSON | None) -> None:
        if orphan is None:
            return
        labels = orphan["metadata"].get("labels") or {}
        for each in informer.namespaced(orphan["metadata"]["namespace"]):
            if matches_all(selector(each), labels):
                queue.add(key_of(each))

    return handle
