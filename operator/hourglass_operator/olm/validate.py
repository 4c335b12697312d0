"""`python -m hourglass_operator.olm.validate BUNDLE`: the project's own checks of a bundle."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import yaml

from hourglass_kube.loader import SafeLoader
from hourglass_kube.types import JSON
from hourglass_operator.olm import shape
from hourglass_operator.olm.checks import PUBLISHED, RULES, Bundle, Rule, check
from hourglass_operator.olm.shape import Shape, type_errors

INVALID, UNREADABLE = 1, 2
_HELP = """Say what is wrong with an OLM bundle and its catalog, by the rules of this project.

\b
Exit codes:
  0  nothing is wrong
  1  something is
  2  the folder cannot be read
"""


class UnreadableError(Exception):
    """A file of the bundle is missing, no YAML, or holds something else; the text names it."""


def read(folder: Path) -> Bundle:
    """The bundle in a folder; raises UnreadableError."""
    csvs: list[JSON] = []
    crds: dict[str, JSON] = {}
    objects: dict[str, JSON] = {}
    for file in sorted((folder / "manifests").glob("*.yaml")):
        for obj in _load(file):
            if obj.get("kind") == "ClusterServiceVersion":
                csvs.append(_shaped(file, obj, shape.CSV))
            elif obj.get("kind") == "CustomResourceDefinition":
                crds[f"manifests/{file.name}"] = _shaped(file, obj, shape.CRD)
            else:
                objects[f"manifests/{file.name}"] = _shaped(file, obj, shape.OBJECT)
    if len(csvs) != 1:
        where = folder / "manifests"
        raise UnreadableError(f"{where}: one ClusterServiceVersion is expected, found {len(csvs)}")
    metadata = _only(folder / "metadata" / "annotations.yaml", shape.ANNOTATIONS)
    catalogs = sorted((folder / "catalog").glob("*/*.yaml"))
    return Bundle(
        csv=csvs[0],
        crds=crds,
        objects=objects,
        annotations=metadata.get("annotations") or {},
        dockerfile=_text(folder / "bundle.Dockerfile"),
        scorecard=_only(folder / "tests" / "scorecard" / "config.yaml", shape.SCORECARD),
        catalog=tuple(
            _shaped(file, blob, shape.CATALOG) for file in catalogs for blob in _load(file)
        ),
    )


def _load(file: Path) -> list[JSON]:
    try:
        documents = [
            doc for doc in yaml.load_all(_text(file), Loader=SafeLoader) if doc is not None
        ]
    except (yaml.YAMLError, RecursionError) as error:
        raise UnreadableError(f"{file}: not YAML: {' '.join(str(error).split())}") from None
    if not documents or not all(isinstance(doc, dict) for doc in documents):
        raise UnreadableError(f"{file}: objects are expected")
    return documents


def _only(file: Path, expected: Shape) -> JSON:
    return _shaped(file, _load(file)[0], expected)


def _shaped(file: Path, obj: JSON, expected: Shape) -> JSON:
    for mistake in type_errors(obj, expected):
        raise UnreadableError(f"{file}: {mistake}")
    return obj


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UnreadableError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnreadableError(f"{file}: not a text file in UTF-8") from None


def validate(folder: Path, rules: Sequence[Rule] = RULES) -> int:
    """Check, print the findings, and return the exit code."""
    try:
        mistakes = check(read(folder), rules)
    except UnreadableError as error:
        sys.stderr.write(f"{error}\n")
        return UNREADABLE
    for mistake in mistakes:
        sys.stderr.write(f"{mistake}\n")
    sys.stdout.write(f"{len(rules)} rules of this project: {len(mistakes)} errors\n")
    return INVALID if mistakes else 0


@click.command(help=_HELP)
@click.argument("folder", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option("--published", is_flag=True, help="It is handed out: images by digest are expected.")
def main(folder: Path, published: bool) -> None:
    """Check a bundle."""
    sys.exit(validate(folder, PUBLISHED if published else RULES))


if __name__ == "__main__":
    main()
