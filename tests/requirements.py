"""What the project, as it is installed here, requires."""

import re
from importlib import metadata

NAME = "hourglass-performer-operator"


def needed(name: str, *, extras: bool) -> set[str]:
    """The packages that an installed one requires, and those that these require, normalised.

    `extras`: with those of the project's own extras.
    """
    known: set[str] = set()
    _collect(name, extras, known)
    return known


def _collect(name: str, extras: bool, known: set[str]) -> None:
    for requirement in metadata.requires(name) or ():
        found = normalised(re.split(r"[^\w.-]", requirement)[0])
        optional = "extra ==" in requirement and not (extras and name == NAME)
        if found in known or optional:
            continue
        try:
            metadata.distribution(found)
        except metadata.PackageNotFoundError:
            continue  # for other systems
        known.add(found)
        _collect(found, extras, known)


def normalised(name: str) -> str:
    """As PyPI compares names: https://packaging.python.org/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()
