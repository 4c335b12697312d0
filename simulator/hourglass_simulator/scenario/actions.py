"""What the step of a scenario does: the calls of the backend that it is made of."""

from collections.abc import Callable, Iterator
from functools import partial

from hourglass_kube.types import JSON
from hourglass_simulator.scenario.backend import Backend
from hourglass_simulator.scenario.manifest import ManifestSource
from hourglass_simulator.scenario.step import Step


def calls(backend: Backend, step: Step) -> Iterator[Callable[[], None]]:
    """The calls, in their order; each raises RefusedError if the API server refuses it."""
    yield from (partial(backend.apply, obj) for obj in _objects(step.apply))
    yield from (partial(backend.create, obj) for obj in _objects(step.create))
    if step.patch is not None:
        yield partial(backend.patch, step.patch)
    if step.delete is not None:
        yield partial(backend.delete, step.delete)
    yield from (partial(backend.cordon, node) for node in step.cordon or ())
    yield from (partial(backend.uncordon, node) for node in step.uncordon or ())
    yield from (partial(backend.drain, node) for node in step.drain or ())
    for name, parameters in (step.fault or {}).items():
        yield partial(backend.inject, name, parameters)
    yield from (partial(backend.heal, name) for name in step.heal or ())


def _objects(manifests: tuple[ManifestSource, ...] | None) -> Iterator[JSON]:
    for manifest in manifests or ():
        yield from manifest.objects
