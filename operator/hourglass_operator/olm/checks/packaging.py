"""The bundle's metadata: annotations, image labels, scorecard."""

import re

from hourglass_operator.olm.checks.model import (
    ANNOTATIONS,
    DOCKERFILE,
    PACKAGE_KEY,
    SCORECARD,
    Bundle,
    Mistake,
    Mistakes,
)

_DOCKER_LABEL = re.compile(r"^LABEL ([^=\s]+)=(.*)$", re.MULTILINE)
_PREFIX = "operators.operatorframework.io."
_REQUIRED_ANNOTATIONS = {
    f"{_PREFIX}bundle.mediatype.v1": "registry+v1",
    f"{_PREFIX}bundle.manifests.v1": "manifests/",
    f"{_PREFIX}bundle.metadata.v1": "metadata/",
}
CHANNEL_NAMES = ("candidate", "fast", "stable")
"""https://olm.operatorframework.io/docs/best-practices/channel-naming/"""
_CHANNELS = f"{_PREFIX}bundle.channels.v1"
_DEFAULT_CHANNEL = f"{_PREFIX}bundle.channel.default.v1"


def metadata(bundle: Bundle) -> Mistakes:
    """The bundle's annotations, and the same as labels of its image."""
    found = bundle.annotations
    for key, value in _REQUIRED_ANNOTATIONS.items():
        if found.get(key) != value:
            expected = f"{value} is expected, found {found.get(key)!r}"
            yield Mistake(ANNOTATIONS, key, expected)
    for key in (PACKAGE_KEY, _CHANNELS):
        if not found.get(key):
            yield Mistake(ANNOTATIONS, key, "a name is expected, found none")
    channels = str(found.get(_CHANNELS, "")).split(",")
    for channel in channels:
        if channel and not channel.startswith(CHANNEL_NAMES):
            expected = f"{', '.join(CHANNEL_NAMES)} is expected at the beginning"
            yield Mistake(ANNOTATIONS, _CHANNELS, f"{expected}, found {channel!r}")
    default = found.get(_DEFAULT_CHANNEL)
    if default is not None and default not in channels:
        expected = f"one of {', '.join(channels)} is expected, found {default!r}"
        yield Mistake(ANNOTATIONS, _DEFAULT_CHANNEL, expected)
    labels = dict(_DOCKER_LABEL.findall(bundle.dockerfile))
    for key in sorted({*labels, *found}):
        if labels.get(key) != found.get(key):
            expected = f"{found.get(key)!r} is expected as in {ANNOTATIONS}"
            yield Mistake(DOCKERFILE, f"LABEL {key}", f"{expected}, found {labels.get(key)!r}")
    if "FROM scratch" not in bundle.dockerfile:
        yield Mistake(DOCKERFILE, "FROM", "scratch is expected")


def scorecard(bundle: Bundle) -> Mistakes:
    """Tests that can be run."""
    stages = bundle.scorecard.get("stages") or []
    if not stages:
        yield Mistake(SCORECARD, "stages", "at least one is expected, found none")
    for index, stage in enumerate(stages):
        for number, test in enumerate(stage.get("tests") or []):
            for field in ("entrypoint", "image", "labels"):
                if not test.get(field):
                    where = f"stages[{index}].tests[{number}].{field}"
                    yield Mistake(SCORECARD, where, "a value is expected, found none")
