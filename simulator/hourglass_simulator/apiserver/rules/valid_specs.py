"""Specs of pods that nothing is wrong with, remembered: most pods of a cluster are of few forms.

What is remembered is keyed by everything that the rules read, as text. The volume with the token of
the ServiceAccount has a name by chance; here it has the same in all specs, which no rule notices.
"""

import re
from functools import lru_cache

import orjson

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.pod_defaults import TOKEN_VOLUME
from hourglass_simulator.apiserver.rules import containers, pod_spec
from hourglass_simulator.apiserver.rules.fault import Faults, forbidden

_GENERATED = re.compile(f"{TOKEN_VOLUME}[a-z0-9]{{5}}")
_ANY_TOKEN_VOLUME = f'"{TOKEN_VOLUME}xxxxx"'.encode()
_REMEMBERED = 1024


def faults(given: JSON, meta: JSON) -> Faults:
    """What is wrong with the spec of a pod with this metadata."""
    text = _text(given)
    if text is None or not _is_valid(text):
        yield from _faults(given, meta)


def _faults(given: JSON, meta: JSON) -> Faults:
    yield from pod_spec.spec("spec", given, meta)
    if not given.get("serviceAccountName"):
        for index, volume in enumerate(given.get("volumes") or ()):
            for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
                if source.get("serviceAccountToken") is not None:
                    field = f"spec.volumes[{index}].projected.sources[{number}].serviceAccountToken"
                    yield forbidden(
                        field, "must not be specified when serviceAccountName is not set"
                    )
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(given.get(kind) or ()):
            yield from containers.untrimmed_image(f"spec.{kind}[{index}]", container)


@lru_cache(maxsize=_REMEMBERED)
def _is_valid(text: bytes) -> bool:
    return next(_faults(orjson.loads(text), {}), None) is None


def _text(given: JSON) -> bytes | None:
    """The spec as text; None if its validity hangs on more, or if it cannot be read back."""
    volumes = given.get("volumes") or ()
    if any("ephemeral" in volume for volume in volumes):
        return None  # The claim has the name of the pod.
    try:
        text = orjson.dumps(given)
    except TypeError:
        return None
    for volume in volumes:
        name = volume.get("name") or ""
        if _GENERATED.fullmatch(name):
            if _ANY_TOKEN_VOLUME in text:
                return None
            return text.replace(f'"{name}"'.encode(), _ANY_TOKEN_VOLUME)
    return text
